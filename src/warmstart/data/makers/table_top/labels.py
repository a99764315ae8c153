"""A task's rewards and ends for streams that know nothing of it.

Labels are a function of the observations alone, as they are stored. So the streams that were made
for one task of a scene serve its other tasks, and give the bits that making them again would give.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from warmstart.data.makers.roll import joined
from warmstart.envs.make import GymEnv
from warmstart.types import Dataset

STREAM = 1000
"""Steps of a stream."""
_CENTRE = np.array([0.425, 0.0, 0.0])
_ARM, _ROBOT = 19, 14
"""Where the objects begin in an observation, and in the simulator's positions."""


def labelled(
    bare: Any, obs: np.ndarray, actions: np.ndarray, horizon: int, stream: int = STREAM
) -> Dataset:
    """One stream as rows of the task of `bare`.

    Args:
        bare: OGBench's environment, in task mode.
        obs: [T + 1, O] float32.
        actions: [T, 5].
        horizon: the task's time limit: no episode is longer.
        stream: T.

    Returns:
        Rewards and ends by OGBench's own relabelling, of the state before each action.
        `info["successes"]`: which episodes come to the goal from elsewhere.
    """
    from ogbench.relabel_utils import relabel_dataset

    rows = _states(bare, obs[:-1].astype(np.float64))
    relabel_dataset(bare.spec.id, bare, rows)
    ended = rows["masks"] == 0
    age, cut = 0, np.zeros(stream, bool)
    for i, end in enumerate(ended.tolist()):
        age += 1
        cut[i] = not end and (age == horizon or i == stream - 1)
        age = 0 if end or cut[i] else age
    stops = np.flatnonzero(ended | cut)
    lengths = np.diff(stops, prepend=-1)
    return Dataset(
        obs=obs[:-1],
        actions=actions,
        rewards=rows["rewards"].astype(np.float32),
        terminated=ended,
        truncated=cut,
        next_obs=obs[1:],
        info={"successes": (ended[stops] & (lengths > 1)).tolist()},
    )


def relabel(env: GymEnv, data: Dataset, stream: int = STREAM) -> Dataset:
    """Whole streams, made for another task of the same scene, as rows of the task of `env`."""
    pieces = []
    for start in range(0, len(data), stream):
        rows = slice(start, start + stream)
        obs = np.concatenate([data.obs[rows], data.next_obs[rows][-1:]])
        pieces.append(labelled(env.simulator, obs, data.actions[rows], env.spec.horizon, stream))
    return joined(pieces)


def same_streams(recipe: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two recipes of the maker "table_top" wander alike and differ by their task alone."""

    def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
        scene = str(facts.get("env_id")).partition("-singletask-")[0]
        return {**facts, "task": "", "env_id": scene}

    kwargs = recipe.get("kwargs", {})
    free = kwargs.get("kind", "play") != "demos" and not kwargs.get("demo_every")
    return bool(free and not recipe.get("rows") and plain(recipe) == plain(other))


def _states(bare: Any, obs: np.ndarray) -> dict[str, Any]:
    """What OGBench's relabelling reads, from observations [N, O] of its known layout."""
    cubes = getattr(bare, "_num_cubes", 0)
    buttons = getattr(bare, "_num_buttons", 0)
    slides = 2 if hasattr(bare, "_drawer_center") else 0
    qpos = np.zeros((len(obs), _ROBOT + 7 * cubes + buttons + slides))
    for i in range(cubes):
        place = obs[:, _ARM + 9 * i : _ARM + 9 * i + 3] / 10.0 + _CENTRE
        qpos[:, _ROBOT + 7 * i : _ROBOT + 7 * i + 3] = place
    first = _ARM + 9 * cubes
    lit = obs[:, first + 1 : first + 4 * buttons : 4] > 0.5
    if slides:
        drawer = first + 4 * buttons
        qpos[:, -2], qpos[:, -1] = obs[:, drawer] / 18.0, obs[:, drawer + 2] / 15.0
    return {"qpos": qpos, "button_states": lit.astype(int)}
