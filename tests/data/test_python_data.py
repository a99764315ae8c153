"""Datasets that somebody holds in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import warmstart as ws
from warmstart.errors import DataError


def _episodes(count: int = 30, steps: int = 12) -> list[dict[str, Any]]:
    rng, made = np.random.default_rng(0), []
    for number in range(count):
        obs = np.cumsum(rng.normal(size=(steps + 1, 3)), axis=0)
        actions = rng.uniform(0.0, 4.0, (steps, 2))
        rewards = -np.abs(obs[1:, 0]) - np.abs(actions[:, 0])
        terminated = number % 2 == 0
        made.append({"obs": obs, "actions": actions, "rewards": rewards, "terminated": terminated})
    return made


def test_episodes_and_arrays_are_the_same_rows() -> None:
    episodes = _episodes()
    data = ws.Dataset.from_episodes(episodes, action_box=(0.0, [4.0, 4.0]))
    assert isinstance(data, ws.Dataset) and len(data) == 30 * 12
    assert len(data.episodes()) == 30
    np.testing.assert_allclose(data.actions[0], episodes[0]["actions"][0] / 2.0 - 1.0, atol=1e-5)
    np.testing.assert_array_equal(data.terminated[11::12], [True, False] * 15)
    np.testing.assert_array_equal(data.truncated[11::12], [False, True] * 15)
    np.testing.assert_allclose(data.next_obs[11], episodes[0]["obs"][12], rtol=1e-6)
    joined = {name: np.concatenate([e[name] for e in episodes]) for name in ("actions", "rewards")}
    ends = np.arange(360) % 12 == 11
    same = ws.Dataset.from_arrays(
        {"x": np.concatenate([e["obs"][:-1] for e in episodes])},
        **joined,
        terminated=ends & (np.arange(360) // 12 % 2 == 0),
        truncated=ends,
        next_obs={"x": np.concatenate([e["obs"][1:] for e in episodes])},
        action_box=(0.0, 4.0),
        ignore=("done-and-truncated",),
    )
    for name in ("obs", "actions", "rewards", "terminated", "next_obs"):
        np.testing.assert_array_equal(getattr(same, name), getattr(data, name))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"obs": np.zeros((12, 3))}, "episode 1 has 12 rewards and 12 obs"),
        ({"actions": np.zeros((3, 2))}, "episode 1 has 12 rewards and 3 actions"),
        ({"rewards": np.full(12, np.nan)}, "finite"),
    ],
)
def test_episodes_that_are_none(change: dict[str, Any], says: str) -> None:
    episodes = _episodes()
    episodes[1] |= change
    with pytest.raises(DataError, match=says):
        ws.Dataset.from_episodes(episodes, action_box=(0.0, 4.0))


def test_what_is_missing_is_named() -> None:
    episodes = _episodes()
    del episodes[2]["terminated"]
    with pytest.raises(DataError, match="episode 2 lacks 'terminated'"):
        ws.Dataset.from_episodes(episodes)
    with pytest.raises(DataError, match="no episode"):
        ws.Dataset.from_episodes([])
    with pytest.raises(DataError, match="action_box"):
        ws.Dataset.from_episodes(_episodes(), action_box=(0.0, [1.0, 2.0, 3.0]))
    with pytest.raises(DataError, match="no width"):
        ws.Dataset.from_episodes(_episodes(), action_box=(4.0, 0.0))
    with pytest.raises(DataError, match="4 of rewards"):
        ws.Dataset.from_arrays(np.zeros((3, 1)), np.zeros((3, 1)), np.zeros(4), np.zeros(3))
