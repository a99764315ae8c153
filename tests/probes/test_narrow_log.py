"""Conservative pre-training on a log of one way of doing things starts good."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import warmstart as ws


def test_quick_learns_a_narrow_log(tmp_path: Path) -> None:
    """Three seeds in the two rooms; by the published loss alone they stand at 0 here."""
    run = ws.pretrain(
        "wsrl",
        "two-rooms",
        seeds=(0, 1, 2),
        root=tmp_path,
        pretrain_steps=1_000,
        schedule={"fixed_episodes": 20, "films": False, "compare": False},
    )
    assert np.mean([seed.score_before or 0.0 for seed in run.summary]) >= 25.0
