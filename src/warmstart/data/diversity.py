"""One number for how differently a dataset acts where it stands at like places."""

from __future__ import annotations

import numpy as np

from warmstart.types import Dataset

SAMPLE = 2_000


def diversity(dataset: Dataset, seed: int = 0) -> float | None:
    """How far actions differ between near states of different episodes.

    For a sample of rows: half the mean squared difference, per action dimension, between a row's
    action and that of the nearest row of another episode (observations in units of their standard
    deviations), divided by 1/3, the variance of a uniform action. 0: one deterministic policy;
    1: uniformly random actions.

    Args:
        dataset: with actions in [-1, 1].
        seed: of the sample of at most `SAMPLE` rows.

    Returns:
        The number, or None where there is no second episode.
    """
    n = len(dataset)
    episode = np.cumsum(dataset.ends) - dataset.ends
    if n == 0 or episode[-1] == 0:
        return None
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(n, min(n, SAMPLE), replace=False))
    obs, actions, episode = dataset.obs[rows], dataset.actions[rows], episode[rows]
    spread = obs.std(axis=0)
    places = (obs / np.where(spread > 0, spread, 1.0)).astype(np.float64)
    squares = np.sum(places**2, axis=1)
    apart = squares[:, None] + squares[None] - 2.0 * places @ places.T
    apart[episode[:, None] == episode[None]] = np.inf
    nearest = np.argmin(apart, axis=1)
    seen = np.isfinite(apart[np.arange(len(rows)), nearest])
    difference = (actions - actions[nearest])[seen].astype(np.float64)
    return float(1.5 * np.mean(difference**2)) if seen.any() else None
