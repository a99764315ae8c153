"""Episodes that a stop broke off and nobody could play again: cut there, for good."""

from __future__ import annotations

from typing import Any

import numpy as np

from warmstart.engine.episodes import Episodes
from warmstart.replay import Layout
from warmstart.tasks.returns import returns_to_go


def mark_ends(rows: np.ndarray, layout: Layout, newest: list[bool]) -> None:
    """Mark the last rows of episodes that were cut after they were stored.

    They are found by the episode that begins behind them, or, where `newest` says so of a seed, is
    to begin. `rows` [S, n, W] of the ring, oldest first, are changed in place.
    """
    rows[:, :-1, layout.last] = np.maximum(rows[:, :-1, layout.last], rows[:, 1:, layout.t] == 0.0)
    rows[newest, -1, layout.last] = 1.0


def cut_off(episodes: Episodes, rows: np.ndarray, tree: Any, positions: list[int]) -> Any:
    """The snapshot with the open episodes of the seeds at `positions` closed where they stand.

    As at a time limit: the newest row is its episode's last, and what it will have returned is
    known. `rows` [S, n, W] of the ring, oldest first, are changed in place.
    """
    layout = episodes.layout
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
