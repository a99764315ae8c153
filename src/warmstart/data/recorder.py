"""What vector environments of Gymnasium answer, as a dataset without invented rows.

A vector environment resets by itself. In the mode NEXT_STEP the call after an end ignores the
action and answers with the new episode's first observation and reward 0: no transition, and not
recorded. In SAME_STEP the observation that comes with an end is already the new episode's; the
true last one stands in `info["final_obs"]`. In DISABLED the caller resets what has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from warmstart.data.build import unit_actions
from warmstart.data.manifest import content_hash, save_folder
from warmstart.data.vector_observations import Look, Looks
from warmstart.envs.spaces import action_bounds
from warmstart.errors import DataError, TaskError
from warmstart.types import Dataset

_SUCCESS = ("success", "is_success")


class Recorder:
    """Records a vector environment's steps.

    ```python
    recorder = Recorder(envs)
    obs, info = envs.reset(seed=0)
    recorder.reset(obs)
    for _ in range(1000):
        actions = envs.action_space.sample()
        step = envs.step(actions)
        recorder.step(actions, *step)
    recorder.save("logged")
    ```

    `obs_offset` [O] is taken away from observations in float64, as the task's data say it
    (`DataSource.obs_offset`): what is saved is opened with the same one.

    Actions are in the environments' own box; the dataset has them in [-1, 1]. Whole episodes
    stand in it in the order in which they ended, then those that are still open, cut where they
    stand. Images (uint8 [H, W, C]) are kept as bytes, each once.

    Raises:
        TaskError: spaces that are not numbers or images and bounded continuous actions.
        DataError: the environments do not say how they reset.
    """

    def __init__(self, envs: VectorEnv, obs_offset: Sequence[float] | None = None) -> None:
        if not isinstance(envs, VectorEnv):
            raise TaskError(
                f"a Recorder takes a vector environment, not {type(envs).__name__}; make one with "
                "gymnasium.make_vec(ID, num_envs=1)"
            )
        where = str(getattr(envs.spec, "id", None) or type(envs).__name__)
        self._bounds = action_bounds(envs.single_action_space, where)
        self._looks = Looks(envs.single_observation_space, where, envs.num_envs, obs_offset)
        mode = (envs.metadata or {}).get("autoreset_mode")
        try:
            self._mode = AutoresetMode(mode)
        except ValueError:
            raise DataError(
                f"{where} does not say how it resets (metadata['autoreset_mode'] is {mode}): set "
                "it to a gymnasium.vector.AutoresetMode before recording."
            ) from None
        self._name, self._count = where, envs.num_envs
        self._told = _environment(envs.spec)
        self._open: list[list[tuple[Any, ...]]] = [[] for _ in range(self._count)]
        self._done: list[list[tuple[Any, ...]]] = []
        self._obs: list[Look] | None = None
        self._ended = np.zeros(self._count, bool)

    def reset(self, obs: Any, mask: np.ndarray | None = None) -> None:
        """After `envs.reset()`; in the mode DISABLED also after a reset of those in `mask` [n].

        Episodes that were open are cut.
        """
        looks = self._looks.each(obs)
        chosen = np.ones(self._count, bool) if mask is None else np.asarray(mask, bool)
        for i in np.flatnonzero(chosen):
            self._close(int(i))
        pairs = zip(chosen, looks, self._obs or looks, strict=True)
        self._obs = [new if begins else old for begins, new, old in pairs]
        self._ended &= ~chosen

    def step(
        self,
        actions: Any,
        obs: Any,
        rewards: Any,
        terminated: Any,
        truncated: Any,
        info: Mapping[str, Any] | None = None,
    ) -> None:
        """After `envs.step(actions)`: the actions, and what it returned.

        Raises:
            DataError: before `reset`, an end without its true last observation, or, in the mode
                DISABLED, a step of an environment that was not reset after its end.
        """
        if self._obs is None:
            raise DataError(f"{self._name} was not reset: call recorder.reset(obs) first.")
        after, info = self._looks.each(obs), info or {}
        ends = np.asarray(terminated, bool) | np.asarray(truncated, bool)
        if self._mode is AutoresetMode.DISABLED and self._ended.any():
            raise DataError(
                f"Environment {int(np.flatnonzero(self._ended)[0])} of {self._name} has ended and "
                "was not reset: reset it with a mask and call recorder.reset(obs, mask)."
            )
        lengths = [len(np.atleast_1d(x)) for x in (actions, rewards, terminated, truncated)]
        if set(lengths) != {self._count}:
            raise DataError(
                f"{self._name} has {self._count} environments, but actions, rewards, terminated "
                f"and truncated have {lengths} rows: pass what the vector environment took and "
                "returned."
            )
        same = self._mode is AutoresetMode.SAME_STEP
        for i in range(self._count):
            if self._ended[i]:  # the answer of a reset, not of this action
                continue
            last = self._final(info, i) if same and ends[i] else after[i]
            wins = self._success(info, i, bool(ends[i]) and same)
            # Copies: the caller may fill the same arrays again in the next step.
            action = np.array(actions[i]).reshape(-1)
            flags = bool(terminated[i]), bool(ends[i])
            row = (self._obs[i], action, float(rewards[i]), *flags, last, wins)
            self._open[i].append(row)
            if ends[i]:
                self._close(i)
        self._obs = after
        self._ended = ends if not same else np.zeros(self._count, bool)

    def __len__(self) -> int:
        return sum(map(len, self._done)) + sum(map(len, self._open))

    def dataset(self) -> Dataset:
        """Everything so far. Raises DataError where nothing was recorded."""
        episodes = [*self._done, *(rows for rows in self._open if rows)]
        if not episodes:
            raise DataError("Nothing was recorded: call recorder.step(...) after every envs.step.")
        seen, actions, rewards, dead, _, after, wins = zip(*chain(*episodes), strict=True)
        shown = [[*(row[0] for row in rows), rows[-1][5]] for rows in episodes]
        last = np.zeros(len(rewards), bool)
        last[np.cumsum([len(rows) for rows in episodes]) - 1] = True
        terminated = np.array(dead, bool)
        unit, outside = unit_actions(np.asarray(actions, np.float32), self._bounds)
        success, partly = _successes(episodes, wins)
        return Dataset(
            np.stack([look.numbers for look in seen]),
            unit,
            np.array(rewards, np.float32),
            terminated,
            last & ~terminated,
            np.stack([look.numbers for look in after]),
            {"name": self._name, **self._told, **outside, **partly, **self._taken()},
            success,
            **self._looks.frames(shown),
        )

    def _taken(self) -> dict[str, Any]:
        offset = self._looks.offset
        return {} if offset is None else {"obs_offset": offset.tolist()}

    def save(self, folder: str | Path) -> Path:
        """Write the dataset as a folder for `--data`.

        Raises:
            DataError: nothing was recorded, or the folder holds something else.
            RunError: it cannot be written.
        """
        dataset = self.dataset()
        recipe = {**self._told, "recorded": content_hash(dataset)}
        return save_folder(dataset, folder, recipe)

    def _final(self, info: Mapping[str, Any], i: int) -> Look:
        final = _told(info, "final_obs", i)
        if final is None:
            raise DataError(
                f"Environment {i} of {self._name} ended, but info['final_obs'] lacks its last "
                "observation: pass the info of that step to recorder.step."
            )
        return self._looks.one(final)

    def _success(self, info: Mapping[str, Any], i: int, ended: bool) -> bool | None:
        told = info.get("final_info", {}) if ended else info
        found = (_told(told, name, i) for name in _SUCCESS)
        success = next((value for value in found if value is not None), None)
        return None if success is None else bool(success)

    def _close(self, i: int) -> None:
        if self._open[i]:
            self._done.append(self._open[i])
            self._open[i] = []


def _told(info: Mapping[str, Any], name: str, i: int) -> Any:
    """What environment `i` said under this name, None where it said nothing.

    Gymnasium fills an array of all environments, and marks in `_name` those that did say it.
    """
    if name not in info:
        return None
    mask = info.get(f"_{name}")
    return info[name][i] if mask is None or mask[i] else None


def _successes(
    episodes: Sequence[Sequence[tuple[Any, ...]]], wins: Sequence[bool | None]
) -> tuple[np.ndarray | None, dict[str, Any]]:
    """[N] bool, if every episode that ended told in some row whether it succeeded; a row that did
    not say was no success. Else None, and where only some told, how many, for `Dataset.info`."""
    told = [[row[-1] for row in rows if row[-1] is not None] for rows in episodes]
    known = sum(map(bool, told))
    if known and all(said or not rows[-1][4] for said, rows in zip(told, episodes, strict=True)):
        return np.array([bool(win) for win in wins]), {}
    if not known:
        return None, {}
    counts = {"episodes": len(episodes), "told": known, "succeeded": sum(map(any, told))}
    return None, {"success_partly": counts}


def _environment(spec: Any) -> dict[str, Any]:
    """Id and plain keyword arguments of the environments, where they were made by an id."""
    if spec is None:
        return {}
    plain = (bool, int, float, str, list, tuple, type(None))
    kwargs = {k: v for k, v in dict(spec.kwargs or {}).items() if isinstance(v, plain)}
    return {"env_id": spec.id, "env_kwargs": kwargs}
