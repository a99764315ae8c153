"""What missing runs of a claim would cost, by the runs that are there."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import pytest
from made_results import NUMERICS, result

from warmstart.studies.bundles import STUDIES
from warmstart.studies.claim import Claim
from warmstart.studies.claims import CLAIMS
from warmstart.studies.evidence import gather
from warmstart.studies.judge import judge
from warmstart.studies.price import Pace, core_hours
from warmstart.studies.result import Result
from warmstart.studies.verdicts import verdicts_of

DOOR, ROOMS = "metaworld-door-open-noisy", "two-rooms"


def ran(arm: str, seed: int, task: str = ROOMS, seconds: float = 100.0, **fields) -> Result:
    return result(arm, seed, task=task, seconds=seconds, method="wsrl", **fields)


def pre(seed: int, task: str = ROOMS, seconds: float = 36.0) -> Result:
    made = result("wsrl-pre", seed, pretraining=None, task=task, seconds=seconds, method="wsrl")
    return dataclasses.replace(made, steps=0, curve=())


def test_paces_are_of_the_method_on_the_task_or_the_nearest_to_it() -> None:
    runs = [ran("wsrl", s, seconds=50.0 * (s + 1)) for s in range(3)]  # 1, 2, 3 ms a step
    runs += [ran("wsrl", 0, DOOR, 500.0), pre(0)]
    runs += [dataclasses.replace(ran("x", 0, DOOR, 1_000.0), method="rlpd")]
    pace = Pace(runs)
    assert pace.of("wsrl", ROOMS, 50_000) == 100.0
    assert pace.of("wsrl", DOOR, 10_000) == 100.0  # of the method on the task
    assert pace.of("iql", DOOR, 10_000) == 150.0  # of all on the task
    assert pace.of("rlpd", "elsewhere", 10_000) == 200.0  # of the method
    assert pace.of("iql", "elsewhere", 50_000) == 150.0  # of all: 1, 2, 3, 10, 20 ms
    assert pace.of("iql", "elsewhere", 0) == 36.0  # a pre-training
    assert math.isnan(Pace([]).of("iql", ROOMS, 0))


def cost(claim: Claim, runs: Sequence[Result], **seeds: int) -> float:
    mine = [r for r in runs if r.study == claim.study]
    return core_hours(claim, gather(mine, NUMERICS), Pace(runs), **seeds)


def test_a_claim_costs_what_it_lacks_with_the_pre_trainings_of_that() -> None:
    claim = dataclasses.replace(CLAIMS["B3"], tasks=(ROOMS,))
    assert claim.arms == ("no-warmup", "wsrl")
    runs = [pre(0), *(ran("wsrl", s) for s in range(5)), *(ran("no-warmup", s) for s in range(3))]
    # two seeds of one arm, and two pre-trainings
    assert cost(claim, runs) == pytest.approx(2 * (100 + 36) / 3600)
    assert cost(claim, runs, seeds=6) == pytest.approx((2 * (100 + 36) + 200 + 36) / 3600)
    runs += [ran("no-warmup", s) for s in (3, 4)]
    assert math.isnan(cost(claim, runs))  # nothing is missing
    assert math.isnan(cost(CLAIMS["D24"], runs))
    steps = STUDIES["wsrl"].steps
    assert steps is not None
    elsewhere = dataclasses.replace(claim, tasks=("new",))  # as many steps as the study says
    expected = 5 * (2 * 100 * steps / 50_000 + 36) / 3600
    assert cost(elsewhere, runs) == pytest.approx(expected)


@pytest.mark.parametrize(
    "odd",
    [
        {"numerics": "0-older"},
        {"isa": "AVX512"},
        {"protocol": "shorter"},
        {"pretrained": "other bits"},
        {"seed": 7},
    ],
)
def test_what_no_verdict_would_pair_is_missing(odd: dict[str, Any]) -> None:
    claim = dataclasses.replace(CLAIMS["B3"], tasks=(ROOMS,))
    runs = [pre(0), *(ran("wsrl", s) for s in range(5)), *(ran("no-warmup", s) for s in range(4))]
    last = dataclasses.replace(ran("no-warmup", 4), **odd)
    assert cost(claim, [*runs, last]) >= 0.99 * (100 + 36) / 3600


def test_a_claim_about_two_tasks_wants_the_same_seeds_on_both() -> None:
    claim = dataclasses.replace(CLAIMS["B3"], tasks=(), across=(ROOMS, DOOR))
    arms = ("wsrl", "no-warmup")
    runs = [pre(0), *(ran(arm, s) for s in range(5) for arm in arms)]
    runs += [ran(arm, s, DOOR) for s in range(2, 7) for arm in arms]
    # seeds 2, 3, 4 are there; 0 and 1, or 5 and 6, lack one task
    assert cost(claim, runs) == pytest.approx(2 * (200 + 36) / 3600)


def test_a_result_without_what_is_measured_is_none() -> None:
    claim = CLAIMS["B5"]  # reads Q less the returns of both arms
    blind = [pre(0), *(ran(arm, s) for s in range(5) for arm in ("wsrl", "no-warmup"))]
    assert cost(dataclasses.replace(claim, tasks=(ROOMS,)), blind) > 0.0
    found = judge(claim, gather(blind, NUMERICS))
    assert found.outcome == "not run" and "--diagnose-every" in found.reason
    dumb = [dataclasses.replace(r, diagnose={"other": ((0, 1.0),)}) for r in blind]
    found = judge(claim, gather(dumb, NUMERICS))
    assert found.outcome == "not run" and "cannot say: size of the early bias" in found.reason
    assert math.isnan(cost(dataclasses.replace(claim, tasks=(ROOMS,)), dumb))  # would not help


def test_claims_that_were_not_run_bear_their_hours() -> None:
    runs = [pre(0), *(ran(arm, s) for s in range(5) for arm in ("wsrl", "no-warmup"))]
    found = {v.claim.id: v for v in verdicts_of(runs, NUMERICS)[0]}
    assert found["B3"].core_hours is None  # was judged
    assert found["D24"].core_hours is None  # no run decides it
    hours = found["A4"].core_hours
    assert hours is not None and hours > 0 and found["A4"].to_json()["core_hours"] == hours
    assert all(v.core_hours is None for v in verdicts_of([], NUMERICS)[0])


def test_every_study_with_a_claim_says_its_steps() -> None:
    named = {claim.study for claim in CLAIMS.values() if claim.study is not None}
    assert all(STUDIES[name].steps for name in named)
