"""Floor 6: episodes that a stop broke off and nobody could play again: cut there, for good."""

from __future__ import annotations

from typing import Any

import numpy as np

from warmstart.engine.episodes import Episodes
from warmstart.tasks.returns import returns_to_go


def cut_off(episodes: Episodes, rows: np.ndarray, tree: Any, positions: list[int]) -> Any:
    """The snapshot with the open episodes of the seeds at `positions` closed where they stand.

    As at a time limit: the newest row is its episode's last, and what it will have returned is
    known. Those cut by an earlier stop are found by the episode that begins, or is to begin, behind
    them. `rows` [S, n, W] of the ring, oldest first, are changed in place.
    """
    layout = episodes.layout
    rows[:, :-1, layout.last] = np.maximum(rows[:, :-1, layout.last], rows[:, 1:, layout.t] == 0.0)
    rows[[not episode.actions for episode in episodes.open], -1, layout.last] = 1.0
    closed = np.array(tree["closed"])
    for i in positions:
        steps = int(rows[i, -1, layout.t]) + 1  # more than the ring holds: its start is lost
        episode = rows[i, -steps:]
        episode[:, layout.return_to_go] = returns_to_go(
            episode[:, layout.scalars],
            episode[:, layout.scalars + 1],
            episode[:, layout.last],
            episodes.discount,
            episodes.return_rule,
            float(np.float32(episodes.failure_reward)),
        )
        closed[i] = tree["added"][i]
    return {**tree, "closed": closed}
