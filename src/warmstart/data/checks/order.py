"""Vectors of the data beside those of the environment: the same numbers, in another order?"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from warmstart.data.checks.case import Case
from warmstart.data.checks.finding import Finding, found

RESETS, SHORT_RESETS = 10, 5
MOST_BLOCKS = 7
"""Orders of more blocks than this are not tried."""

Block = tuple[str, int]
"""A vector's name and how many numbers it has."""


def other_order(case: Case) -> list[Finding]:
    """other-observation-order: by names where both sides have them, else by first observations.

    The first rows of episodes are compared with a few resets, number by number: where two of them
    or more lie apart, and none does in another order of the data's vectors, that is the order.
    """
    theirs = parts_of(case.env)
    ours = blocks_of(case.info)
    named = by_names(ours, theirs)
    if named is not None and named == sorted(named):
        return []  # the names say that all is well
    apart = _apart(case)
    spans = _spans(ours) if ours else [(i, i + 1) for i in range(case.data.obs.shape[1])]
    here = 0 if apart is None else _disagree(apart, spans, range(len(spans)))
    if named is not None:
        if apart is not None and here == 0 and _disagree(apart, spans, named) > 1:
            return []
        what = f"observations are {_words(ours)}, the environment's {_words(theirs)}"
        return [_finding(case, what, ours, named)]
    if apart is None or here < 2 or len(spans) < 2:
        return []
    best = _best(apart, spans)
    if best is None:
        return []
    axes = [axis for i, axis in enumerate(_axes(spans, best)) if axis != i][:8]
    what = (
        f"{here} numbers of the observation are elsewhere at the start of an episode than the "
        "environment's after a reset, and all of them are there in another order"
    )
    return [_finding(case, what, ours, best, axes=axes)]


def parts_of(env: Any) -> list[Block]:
    """The arrays that an environment's observations are joined from, where it says."""
    observation = (getattr(env, "interface", None) or {}).get("observation", {"parts": ()})
    return [("/".join(part["path"]), math.prod(part["shape"])) for part in observation["parts"]]


def blocks_of(info: Mapping[str, Any]) -> list[Block]:
    """The vectors that observations were joined from: columns that only differ by a number
    (`q[0]`, `q[1]`) are one."""
    names, widths = info.get("columns", {}).get("obs", ()), info.get("widths", ())
    blocks: list[Block] = []
    last = None
    if len(names) != len(widths):
        return []
    for name, width in zip(names, widths, strict=True):
        stem = re.sub(r"[\[_.]?\d+\]?$", "", name)
        if width == 1 and stem and stem != name and stem == last:
            blocks[-1] = stem, blocks[-1][1] + 1
            continue
        last = stem if width == 1 and stem != name else None
        blocks.append((stem if last else name, width))
    return blocks


def by_names(ours: Sequence[Block], theirs: Sequence[Block]) -> list[int] | None:
    """For each vector of the environment, which of the data's it is: of the same name, or, among
    what is left, the only one of its size; by sizes alone where no name is alike and the sizes
    stand in another order. None where that is not sure."""
    if len(ours) != len(theirs) or len(ours) < 2:
        return None
    left = dict(enumerate(ours))
    which: dict[int, int] = {}
    for j, (name, width) in enumerate(theirs):
        same = [i for i, block in left.items() if _plain(block[0]) == _plain(name)]
        if len(same) == 1 and left[same[0]][1] == width:
            which[j] = same[0]
            del left[same[0]]
    alike = {_plain(name) for name, _ in ours} & {_plain(name) for name, _ in theirs}
    other = [width for _, width in ours] != [width for _, width in theirs]
    if not which and (alike or not other):
        return None
    for j, (_, width) in enumerate(theirs):
        if j in which:
            continue
        same = [i for i, block in left.items() if block[1] == width]
        if len(same) != 1:
            return None
        which[j] = same[0]
        del left[same[0]]
    return [which[j] for j in range(len(theirs))]


def _plain(name: str) -> str:
    """`agent_pos` of `obs/agent_pos`, `observation.agent_pos` or `obs_agent_pos`."""
    inner = re.split(r"[/.]", name)[-1].lower()
    return re.sub(r"^(obs|observation)_", "", inner)


