"""`python -m benchmarks.parts`: every network of an update stands in one part."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import parts
from benchmarks.bench import LEARNERS, flops
from warmstart.learners import Chunked
from warmstart.methods import METHODS
from warmstart.nets.flows import FlowPolicy

OF_2026 = ("dsrl", "fql", "ifql", "qc", "qc_fql", "rebrac", "residual", "rlpd_chunks")


@pytest.mark.parametrize("method", OF_2026)
def test_an_update_is_its_parts(method: str) -> None:
    whole: Any = LEARNERS[method]
    assert whole == METHODS[method].recipe("paper").finetune.learner
    made = parts.parts_of(whole)
    inner: list[Any] = [p.learner if isinstance(p, Chunked) else p for p, _ in made]
    extras = (whole.learner if isinstance(whole, Chunked) else whole).extras
    assert all(n == 1 for _, n in made)
    trained = [name for part in inner for name in part.trains]
    assert sorted(set(trained)) == sorted(trained) and {"actor", "critic"} <= set(trained)
    assert [part.extras for part in inner if part.extras] == ([extras] if extras else [])
    assert ("value" in trained) == (method == "ifql")
    assert (method == "dsrl") == bool(extras)


def test_every_step_of_a_flow_is_counted() -> None:
    """Ten steps of Euler are ten passes of the field, and the networks are as they were."""
    small = {"hidden": (16, 16), "noise_hidden": (8,), "batch": 8}
    before = FlowPolicy.made
    one, two, ten = (
        flops(METHODS["dsrl"].recipe(flow_steps=n, **small).finetune.learner) for n in (1, 2, 10)
    )
    assert ten - one == pytest.approx(9 * (two - one), rel=0.02) and two > one
    assert FlowPolicy.made is before
