"""The `Dataset` of Python users: the same rows, made from arrays or episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from warmstart import types
from warmstart.data.arrays import by_key, dataset_of_arrays
from warmstart.data.build import build
from warmstart.data.checks import require_clean
from warmstart.data.frames import read_frame
from warmstart.envs.spaces import truth
from warmstart.errors import DataError


@dataclass(frozen=True, repr=False)
class Dataset(types.Dataset):
    """Logged transitions in flat arrays; see `warmstart.types.Dataset` for the fields."""

    @classmethod
    def from_arrays(
        cls,
        obs: Any,
        actions: Any,
        rewards: Any,
        terminated: Any,
        truncated: Any = None,
        next_obs: Any = None,
        *,
        success: Any = None,
        episode: Any = None,
        action_box: tuple[Any, Any] | None = None,
        horizon: int = 0,
        ignore: Sequence[str] = (),
    ) -> Dataset:
        """All rows of all episodes, one after another.

        Args:
            obs: [N, O], or a dict of [N, ...] that are joined in sorted key order (a list of N
                dicts says the same).
            actions: [N, A].
            rewards: [N], as they were paid.
            terminated: [N], 1 where a step ended the task.
            truncated: [N], 1 on the last row of an episode that was cut. None: `episode`, jumps
                between `next_obs` and the next row, or `horizon` tell.
            next_obs: as `obs`. None: the next row's; a row that was cut is then left out.
            success: [N], 1 where the task was solved.
            episode: [N], anything that differs from one episode to the next.
            action_box: (low, high), numbers or [A], of the box that actions are in; None: [-1, 1].
            horizon: time limit in steps, used where nothing else says where episodes were cut.
            ignore: names of errors of `warmstart data check` that shall pass.

        Raises:
            DataError: arrays of different length or of other things than numbers, or what
                `warmstart data check` calls an error; the message says where, and what to do.
        """
        columns = {
            "obs": obs,
            "actions": actions,
            "rewards": rewards,
            "terminated": terminated,
            "truncated": truncated,
            "next_obs": next_obs,
            "success": success,
            "episode": episode,
        }
        bounds = None if action_box is None else _box(action_box, actions)
        return cls._checked(dataset_of_arrays(columns, bounds, horizon), ignore)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        columns: Mapping[str, str] | None = None,
        *,
        action_box: tuple[Any, Any] | None = None,
        horizon: int = 0,
        ignore: Sequence[str] = (),
    ) -> Dataset:
        """A data frame of pandas, Polars or Arrow: a row a step, in time's order.

        Args:
            frame: its columns are named as those of a CSV file (docs/data.md): `obs_0`, `obs_1`,
                `action_0`, `reward`, `done`, `episode`.
            columns: what is what where the names are others, as `--columns` says it:
                `{"obs": "pos_*+vel_*", "action": "torque", "reward": "r", "done": "fell"}`.
            action_box: as in `from_arrays`.
            horizon: the same.
            ignore: the same.

        Raises:
            DataError: as `from_arrays`; text, gaps, no such column, or the extra `tables` is not
                installed.
        """
        read = read_frame(frame, columns)
        bounds = None if action_box is None else _box(action_box, read.actions)
        return cls._checked(build(read, bounds, horizon), ignore)

    @classmethod
    def _checked(cls, made: types.Dataset, ignore: Sequence[str]) -> Dataset:
        require_clean(made, ignore=ignore)
        return cls(**{field.name: getattr(made, field.name) for field in fields(made)})

    @classmethod
    def from_episodes(
        cls,
        episodes: Sequence[Mapping[str, Any]],
        *,
        action_box: tuple[Any, Any] | None = None,
        ignore: Sequence[str] = (),
    ) -> Dataset:
        """Episodes of T steps, each a dict.

        Args:
            episodes: with obs [T + 1, O] (the last one is what the last step led to; or a dict of
                [T + 1, ...], or a list of dicts), actions [T, A], rewards [T], terminated (whether
                the last step ended the task, else it was cut: one bool, or [T] of them, as steps
                answered), and where known success [T].
            action_box: as in `from_arrays`.
            ignore: the same.

        Raises:
            DataError: as `from_arrays`; an episode that lacks something is named by its number.
        """
        if not len(episodes):
            raise DataError("there is no episode; give at least one")
        parts = [_columns(number, episode) for number, episode in enumerate(episodes)]
        told = [name for name in parts[0] if all(name in part for part in parts)]
        joined = {name: _joined([part[name] for part in parts]) for name in told}
        return cls.from_arrays(**joined, action_box=action_box, ignore=ignore)


def _box(box: tuple[Any, Any], actions: Any) -> tuple[np.ndarray, np.ndarray]:
    """(low [A], high [A]). Raises DataError."""
    shape = np.shape(actions)
    size = int(np.prod(shape[1:])) if len(shape) > 1 else 1
    try:
        low, high = (
            np.broadcast_to(np.asarray(side, np.float32).reshape(-1), size) for side in box
        )
    except (TypeError, ValueError) as error:
        raise DataError(
            f"action_box is (low, high), each a number or one for each of {size} numbers of an "
            f"action, not {box!r}; give such a pair"
        ) from error
    if not np.all(low < high):
        raise DataError(f"action_box {box!r} has no width; give low below high")
    return low, high


def _columns(number: int, episode: Mapping[str, Any]) -> dict[str, Any]:
    """An episode's columns, row by row."""
    for name in ("obs", "actions", "rewards", "terminated"):
        if name not in episode:
            raise DataError(f"episode {number} lacks {name!r}; give it")
    obs, steps = by_key(episode["obs"], f"episode {number}"), len(episode["rewards"])
    for what, value, want in (
        *(("obs", part, steps + 1) for part in _parts(obs)),
        ("actions", episode["actions"], steps),
    ):
        if len(value) != want:
            raise DataError(
                f"episode {number} has {steps} rewards and {len(value)} {what}; give {want}, the "
                "last observation being what the last step led to"
            )
    if not steps:
        raise DataError(f"episode {number} has no steps; leave it out")
    ends = np.zeros(steps, bool)
    ends[-1] = _terminated(number, episode["terminated"], steps)
    cuts = np.zeros(steps, bool)
    cuts[-1] = not ends[-1]
    found = {
        "obs": _rows(obs, slice(None, -1)),
        "actions": episode["actions"],
        "rewards": episode["rewards"],
        "terminated": ends,
        "truncated": cuts,
        "next_obs": _rows(obs, slice(1, None)),
        "episode": np.full(steps, number),
    }
    if "success" in episode:
        found["success"] = episode["success"]
    return found


