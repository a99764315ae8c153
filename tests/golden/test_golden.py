"""Short seeded runs repeat the numbers that were written down."""

from __future__ import annotations

import json

import numpy as np
import pytest
from make import FILE, Trace, cases, golden

TRACES: dict[str, Trace] = json.loads(FILE.read_text())


def compare(ours: Trace, theirs: Trace) -> None:
    """Raise AssertionError where a number is another one, over the updates that we have."""
    for number, (line, written) in enumerate(zip(ours, theirs, strict=False)):
        assert line.keys() == written.keys()
        for name, value in written.items():
            np.testing.assert_allclose(
                line[name], value, rtol=1e-7, atol=1e-10, err_msg=f"update {number}: {name}"
            )


@pytest.mark.parametrize(("method", "phase"), cases())
def test_the_losses_of_ten_updates(method: str, phase: str) -> None:
    ours, theirs = golden(method, phase), TRACES[f"{method} {phase}"]
    assert len(ours) == len(theirs)
    compare(ours, theirs)


def test_no_trace_is_left_over() -> None:
    assert set(TRACES) == {f"{method} {phase}" for method, phase in cases()}
