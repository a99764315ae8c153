"""Logged data that somebody holds as arrays, or as a frame, in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from warmstart.data.build import Bounds, Columns, build
from warmstart.data.columns import ROLES
from warmstart.data.frames import is_frame, read_frame
from warmstart.errors import DataError, did_you_mean
from warmstart.types import Dataset

_ORDER = ("obs", "actions", "rewards", "terminated", "truncated", "next_obs")
_KNOWN = {name: role for role, usual in ROLES.items() for name in usual if role != "mask"}
_NEEDED = ("obs", "actions", "rewards", "terminated")


def dataset_of_arrays(
    data: Any,
    bounds: Bounds | None = None,
    horizon: int = 0,
    obs_offset: Sequence[float] | None = None,
) -> Dataset:
    """Arrays as a dataset.

    Args:
        data: a `Dataset`, which stays as it is; a dict of arrays by the names that files have
            (obs, actions, rewards, terminated, truncated, next_obs, episode, step, success); a
            tuple of the first four to six of them in this order; or a frame of pandas, Polars or
            Arrow with a row a step (see `read_frame`). Observations [N, O], a dict of [N, ...] or
            N dicts; actions [N, A]; all others one number a row.
        bounds: (low [A], high [A]) of the box that the actions are in; None: [-1, 1].
        horizon: time limit in steps, used where nothing says where episodes were cut.
        obs_offset: [O] taken away from observations before they become float32; None: nothing.

    Raises:
        DataError: something else, arrays of different length, text or other things than numbers.
    """
    if isinstance(data, Dataset):
        return data
    if is_frame(data):
        return build(read_frame(data), bounds, horizon, obs_offset)
    if isinstance(data, Mapping):
        given = _by_role(data)
    elif isinstance(data, tuple | list) and len(_NEEDED) <= len(data) <= len(_ORDER):
        given = dict(zip(_ORDER, data, strict=False))
    else:
        raise DataError(
            f"data are a path, a Dataset, a frame, a dict of arrays or a tuple "
            f"({', '.join(_ORDER)}), of which the last two may be left out, not {_shown(data)}; "
            "give one of them"
        )
    empty = [name for name, value in given.items() if value is None]
    given = {name: value for name, value in given.items() if name not in empty}
    if missing := [name for name in _NEEDED if name not in given]:
        raise DataError(f"the data lack {missing[0]}; give an array of it with one row a step")
    given |= {n: by_key(given[n], f"'{n}'") for n in ("obs", "next_obs") if n in given}
    return build(Columns("the arrays", **given), bounds, horizon, obs_offset)


def by_key(observations: Any, where: str) -> Any:
    """A list of dicts, one a step, as a dict of lists; anything else as it is. Raises DataError."""
    objects = isinstance(observations, np.ndarray) and observations.dtype.kind == "O"
    listed = objects or isinstance(observations, list | tuple)
    if not listed or not len(observations) or not isinstance(observations[0], Mapping):
        return observations
    keys = observations[0].keys()
    for step, one in enumerate(observations):
        if not isinstance(one, Mapping) or one.keys() != keys:
            raise DataError(
                f"{where}: observation {step} has other keys than the first, which has "
                f"{', '.join(map(str, keys))}; give the same ones at every step"
            )
    return {key: by_key([one[key] for one in observations], where) for key in keys}


def _by_role(data: Mapping[Any, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, value in data.items():
        role = _KNOWN.get(name) if isinstance(name, str) else None
        if role is None:
            raise DataError(f"the data have no column {name!r}. {did_you_mean(str(name), _KNOWN)}")
        if role in given:
            raise DataError(f"the data name {role} twice ({name!r} is one of them); give it once")
        given[role] = value
    return given


def _shown(data: Any) -> str:
    kind = type(data).__name__
    return f"{kind} of {len(data)}" if isinstance(data, tuple | list | np.ndarray) else kind
