"""The table of the run with a camera: from the metric lines alone."""

from __future__ import annotations

from typing import Any

from benchmarks.pixel_reach import table


def line(seed: int, tag: str, steps: int, score: float) -> dict[str, Any]:
    return {
        "kind": "eval",
        "seed": seed,
        "tag": tag,
        "env_steps": steps,
        "values": {"score": score},
    }


def test_the_gain_is_that_on_the_frozen_policy_of_the_same_moment() -> None:
    records = [{"kind": "update", "seed": 0, "env_steps": 9, "values": {"loss": 1.0}}]
    for seed, end in ((1, 70.0), (0, 60.0)):
        records += [
            line(seed, "pretrained", 0, 40.0 + seed),
            line(seed, "switch", 0, 42.0),
            line(seed, "frozen", 0, 10.0),
            line(seed, "curve", 5, 1.0),
            line(seed, "frozen", 8, 45.0),
            line(seed, "final", 8, end),
        ]
    found = table(records, (0, 1), 8)
    assert found[0] == "| | seed 0 | seed 1 | IQM [95 %] |"
    assert found[2] == "| pre-trained | 40.0 | 41.0 | 40.5 [40.0, 41.0] |"
    assert found[-1] == "| gain on it | 15.0 | 25.0 | 20.0 [15.0, 25.0] |"
