"""Numbers whose differences float32 does not keep."""

from __future__ import annotations

from typing import Any

import numpy as np

ROWS = 20_000
LEAST, AROUND = 1e-6, 10.0
"""Smaller differences, and numbers around less than this, are a simulator's own noise."""


def rounded_away(rows: np.ndarray) -> dict[str, Any]:
    """What is lost of `rows` [N, O], float64 or whole numbers, in float32.

    Nothing, or `{"rounded": {"axes", "offset", "different", "left"}}`: numbers whose grid in
    float32 is wider than a twentieth of their deviation or a fifth of a usual step; the offset [O]
    that keeps them; how many different values each axis has, and has left.
    """
    looked = rows[:ROWS].astype(np.float64)
    if len(looked) < 2 or not np.all(np.isfinite(looked)) or np.abs(looked).max() > 1e30:
        return {}
    grid = np.spacing(np.abs(looked).max(axis=0).astype(np.float32)).astype(np.float64)
    middle, spread = np.median(looked, axis=0), looked.std(axis=0)
    step = np.quantile(np.abs(np.diff(looked, axis=0)), 0.9, axis=0)
    lost = ((spread > LEAST) & (grid > 0.05 * spread)) | ((step > LEAST) & (grid > 0.2 * step))
    axes = np.flatnonzero(lost & (np.abs(middle) > AROUND))
    if not len(axes):
        return {}
    columns = [looked[:, axis] for axis in axes]
    offset = np.zeros(rows.shape[1])
    # As short as the deviation allows: what is left stays around 0.
    offset[axes] = [
        _short(float(m), float(s)) for m, s in zip(middle[axes], spread[axes], strict=True)
    ]
    told = {
        "axes": axes.tolist(),
        "offset": offset.tolist(),
        "different": [len(np.unique(column)) for column in columns],
        "left": [len(np.unique(column.astype(np.float32))) for column in columns],
    }
    return {"rounded": told}


def _short(middle: float, spread: float) -> float:
    digits = -int(np.floor(np.log10(max(spread, LEAST))))
    return round(middle, digits)
