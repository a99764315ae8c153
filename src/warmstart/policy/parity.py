"""Observations on which two forms of one policy are compared, and how far they differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from warmstart.envs.interface import ActionBox
from warmstart.policy.actor import NumpyPolicy

OBSERVATIONS = 1_000
PICTURED = 50
"""Of observations with images, which take thousands of numbers each, so many at a time."""
TOLERANCE = 1e-4
"""Of an action on the scale of [-1, 1]; float32 sums in another order differ by some 1e-6."""


def trials(actor: NumpyPolicy) -> Iterator[np.ndarray]:
    """As many `trial_observations` as two forms are compared on, in blocks [N, O]."""
    images = any(part.image for part in actor.observations.parts)
    size = PICTURED if images else OBSERVATIONS
    for block in range(OBSERVATIONS // size):
        yield trial_observations(actor, size, block)


def trial_observations(actor: NumpyPolicy, count: int = OBSERVATIONS, block: int = 0) -> np.ndarray:
    """[count, O] observations around those that the policy learnt from, the same at every call.

    Normal, one and a half times as wide as the data where the policy knows their mean and variance
    (else as wide as 1), inside the bounds that the environment declares; in its own units. Images
    are bright and dark noise. Another `block` has others.
    """
    size, stats = actor.observations.size, actor.learnt.stats
    mean, std = (np.full(size, value) for value in (0.0, 1.0))
    if "mean" in stats and np.shape(stats["mean"]) == (size,):
        mean, std = stats["mean"].astype(np.float64), np.sqrt(stats["var"].astype(np.float64))
    if any(part.image for part in actor.observations.parts) and "mean" in stats:
        n = len(stats["mean"])
        mean[:n], std[:n] = stats["mean"], np.sqrt(stats["var"].astype(np.float64))
    drawn = mean + 1.5 * std * np.random.default_rng(block).standard_normal((count, size))
    if actor.observations.offset is not None:
        return drawn + actor.observations.offset
    at = 0
    for part in actor.observations.parts:
        if part.image:
            drawn[:, at : at + part.size] = random_images(count, part.size, block)
        at += part.size
    low, high = _bounds(actor, size)
    return np.clip(drawn, low, high).astype(np.float32)


def random_images(count: int, size: int, block: int) -> np.ndarray:
    """[count, size] bytes, as float64; each image is as bright as chance wills."""
    rng = np.random.default_rng((1, block))
    return np.rint(rng.integers(0, 256, (count, size)) * rng.uniform(size=(count, 1)))


def _bounds(actor: NumpyPolicy, size: int) -> tuple[np.ndarray, np.ndarray]:
    """What the card declares, infinite where it says nothing."""
    low, high = np.full(size, -np.inf), np.full(size, np.inf)
    at = 0
    for part, told in zip(
        actor.observations.parts, actor.card["observation"]["parts"], strict=True
    ):
        for side, name in ((low, "low"), (high, "high")):
            for i, value in enumerate(told.get(name) or ()):
                if value is not None and i < part.size:
                    side[at + i] = value
        at += part.size
    return low, high


def difference(a: np.ndarray, b: np.ndarray, box: ActionBox) -> float:
    """The largest difference of actions [N, ...] of a box, on the scale of [-1, 1].

    Neighbours count as equal where actions are whole numbers or of half precision: a tie may be
    rounded either way.
    """
    gap, dtype = np.abs(np.asarray(a, np.float64) - np.asarray(b, np.float64)), a.dtype
    if np.issubdtype(dtype, np.integer):
        gap = np.maximum(gap - 1.0, 0.0)
    elif dtype == np.float16:
        gap = np.maximum(gap - np.spacing(np.maximum(np.abs(a), np.abs(b))), 0.0)
    width = (box.high.astype(np.float64) - box.low).reshape(gap.shape[1:])
    return float((2.0 * gap / width).max(initial=0.0))