def _terminated(number: int, said: Any, steps: int) -> bool:
    """Whether the last step ended the task. Raises DataError."""
    try:
        each = [truth(one) for one in np.ravel(said)]
    except (TypeError, ValueError):
        each = []
    if np.shape(said) not in ((), (1,), (steps,)) or not each:
        what = f"of shape {np.shape(said)}" if np.shape(said) else repr(said)
        raise DataError(
            f"episode {number} has terminated {what}; give one bool, whether its last step ended "
            f"the task, or one for each of its {steps} steps"
        )
    if any(each[:-1]):
        raise DataError(
            f"episode {number} terminates in step {each.index(True)} and goes on to step "
            f"{steps - 1}; give what follows as an episode of its own"
        )
    return each[-1]


def _parts(obs: Any) -> list[Any]:
    """The arrays of an observation, however deep its dicts are."""
    if isinstance(obs, Mapping):
        return [part for value in obs.values() for part in _parts(value)]
    return [obs]


def _rows(obs: Any, rows: slice) -> Any:
    if isinstance(obs, Mapping):
        return {key: _rows(value, rows) for key, value in obs.items()}
    return np.asarray(obs)[rows]


def _joined(parts: list[Any]) -> Any:
    if isinstance(parts[0], Mapping):
        return {key: _joined([part[key] for part in parts]) for key in parts[0]}
    return np.concatenate([np.asarray(part) for part in parts])
