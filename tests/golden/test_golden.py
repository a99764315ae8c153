"""Short seeded runs repeat the numbers that were written down."""

from __future__ import annotations

import json

import numpy as np
import pytest
from make import FILE, cases, trace

TRACES = json.loads(FILE.read_text())


@pytest.mark.parametrize(("method", "phase"), cases())
def test_the_losses_of_ten_updates(method: str, phase: str) -> None:
    want = TRACES[f"{method} {phase}"]
    for number, (ours, theirs) in enumerate(zip(trace(method, phase), want, strict=True)):
        assert ours.keys() == theirs.keys()
        for name, value in theirs.items():
            np.testing.assert_allclose(
                ours[name], value, rtol=1e-4, atol=1e-6, err_msg=f"update {number}: {name}"
            )


def test_no_trace_is_left_over() -> None:
    assert set(TRACES) == {f"{method} {phase}" for method, phase in cases()}
