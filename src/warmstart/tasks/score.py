"""Normalised scores, so that returns of different robots can stand in one table.

The constants are D4RL's (Fu et al. 2020, `d4rl/infos.py`). The v4 and v5 robots of Gymnasium are
not D4RL's v2 robots: a score on them is a scale, comparable among our runs alone.
"""

from __future__ import annotations

from typing import Any

from warmstart.errors import TaskError, did_you_mean

D4RL_REFERENCES: dict[str, tuple[float, float]] = {
    "halfcheetah": (-280.178953, 12135.0),
    "hopper": (-20.272305, 3234.3),
    "walker2d": (1.629008, 4592.3),
    "ant": (-325.6, 3879.7),
    "antmaze": (0.0, 1.0),
    "kitchen": (0.0, 4.0),
    "pen": (96.262799, 3076.8331017826877),
    "hammer": (-274.856578, 12794.134825156867),
    "door": (-56.512833, 2880.5693087298737),
    "relocate": (-6.425911, 4233.877797728884),
    "maze2d-umaze": (23.85, 161.86),
    "maze2d-medium": (13.13, 277.39),
    "maze2d-large": (6.7, 273.99),
    "maze2d-open": (0.01, 20.66),
    "maze2d-umaze-dense": (68.537689, 193.66285642381482),
    "maze2d-medium-dense": (44.264742, 297.4552547777125),
    "maze2d-large-dense": (30.569041, 303.4857382709002),
    "maze2d-open-dense": (11.17817, 27.166538620695782),
}
"""Raw undiscounted return of the random and of the expert policy, by robot or maze."""


def d4rl_reference(name: str) -> tuple[float, float]:
    """The pair (random, expert) of a robot or maze; TaskError for a name D4RL does not have."""
    if name not in D4RL_REFERENCES:
        raise TaskError(
            f"D4RL has no reference returns for '{name}'. {did_you_mean(name, D4RL_REFERENCES)}"
        )
    return D4RL_REFERENCES[name]


def normalised_score(returns: Any, reference: tuple[float, float]) -> Any:
    """`100 * (R - low) / (high - low)` for raw returns of any shape; TaskError if low = high."""
    low, high = reference
    if high == low:
        raise TaskError(
            f"Both reference returns are {low}, which leaves no scale: give two different numbers."
        )
    return 100.0 * (returns - low) / (high - low)
