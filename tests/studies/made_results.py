"""Results out of nothing, for tests of what is made from results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from warmstart.studies.result import Result

STEPS = (0, 250, 1_000, 5_000, 20_000, 50_000)
NUMERICS = "1-test"


def result(
    arm: str = "wsrl",
    seed: int = 0,
    scores: Sequence[float] = (60, 60, 60, 60, 60, 60),
    pretraining: str | None = "wsrl-pre",
    **fields: Any,
) -> Result:
    """A result with these scores at 0, 250, 1k, 5k, 20k and 50k steps."""
    given: dict[str, Any] = {
        "study": "wsrl",
        "task": "here",
        "declared": "d",
        "protocol": "p",
        "numerics": NUMERICS,
        "isa": "AVX2",
        "success": False,
        "before": None if pretraining is None else 60.0,
        "pretrained": None if pretraining is None else f"hash-{pretraining}-{seed}",
        "frozen": () if pretraining is None else tuple((s, 60.0) for s in STEPS),
        "steps": 50_000,
        "created": f"2026-01-01T00:00:{seed:02d}",
        "commit": "abc",
        **fields,
    }
    curve = tuple(zip(STEPS, map(float, scores), strict=True))
    return Result(arm=arm, seed=seed, curve=curve, pretraining=pretraining, **given)
