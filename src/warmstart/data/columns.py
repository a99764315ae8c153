"""Which of a file's arrays is what: a mapping first, then the usual names."""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.data.build import Columns
from warmstart.data.images import among_columns
from warmstart.envs.interface import is_camera
from warmstart.envs.spaces import flatten_rows
from warmstart.errors import DataError, did_you_mean

Mapped = Mapping[str, str | Sequence[str]]

ROLES: dict[str, tuple[str, ...]] = {
    "obs": ("obs", "observations", "observation"),
    "actions": ("actions", "action"),
    "rewards": ("rewards", "reward"),
    "terminated": ("terminated", "terminals", "terminations", "terminal"),
    "truncated": ("truncated", "timeouts", "truncations", "timeout"),
    "next_obs": ("next_obs", "next_observations", "next_observation"),
    "episode": ("episode", "episode_id", "episode_index"),
    "step": ("step", "frame_index", "timestep", "time_step", "step_index"),
    "success": ("success", "is_success"),
    "mask": ("masks", "mask"),
}
"""What a column can be, and the names by which it is found unasked."""

_ALSO = {"done": "terminated", "next": "next_obs"}
_ALIASES = {name: role for role, usual in ROLES.items() for name in (role, *usual)} | _ALSO
_PARTED = {"obs": ("obs_*", "observation_*"), "actions": ("action_*", "act_*")}
"""Vectors with a column for each number. Of a file of arrays only numbered ones count (`obs_0`):
others (`obs_mean`) may be anything."""
_FOLLOWING = ("next_obs_", "next_observation_", "obs_next_", "observation_next_")
"""What stands before the rest of the name of a column of next observations."""
_WIDE = ("obs", "actions", "next_obs")
NEVER = "never"
"""`done=never`: no episode of these data ends by itself."""
LAST = "last"
"""`done=last`: every episode of these data ends by itself, at its last row."""


def parse_columns(text: str) -> dict[str, str]:
    """`obs=state_*,action=cmd_*,reward=r` as a mapping. Raises DataError."""
    found: dict[str, str] = {}
    for pair in text.split(","):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (name and equals and value):
            raise DataError(
                f"--columns {text}: '{pair.strip()}' is no pair; write what it is and the file's "
                "name for it, such as --columns 'obs=state_*,action=cmd_*,reward=r,done=terminal'."
            )
        if name in found:
            raise DataError(
                f"--columns names '{name}' twice: join several columns with +, as in "
                f"{name}={found[name]}+{value}."
            )
        found[name] = value
    roles_of(found)
    return found


def choose(
    source: str | Path, names: Collection[str], mapping: Mapped | None, table: bool = False
) -> dict[str, list[str]]:
    """What each of our columns is made of: role -> names in the file, joined in that order.

    A value of the mapping is a name; a pattern with * whose matches are taken in natural order
    (state_2 before state_10); several of these with + between; or, for `done`, `never` or `last`.

    Next observations that the mapping does not name are made of the counterparts of the columns
    that observations are made of, in the same order (`next_obs/b` for `obs/b`); where one of them
    has none, the file's next observations are left alone and the next row is taken.

    Raises:
        DataError: an unknown role, a name or pattern that the file does not have, or no column
            for something that is needed.
    """
    chosen: dict[str, list[str]] = {}
    for role, (said, value) in roles_of(mapping or {}).items():
        if role == "terminated" and value in (NEVER, LAST) and value not in names:
            chosen[role] = []
            continue
        chosen[role] = _names(source, names, said, value)
        if role not in _WIDE and len(chosen[role]) != 1:
            raise DataError(
                f"{source}: '{said}' is one number a row, but {len(chosen[role])} columns are "
                f"named for it ({', '.join(chosen[role][:4])}): name one."
            )
    said_so = set(chosen) | ({"mask"} if "terminated" in chosen else set())
    for role, usual in ROLES.items():
        if role in said_so:
            continue
        if role == "next_obs":
            if following := _following(names, chosen.get("obs", [])):
                chosen[role] = following
            continue
        found = next((name for name in usual if name in names), None)
        inside = next((held for name in usual if (held := _inside(name, names))), [])
        if found is not None:
            chosen[role] = [found]
        elif inside and role in _WIDE:
            chosen[role] = inside
        elif role in _PARTED:
            parted = next((held for p in _PARTED[role] if (held := _parted(p, names, table))), [])
            if parted:
                chosen[role] = parted
    return chosen


