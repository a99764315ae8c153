"""`python -m benchmarks.parts`: every network of an update stands in one part."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import parts
from benchmarks.bench import LEARNERS
from warmstart.learners import Chunked
from warmstart.methods import METHODS

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
