"""From the columns of any file to a `Dataset`: episode ends, next rows, unit actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from warmstart.data.borders import borders_of, missing, time_limits
from warmstart.data.images import Seen, images_of, told_apart
from warmstart.data.rounding import rounded_away
from warmstart.envs.interface import from_box
from warmstart.envs.spaces import flatten_rows
from warmstart.errors import DataError
from warmstart.types import Dataset

ACTION_LIMIT = 1.0 - 1e-5
"""Actions are clipped to plus or minus this, as in RLPD: at 1 a tanh policy's density is not
finite."""

Bounds = tuple[np.ndarray, np.ndarray]


@dataclass
class Columns:
    """What a file says, row by row, before any rule was applied.

    `truncated` None: the file does not tell. `next_obs` None: the next row is the next
    observation, and a row at which an episode was cut has none. `episode`: anything that differs
    from one episode to the next. `step`: the row's number in its episode. `success`: whether the
    task was solved at this row.
    """

    source: str
    obs: Any
    actions: Any
    rewards: Any
    terminated: Any
    truncated: Any = None
    next_obs: Any = None
    episode: Any = None
    step: Any = None
    success: Any = None
    info: dict[str, Any] = field(default_factory=dict)


def build(
    columns: Columns,
    bounds: Bounds | None = None,
    horizon: int = 0,
    obs_offset: Sequence[float] | None = None,
) -> Dataset:
    """The dataset of these columns.

    Args:
        columns: all rows of all episodes, one after another.
        bounds: (low [A], high [A]) of the environment's action box; None: already [-1, 1].
        horizon: time limit in steps, used where the file does not say where episodes were cut.
        obs_offset: [O] taken away from observations before they become float32; None: nothing.

    Where next observations are given, a jump between `next_obs[i]` and `obs[i + 1]` of more than
    1e-6 also ends an episode (RLPD's rule). Where they are not given, rows that end an episode
    without terminating have no next observation and are dropped, as in D4RL's Q-learning view;
    the next observation of a terminal row is then its own: nothing reads a value there.

    Raises:
        DataError: columns of different length, not one number a row where one is needed, or rows
            of an episode that are not in the order of time.
    """
    seen = told_apart(columns.obs, columns.source)
    obs, rounded = _numbers(columns, "obs", seen, obs_offset)
    actions = _table(columns, "actions")
    rewards = column(columns, "rewards", np.float32)
    terminated = column(columns, "terminated", bool)
    next_obs = after = None
    if columns.next_obs is not None:
        after = told_apart(columns.next_obs, columns.source)
        next_obs, _ = _numbers(columns, "next_obs", after, obs_offset)
    truncated = np.zeros(len(rewards), bool)
    told, info = (
        columns.truncated is not None,
        {**columns.info, "source": columns.source, **rounded},
    )
    if told:
        truncated = column(columns, "truncated", bool).copy()
    success = None if columns.success is None else column(columns, "success", bool)
    _same_length(
        columns.source,
        obs,
        actions=actions,
        rewards=rewards,
        terminated=terminated,
        truncated=truncated,
        next_obs=next_obs,
        success=success,
    )
    if rows := int(np.sum(truncated & terminated)):
        info["done_and_truncated"] = {"rows": rows, "truncated": int(np.sum(truncated))}
    borders = borders_of(columns.source, len(obs), columns.episode, columns.step)
    if borders is not None:
        truncated[:-1] |= borders
        truncated[:-1] |= missing(columns.step, borders)
        told = True
    if next_obs is not None and next_obs.shape != obs.shape:
        raise DataError(
            f"{columns.source}: next observations have shape {next_obs.shape}, observations "
            f"{obs.shape}: write the same numbers in both."
        )
    if next_obs is not None and len(obs) > 1:
        with np.errstate(invalid="ignore"):
            truncated[:-1] |= np.any(np.abs(obs[1:] - next_obs[:-1]) > 1e-6, axis=1)
    if not told and horizon:
        limits = time_limits(terminated | truncated, horizon) & ~(terminated | truncated)
        if limits[:-1].any():
            info["cuts_guessed"] = int(np.sum(limits))
        truncated |= limits
    truncated &= ~terminated
    if len(obs) and not terminated[-1]:
        truncated[-1] = True
    if bounds is not None and len(bounds[0]) not in (1, actions.shape[1]):
        raise DataError(
            f"{columns.source} has {actions.shape[1]} numbers in an action, the action box "
            f"{len(bounds[0])}: use the environment that the data were logged in."
        )
    unit, outside = unit_actions(actions, bounds)
    info |= outside
    images = images_of(columns.source, seen, after, terminated, len(obs))
    if next_obs is not None:
        rows = (obs, unit, rewards, terminated, truncated, next_obs)
        return Dataset(*rows, info, success, **images)
    shifted = np.concatenate([obs[1:], obs[-1:]])
    shifted[terminated] = obs[terminated]
    keep = ~truncated
    # The row before a dropped one is now the last of its episode, unless it ended another.
    cut = np.concatenate([truncated[1:], [False]]) & ~terminated
    if success is not None:
        # A success that shows in a dropped row alone is told by the row before it.
        success[:-1] |= success[1:] & truncated[1:] & ~(terminated | truncated)[:-1]
    if not keep.all():
        info["dropped"] = _dropped(rewards[~keep])
        images |= {name: images[name][keep] for name in ("frame", "next_frame") if images}
    return Dataset(
        obs[keep],
        unit[keep],
        rewards[keep],
        terminated[keep],
        cut[keep],
        shifted[keep],
        info,
        None if success is None else success[keep],
        **images,
    )


def _dropped(rewards: np.ndarray) -> dict[str, Any]:
    """What rows without a next observation held: `rewards` [K], K > 0."""
    sums = {"sum": float(np.sum(rewards, dtype=np.float64))}
    sums["sum_of_sizes"] = float(np.sum(np.abs(rewards), dtype=np.float64))
    extremes = {"min": float(np.min(rewards)), "max": float(np.max(rewards))}
    return {"rows": len(rewards), **sums, **extremes}


def unit_actions(
    actions: np.ndarray, bounds: Bounds | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """Actions [N, A] of a box in [-1, 1], clipped to +-(1 - 1e-5): the one place that does so.

    Also returns what was outside the box by more than 1e-3, for `check`: either nothing or
    `{"actions_outside": {"rows": count, "first": row, "largest": number}}`.
    """
    if bounds is not None:
        actions = from_box(actions, *bounds).astype(np.float32)
    if (
        actions.size
        and actions.dtype == np.float32
        and float(actions.min()) >= -ACTION_LIMIT
        and float(actions.max()) <= ACTION_LIMIT
    ):
        return actions, {}
    size = np.max(np.abs(actions), axis=1, initial=0.0)
    rows = np.flatnonzero(size > 1.0 + 1e-3)
    outside: dict[str, Any] = {}
    if len(rows):
        largest = float(np.max(size[rows]))
        outside = {
            "actions_outside": {"rows": len(rows), "first": int(rows[0]), "largest": largest}
        }
    return np.clip(actions, -ACTION_LIMIT, ACTION_LIMIT).astype(np.float32), outside


def plain_environment(spec: Any) -> dict[str, Any]:
    """Only `env_id` and `env_kwargs` of an environment spec that a file carries.

    A spec also names an entry point, which would be imported and run: it is never looked at.
    """
    if not isinstance(spec, Mapping) or not isinstance(spec.get("id"), str):
        return {}
    kwargs = spec.get("kwargs")
    return {"env_id": spec["id"], "env_kwargs": dict(kwargs) if isinstance(kwargs, dict) else {}}


def _numbers(
    columns: Columns, name: str, seen: Seen, offset: Sequence[float] | None
) -> tuple[np.ndarray, dict[str, Any]]:
    """What is observed beside images, [N, O] float32, and what is told of it."""
    if seen.numbers is None:
        return np.zeros((len(seen.images[0]), 0), np.float32), {}
    return _observations(replace(columns, **{name: seen.numbers}), name, offset)


def _observations(
    columns: Columns, name: str, offset: Sequence[float] | None
) -> tuple[np.ndarray, dict[str, Any]]:
    """[N, O] float32 less the offset, and what is told of numbers that this rounds too far."""
    held = _table(columns, name, None)
    if held.dtype == np.float32 and offset is None:
        return held, {}
    told: dict[str, Any] = {}
    if offset is not None:
        if len(offset) != held.shape[1]:
            raise DataError(
                f"{columns.source} has {held.shape[1]} numbers in an observation, --obs-offset "
                f"(in Python obs_offset=) {len(offset)}: give one for each, 0 where nothing is "
                "taken away."
            )
        held = held.astype(np.float64) - np.asarray(offset, np.float64)
        told["obs_offset"] = [float(number) for number in offset]
    told |= rounded_away(held)
    with np.errstate(over="ignore"):  # too large is infinite: the data check tells
        return held.astype(np.float32, copy=False), told


def _table(columns: Columns, name: str, kind: Any = np.float32) -> np.ndarray:
    try:
        rows = flatten_rows(getattr(columns, name), kind)
        if not rows.shape[1]:
            raise ValueError("its rows are empty")
        return rows
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{columns.source}: '{name}' is no table of numbers with one row a step ({error}): "
            "name the right column with --columns (in Python mapping=), or write numbers there."
        ) from error


def column(columns: Columns, name: str, kind: type) -> np.ndarray:
    """[N] of `kind`, one number a row; flags (bool) can only be 0 or 1. Raises DataError."""
    values = np.asarray(getattr(columns, name))
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(
            f"{columns.source}: '{name}' has shape {values.shape}, one number a row is needed: "
            "name the right column with --columns (in Python mapping=)."
        )
    if values.dtype.kind not in "biuf":
        raise DataError(
            f"{columns.source}: '{name}' holds {values.dtype.name}, not numbers: name the right "
            "column with --columns (in Python mapping=), or write numbers there."
        )
    if kind is bool and values.dtype != bool:
        odd = np.flatnonzero((values != 0) & (values != 1))
        if len(odd):
            raise DataError(
                f"{columns.source}: '{name}' is {values[odd[0]]} in row {odd[0]}, it can only be "
                "0 or 1: name the right column with --columns (in Python mapping=)."
            )
    with np.errstate(over="ignore"):
        return values.astype(kind, copy=False)


def _same_length(source: str, obs: np.ndarray, **others: np.ndarray | None) -> None:
    for name, other in others.items():
        if other is not None and len(other) != len(obs):
            turned = " (are rows and columns swapped?)" if obs.shape[1] == len(other) else ""
            raise DataError(
                f"{source}: {len(obs)} rows of observations but {len(other)} of {name}{turned}: "
                "write one row a step in every column."
            )