def require(
    source: str | Path,
    names: Collection[str],
    chosen: Mapping[str, Any],
    needed: Sequence[str] = ("obs", "actions", "rewards", "terminated"),
) -> None:
    """Refuse a file in which something needed was not found. `mask` stands for `terminated`."""
    known_as = {*chosen, *(("terminated",) if "mask" in chosen else ())}
    missing = [role for role in needed if role not in known_as]
    if not missing:
        return
    short = {"actions": "action", "rewards": "reward", "terminated": "done"}
    example = ",".join(f"{short.get(role, role)}=NAME" for role in missing)
    hints = ""
    if "rewards" in missing:
        hints += " --view success-at-end gives 1 at the end of every (successful) episode."
    if "terminated" in missing:
        hints += " done=never says that no episode ends by itself."
    raise DataError(
        f"{source} has nothing for {' and '.join(missing)} among {_shown(names)}: "
        f"say which with --columns {example} (in Python mapping=).{hints}"
    )


def gather(
    source: str | Path, chosen: Mapping[str, list[str]], get: Callable[[str], Any], **info: Any
) -> Columns:
    """The columns that were chosen, read with `get(name)`. Raises DataError."""
    read: dict[str, Any] = {}
    widths: list[int] = []
    for role, names in chosen.items():
        if not names:
            continue
        arrays = [get(name) for name in names]
        seen = among_columns(names, arrays) if role in ("obs", "next_obs") else None
        if role == "obs":
            flat = [x for x in arrays if seen is None or not is_camera(x.shape[1:], x.dtype)]
            widths = [math.prod((np.shape(array) or ())[1:]) for array in flat]
        read[role] = arrays[0] if seen is None else seen
        if seen is not None:
            continue
        if len(arrays) > 1:
            read[role] = _joined(source, names, arrays)
    rows = len(np.atleast_1d(read["actions"]))
    if "mask" in read:
        # Where there is a mask, terminals mark where a trajectory ends, as in OGBench.
        ends = read.pop("terminated", None)
        read["terminated"] = _mask(source, chosen["mask"][0], read.pop("mask")) == 0
        if ends is not None and "truncated" not in read:
            dead = np.asarray(read["terminated"])
            cut = np.asarray(ends)
            read["truncated"] = np.where(dead, 0, cut) if dead.shape == cut.shape else cut
    read.setdefault("terminated", np.zeros(rows, bool))
    read.setdefault("rewards", None)
    made_of = {role: names for role, names in chosen.items() if names}
    if isinstance(read.get("obs"), dict):
        made_of["obs"] = [name.split(" ", 1)[1] for name in read["obs"] if " " in name]
    told = {"columns": made_of, "widths": widths}
    return Columns(source=str(source), info={**info, **told}, **read)


def _mask(source: str | Path, name: str, values: Any) -> np.ndarray:
    """The same, if it can be a mask: 0 at real ends, else up to 1 (a discount may stand there)."""
    mask = np.asarray(values)
    if mask.dtype.kind not in "biuf" or not np.all((mask >= 0) & (mask <= 1)):
        raise DataError(
            f"{source}: '{name}' is no mask, which is 0 at real ends and else 1: name the column "
            "that marks the ends with --columns done=NAME (in Python mapping=)."
        )
    return mask


def roles_of(mapping: Mapped) -> dict[str, tuple[str, str | Sequence[str]]]:
    """Role -> (name that was said, value). Raises DataError for an unknown role."""
    roles: dict[str, tuple[str, str | Sequence[str]]] = {}
    for said, value in mapping.items():
        if said not in _ALIASES:
            raise DataError(f"A column cannot be '{said}'. {did_you_mean(said, _ALIASES)}")
        roles[_ALIASES[said]] = said, value
    return roles


