"""The table of the first run counts a seed once, whatever was run again."""

from __future__ import annotations

import dataclasses
from typing import Any

from made_results import NUMERICS, result

from benchmarks import first_run


def test_a_seed_of_another_protocol_is_not_counted_again(monkeypatch: Any) -> None:
    monkeypatch.setattr(first_run, "numerics", lambda: NUMERICS)
    now = [
        result(arm, seed, before=50.0, isa=isa, scores=(50, 0, 50, 90, 100, 100))
        for arm in ("wsrl", "no-warmup")
        for seed in range(3)
        for isa in ("AVX", "AVX512")
    ]
    then = [result("wsrl", seed, before=90.0, isa="AVX", protocol="old") for seed in (0, 1)]
    lines = first_run.table([*now, *then])[2:]
    assert [line.split(" | ")[:4] for line in lines] == [
        ["| AVX", "WSRL", "3", "50 to 50, 3 of 3"],
        ["| AVX", "without warm-up", "3", "50 to 50, 3 of 3"],
        ["| AVX512", "WSRL", "3", "50 to 50, 3 of 3"],
        ["| AVX512", "without warm-up", "3", "50 to 50, 3 of 3"],
    ]
    assert all("100 to 100, 100.0" in line and line.endswith("| 0.0 |") for line in lines)


def test_results_of_before_are_shown_until_there_are_new_ones(monkeypatch: Any) -> None:
    monkeypatch.setattr(first_run, "numerics", lambda: "9-newer")
    then = [result("wsrl", seed, before=50.0, scores=(50, 0, 50, 90, 100, 100)) for seed in (0, 1)]
    assert first_run._version(then) == NUMERICS and len(first_run.table(then)) == 3
    now = [dataclasses.replace(one, numerics="9-newer") for one in then]
    assert first_run._version([*then, now[0]]) == "9-newer"
    assert len(first_run.table([*then, *now])) == 3
