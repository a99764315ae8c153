"""How familiar a state and action are to who learnt from the logged rows.

A pair is unfamiliar where it lies farther from its nearest logged row than all but a twentieth of
the held-out rows do from theirs. Distances are Euclidean over observation and action, each number
in standard deviations of the logged rows; actions weigh as observations do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

LOGGED = 20_000
"""Logged rows that are looked among: a random part of more."""
FAR = 0.95


class Familiarity:
    """Args: logged and held-out rows [N, W], [M, W] whose first `inputs` numbers are the
    observation and the action."""

    def __init__(self, logged: np.ndarray, held_out: np.ndarray, inputs: int) -> None:
        pick = np.random.default_rng(0).permutation(len(logged))[:LOGGED]
        pairs = np.asarray(logged[np.sort(pick), :inputs], float)
        spread = pairs.std(axis=0)
        self.inputs: int = inputs
        self.scale: np.ndarray = np.where(spread > 1e-6, spread, 1.0)
        self.tree: Any = scipy.spatial.KDTree(pairs / self.scale)
        self.far: float = float(np.quantile(self.distance(held_out), FAR))

    def distance(self, rows: np.ndarray) -> np.ndarray:
        """[n]: standard deviations to the nearest logged row."""
        found, _ = self.tree.query(np.asarray(rows[:, : self.inputs], float) / self.scale)
        return np.asarray(found)

    def unfamiliar(self, rows: np.ndarray) -> np.ndarray:
        """[n] bool."""
        return self.distance(rows) > self.far