def _names(
    source: str | Path, names: Collection[str], said: str, value: str | Sequence[str]
) -> list[str]:
    if isinstance(value, str):
        value = [value] if value in names else [part.strip() for part in value.split("+")]
    found: list[str] = []
    for pattern in value:
        if pattern in names:
            found.append(pattern)
            continue
        # Brackets are part of a name, as in q[0]: only * and ? stand for something else.
        plain = pattern.replace("[", "[[]")
        matches = [name for name in names if fnmatch.fnmatchcase(name, plain)]
        if not matches:
            hint = did_you_mean(pattern, names)
            if hint.startswith("Known:"):
                hint = f"It has {_shown(names)}."
            raise DataError(f"{source} has nothing called '{pattern}' for {said}. {hint}")
        found += sorted(matches, key=natural)
    return found


def _parted(pattern: str, names: Collection[str], table: bool) -> list[str]:
    """The columns that a vector stands in, in natural order."""
    start = len(pattern) - 1
    found = [name for name in fnmatch.filter(names, pattern) if name[start : start + 5] != "next_"]
    numbered = [name for name in found if name[start:].isdecimal()]
    return sorted(found if table else numbered, key=natural)


def _following(names: Collection[str], obs: Sequence[str]) -> list[str]:
    """The columns of next observations that belong to these of observations, or none.

    Where the file has one array of next observations, and no array with a usual name that it could
    belong to but a single chosen one (`obs=state`), it belongs to that.
    """
    found = [_counterpart(name, names) for name in obs]
    if found and all(found):
        return [name for name in found if name]
    alone = next((name for name in ROLES["next_obs"] if name in names), None)
    others = any(name in names or _inside(name, names) for name in ROLES["obs"])
    numbered = any(_parted(pattern, names, True) for pattern in _PARTED["obs"])
    return [alone] if alone and len(obs) == 1 and not others and not numbered else []


def _counterpart(name: str, names: Collection[str]) -> str | None:
    """`next_obs/b` for `obs/b`, `next_obs_3` for `obs_3`, `next_obs` for `obs`, if it is there."""
    for usual in ROLES["obs"]:
        if name == usual or name.startswith(f"{usual}/"):
            maybe = [f"{following}{name[len(usual) :]}" for following in ROLES["next_obs"]]
        elif name.startswith(f"{usual}_"):
            maybe = [f"{following}{name[len(usual) + 1 :]}" for following in _FOLLOWING]
        else:
            continue
        return next((there for there in maybe if there in names), None)
    return None


def _inside(group: str, names: Collection[str]) -> list[str]:
    """What lies in a group of an HDF5 file: the keys of a dict, in sorted order."""
    held = (name for name in names if name.startswith(f"{group}/"))
    return sorted(held, key=lambda name: name.split("/"))  # `arm/x` before `arm-left`, as in a dict


def _shown(names: Collection[str]) -> str:
    """The first few of a file's names."""
    known = sorted(names)
    more = f", ... ({len(known)} in all)" if len(known) > 12 else ""
    return ", ".join(known[:12]) + more if known else "nothing at all"


def natural(name: str) -> list[Any]:
    """A key to sort by: digits, which stand at the odd places of the split, are numbers."""
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"(\d+)", name))]


def _joined(source: str | Path, names: list[str], arrays: list[Any]) -> np.ndarray:
    lengths = {len(np.atleast_1d(array)) for array in arrays}
    if len(lengths) > 1:
        counts = ", ".join(
            f"{n} {len(np.atleast_1d(a))}" for n, a in zip(names, arrays, strict=True)
        )
        raise DataError(
            f"{source}: columns of different length cannot be joined ({counts}): write one row a "
            "step in every column."
        )
    try:
        return np.concatenate([flatten_rows(array, None) for array in arrays], axis=1)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{source}: {', '.join(names[:4])} hold no numbers ({error}): name other columns."
        ) from error
