"""Datasets that somebody holds in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow
import pytest

import warmstart as ws
from warmstart.data.arrays import dataset_of_arrays
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


def test_what_a_loop_collects_is_taken_as_it_is() -> None:
    """A list of dict observations, and the bool that each step answered with."""
    episodes = _episodes()
    want = ws.Dataset.from_episodes(episodes, action_box=(0.0, 4.0))
    for episode in episodes:
        said = np.zeros(12, bool)
        said[-1] = episode["terminated"]
        seen = [{"b": {"z": o[1:]}, "a": o[:1]} for o in episode["obs"]]
        episode |= {"obs": seen, "terminated": [bool(one) for one in said]}
    got = ws.Dataset.from_episodes(episodes, action_box=(0.0, 4.0))
    rows = [o for episode in episodes for o in episode["obs"][:-1]]
    after = [o for episode in episodes for o in episode["obs"][1:]]
    columns = {n: np.concatenate([e[n] for e in episodes]) for n in ("actions", "rewards")}
    flat = ws.Dataset.from_arrays(
        rows,
        columns["actions"],
        columns["rewards"],
        terminated=want.terminated,
        truncated=want.truncated,
        next_obs=np.array(after, object),
        action_box=(0.0, 4.0),
    )
    for name in ("obs", "actions", "rewards", "terminated", "truncated", "next_obs"):
        np.testing.assert_array_equal(getattr(got, name), getattr(want, name))
        np.testing.assert_array_equal(getattr(flat, name), getattr(want, name))
    assert repr(got) == (
        "Dataset(360 steps in 30 episodes, observations of 3 numbers, actions of 2)"
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"terminated": [True] * 12}, "episode 1 terminates in step 0 and goes on to step 11"),
        (
            {"terminated": np.zeros(13, bool)},
            r"episode 1 has terminated of shape \(13,\); .* each of its 12 steps",
        ),
        ({"terminated": "no"}, "episode 1 has terminated 'no'; give one bool"),
        ({"terminated": None}, "episode 1 has terminated None; give one bool"),
        ({"obs": [{"a": [0.0]}] * 12 + [{"b": [0.0]}]}, "episode 1: observation 12 has other keys"),
        ({"obs": {"a": {"b": np.zeros((12, 3))}}}, "episode 1 has 12 rewards and 12 obs"),
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


def _table() -> Any:
    episodes = _episodes()
    obs = np.concatenate([e["obs"][:-1] for e in episodes])
    actions = np.concatenate([e["actions"] for e in episodes])
    ends = np.arange(len(obs)) % 12 == 11
    died = ends & (np.arange(len(obs)) // 12 % 2 == 0)
    columns = {f"x_{axis}": obs[:, axis] for axis in (2, 0, 1)}
    columns |= {f"u{axis}": actions[:, axis] for axis in range(2)}
    columns |= {"paid": np.concatenate([e["rewards"] for e in episodes]), "fell": died, "cut": ends}
    return pyarrow.table(columns)


NAMES = {"obs": "x_*", "action": "u*", "reward": "paid", "done": "fell", "truncated": "cut"}


def test_a_frame_is_the_same_rows_as_its_arrays() -> None:
    table = _table()
    got = ws.Dataset.from_frame(table, NAMES, action_box=(0.0, 4.0))
    column = {name: table.column(name).to_numpy() for name in table.column_names}
    want = ws.Dataset.from_arrays(
        np.stack([column[f"x_{axis}"] for axis in range(3)], 1),
        np.stack([column["u0"], column["u1"]], 1),
        column["paid"],
        column["fell"],
        column["cut"],
        action_box=(0.0, 4.0),
    )
    for name in ("obs", "actions", "rewards", "terminated", "truncated", "next_obs"):
        np.testing.assert_array_equal(getattr(got, name), getattr(want, name))
    usual = table.rename_columns(
        ["obs_2", "obs_0", "obs_1", "action_0", "action_1", "reward", "terminated", "truncated"]
    )
    plain = dataset_of_arrays(usual, (np.zeros(2, np.float32), np.full(2, 4.0, np.float32)))
    np.testing.assert_array_equal(plain.obs, want.obs)
    np.testing.assert_array_equal(plain.actions, want.actions)


@pytest.mark.parametrize(
    "names, says",
    [
        ({**NAMES, "reward": "wage"}, "wage"),
        ({"obs": "x_*", "action": "u*", "done": "fell"}, "reward"),
        ({**NAMES, "obs": "x_*+said"}, "said"),
    ],
)
def test_frames_that_cannot_be_read(names: dict[str, str], says: str) -> None:
    table = _table()
    table = table.append_column("said", [["a"] * table.num_rows])
    with pytest.raises(DataError, match=says):
        ws.Dataset.from_frame(table, names)
    with pytest.raises(DataError, match="no rows"):
        ws.Dataset.from_frame(table.slice(0, 0), NAMES)