def _apart(case: Case) -> np.ndarray | None:
    """[O, O] bool: whether number i of the first rows and number j of resets lie apart.

    None where there is nothing to compare: a robot, our own data, or too few known starts.
    """
    env = case.playable
    if env is None or "task" in case.info.get("manifest", {}).get("recipe", {}):
        return None
    known = case.starts
    if case.info.get("cuts_guessed"):
        known = np.concatenate([[0], known[1:][case.dead[:-1]]])
    if len(known) < 3:
        return None
    resets = range(SHORT_RESETS if case.short else RESETS)
    n = case.data.obs.shape[1]
    after = np.array([env.reset(seed)[:n] for seed in resets], np.float64)
    sides = [rows.astype(np.float64) for rows in (case.data.obs[known], after)]
    if not all(np.all(np.isfinite(side)) for side in sides):
        return None
    (low, high), (least, most) = ((side.min(axis=0), side.max(axis=0)) for side in sides)
    room = 0.5 * ((high - low)[:, None] + (most - least)[None, :])
    room += 0.01 * np.maximum(np.abs(low)[:, None], np.abs(least)[None, :]) + 1e-3
    gap = np.maximum(low[:, None] - most[None, :], least[None, :] - high[:, None])
    return gap > room


def _spans(blocks: Sequence[Block]) -> list[tuple[int, int]]:
    stops = np.cumsum([width for _, width in blocks])
    return [(int(b) - width, int(b)) for b, (_, width) in zip(stops, blocks, strict=True)]


def _axes(spans: Sequence[tuple[int, int]], order: Sequence[int]) -> list[int]:
    return [axis for i in order for axis in range(*spans[i])]


def _disagree(apart: np.ndarray, spans: Any, order: Sequence[int]) -> int:
    """How many numbers lie apart, the data's vectors in this order."""
    return int(np.sum(apart[_axes(spans, order), np.arange(len(apart))]))


def _best(apart: np.ndarray, spans: Sequence[tuple[int, int]]) -> list[int] | None:
    """An order in which nothing lies apart, as near to the present one as can be, or None."""
    if len(spans) <= MOST_BLOCKS:
        fits = [
            order
            for order in itertools.permutations(range(len(spans)))
            if _disagree(apart, spans, order) == 0
        ]
        return list(min(fits, key=lambda o: sum(a != b for a, b in enumerate(o)))) if fits else None
    if any(b - a != 1 for a, b in spans):
        return None
    from scipy.optimize import linear_sum_assignment

    moved = ~np.eye(len(apart), dtype=bool)
    rows, axes = linear_sum_assignment(apart * 1000.0 + moved)
    order = rows[np.argsort(axes)]
    return None if _disagree(apart, spans, order) else [int(i) for i in order]


def _words(blocks: Sequence[Block]) -> str:
    return " then ".join(f"{name} ({width})" for name, width in blocks)


def _finding(
    case: Case, what: str, blocks: Sequence[Block], order: Sequence[int], **numbers: Any
) -> Finding:
    """With the option that fixes it, where the vectors have names."""
    fix = None
    if text := _columns(case.info, blocks, order):
        fix = f"Read them in the environment's order, with --columns '{text}' (in Python mapping=)."
        if "manifest" in case.info:
            fix = f"Convert the file again, with --columns '{text}' (in Python mapping=)."
    name = "other-observation-order"
    return found(name, "warning", what, "every row", fix, order=list(order), **numbers)


def _columns(info: Mapping[str, Any], blocks: Sequence[Block], order: Sequence[int]) -> str | None:
    """What `--columns` should be: what the user said, with observations in this order."""
    said, made_of = dict(info.get("mapping", {})), info.get("columns", {})
    if not blocks or any(set(name) & set("+,") for names in made_of.values() for name in names):
        return None
    widths, columns, at = list(info["widths"]), list(made_of["obs"]), 0
    held: list[list[int]] = []
    for _, width in blocks:
        first, seen = at, 0
        while seen < width:
            seen, at = seen + widths[at], at + 1
        held.append(list(range(first, at)))
    sequence = [k for i in order for k in held[i]]
    text = {k: v if isinstance(v, str) else "+".join(v) for k, v in said.items()}
    own = {"obs", "observations", "observation"}
    following = {"next_obs", "next", "next_observations", "next_observation"}
    text = {k: v for k, v in text.items() if k not in own | following}
    chosen = {"obs": "+".join(columns[k] for k in sequence)}
    if following & said.keys() and len(made_of.get("next_obs", ())) == len(columns):
        chosen["next_obs"] = "+".join(made_of["next_obs"][k] for k in sequence)
    return ",".join(f"{k}={v}" for k, v in (chosen | text).items())
