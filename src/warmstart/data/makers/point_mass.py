"""Logged data for the point mass, from its mediocre scripted policy."""

from __future__ import annotations

from functools import partial

from warmstart.data.makers.roll import Episodes, Progress, roll
from warmstart.tasks.point_mass import scripted
from warmstart.types import Dataset, HostEnv


def make_point_mass(
    env: HostEnv,
    seed: int,
    episodes: Episodes = 40,
    progress: Progress | None = None,
    *,
    gain: float = 0.3,
    noise: float = 0.5,
) -> Dataset:
    """`episodes` episodes of `warmstart.tasks.scripted` with this gain and noise."""
    return roll(env, partial(scripted, gain=gain, noise=noise), seed, episodes, progress)
