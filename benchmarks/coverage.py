"""How often intervals of few pairs cover, and what the stopping rule of studies concludes.

    python -m benchmarks.coverage

Normal differences, with the smallest effect of interest as the unit. NumPy alone: a minute.
"""

from __future__ import annotations

import numpy as np

from warmstart.reports.statistics import iqm
from warmstart.studies.effects import BLOCKS, interval, judged

DRAWS, RESAMPLES = 4_000, 2_000


def covered() -> None:
    """The share of intervals that hold the truth, 0."""
    rng = np.random.default_rng(0)
    for n in BLOCKS:
        values = rng.normal(size=(DRAWS, n))
        found = interval(values, resamples=RESAMPLES)
        picks = rng.integers(n, size=(RESAMPLES, n))
        drawn = np.stack([iqm(row[picks], axis=-1) for row in values])
        low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
        plain = np.mean((low <= 0) & (high >= 0))
        expanded = np.mean((found.low <= 0) & (found.high >= 0))
        print(f"{n:>2} pairs: percentile {plain:.1%}, expanded {expanded:.1%}")


def concluded() -> None:
    """Verdicts under the stopping rule."""
    rng = np.random.default_rng(1)
    for effect in (0.0, 1.0, 2.0):
        for spread in (0.5, 1.0, 2.0):
            values = effect + spread * rng.normal(size=(DRAWS, BLOCKS[-1]))
            said = np.full(DRAWS, "", dtype="<U8")
            seeds = np.zeros(DRAWS)
            for n in BLOCKS:
                found = interval(values[:, :n], resamples=RESAMPLES)
                over = (said == "") & ((found.half_width <= 1.0) | (n == BLOCKS[-1]))
                said[over], seeds[over] = judged(found, 1.0)[over], n
            shares = {word: np.mean(said == word) for word in ("holds", "does not", "unclear")}
            words = ", ".join(f"{word} {share:.1%}" for word, share in shares.items())
            print(f"effect {effect:g}, spread {spread:g}: {words}; {seeds.mean():.1f} seeds")


if __name__ == "__main__":
    covered()
    concluded()
