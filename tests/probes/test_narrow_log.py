"""Conservative pre-training on a log of one way of doing things starts good."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import warmstart as ws


@pytest.mark.parametrize(("method", "reached"), [("wsrl", 25.0)])
def test_quick_learns_a_narrow_log(method: str, reached: float, tmp_path: Path) -> None:
    """Three seeds in the two rooms; by the published loss alone they stand at 0 here."""
    schedule = {"fixed_episodes": 20, "films": False, "compare": False}
    run = ws.pretrain(
        method,
        "two-rooms",
        seeds=(0, 1, 2),
        root=tmp_path,
        pretrain_steps=1_000,
        schedule=schedule,
    )
    assert np.mean([seed.score_before for seed in run.summary]) >= reached
