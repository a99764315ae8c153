"""Verdicts from results: pairing, room, tasks, trees, and what is left out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from made_results import NUMERICS, STEPS, result

from warmstart.studies.claim import Claim, either, every, fewer, more, most
from warmstart.studies.claims import CLAIMS
from warmstart.studies.evidence import gather, separate_score, with_ranges
from warmstart.studies.judge import judge, more_seeds, together
from warmstart.studies.leaf import Trend, Unit

FLAT, FALLEN = (60,) * 6, (60, 20, 20, 30, 60, 60)


def claim(test, **fields) -> Claim:
    return Claim("X1", False, "x", "y", "z", "R2", test, "wsrl", **fields)


def pair(seed: int, gap: float = 20.0, **fields):
    low = tuple(v - gap for v in FLAT)
    return [result("a", seed, FLAT, **fields), result("b", seed, low, **fields)]


def five(**fields):
    return [r for seed in range(5) for r in pair(seed, 20.0 + seed, **fields)]


def said(test, results, **fields):
    return judge(claim(test, **fields), gather(results, NUMERICS))


def test_a_paired_difference_holds_and_its_reverse_does_not() -> None:
    found = said(more("final", "a", "b"), five())
    assert found.outcome == "holds" and found.seeds == 5
    part = found.tasks[0].parts[0]
    assert part.effect == 22.0 and part.least == 5.0 and part.low >= 20.0
    assert said(more("final", "b", "a"), five()).outcome == "does not"
    assert found.commits == ("abc",) and found.isas == ("AVX2",)


def test_the_smallest_effect_of_success_rates_is_ten_points() -> None:
    points = [r for seed in range(5) for r in pair(seed, 7.0)]
    assert said(more("final", "a", "b"), points).outcome == "holds"
    rates = [dataclasses.replace(r, success=True) for r in points]
    assert said(more("final", "a", "b"), rates).outcome == "does not"


def test_arms_of_other_machines_numerics_and_starts_are_not_paired() -> None:
    test = more("final", "a", "b")
    other = [dataclasses.replace(r, isa="AVX") if r.arm == "b" else r for r in five()]
    assert said(test, other).outcome == "not run"
    other = [dataclasses.replace(r, numerics="2-x") if r.arm == "b" else r for r in five()]
    evidence = gather(other, NUMERICS)
    assert judge(claim(test), evidence).outcome == "not run"
    assert "other numerics" in evidence.said[0] and "5 results" in evidence.said[0]
    other = [dataclasses.replace(r, pretrained="else") if r.arm == "b" else r for r in five()]
    assert said(test, other).outcome == "not run"
    other = [dataclasses.replace(r, protocol="q") if r.arm == "b" else r for r in five()]
    assert said(test, other).outcome == "not run"
    short = five(protocol="short", steps=9)[:4]
    assert said(test, [*short, *five()]).seeds == 5
    alone = [
        dataclasses.replace(r, pretrained=None, pretraining=None) if r.arm == "b" else r
        for r in five()
    ]
    assert said(test, alone).outcome == "holds"  # what began from nothing has no start to share


def test_nothing_counts_twice() -> None:
    again = [dataclasses.replace(r, created="2027", curve=r.curve[:1]) for r in five()]
    evidence = gather([*again, *five()], NUMERICS)
    found = judge(claim(more("final", "a", "b")), evidence)
    assert found.seeds == 5 and found.tasks[0].parts[0].effect == 22.0
    assert "10 results are there twice" in evidence.said[0]
    assert "1 result is there twice" in gather([again[0], *five()], NUMERICS).said[0]
    machines = [*five(), *five(isa="AVX512")]
    evidence = gather(machines, NUMERICS)
    assert judge(claim(more("final", "a", "b")), evidence).seeds == 5
    assert "5 seeds" in evidence.said[0]


def test_a_claim_counts_the_machine_that_has_its_arms() -> None:
    """Which need not be the one with most."""
    here = [dataclasses.replace(r, arm=r.arm + "2", isa="AVX512") for r in five()]
    here += [dataclasses.replace(r, arm="a", isa="AVX512") for r in five() if r.arm == "a"]
    evidence = gather([*here, *five()], NUMERICS)
    assert set(evidence.units["here"][0].results) == {"a", "a2", "b2"}
    found = judge(claim(more("final", "a", "b")), evidence)
    assert found.outcome == "holds" and found.isas == ("AVX2",)
    found = judge(claim(more("final", "a2", "b2")), evidence)
    assert found.outcome == "holds" and found.isas == ("AVX512",)
    assert judge(claim(more("final", "a2", "b")), evidence).outcome == "not run"
    # no machine has all of the arms, and what one has is enough to refute
    both = every(more("final", "b", "a"), more("final", "c", "b"))
    found = judge(claim(both), evidence)
    assert found.outcome == "does not" and found.isas == ("AVX2",)


def test_a_changed_recipe_counts_alone_and_is_never_mixed_with_the_former() -> None:
    """The runner runs a changed arm again; what was there before is another arm."""
    changed = [
        dataclasses.replace(r, declared="new", created="2027", curve=((0, 1.0), *r.curve[1:]))
        for r in five()
        if r.arm == "b"
    ]
    evidence = gather([*five(), *changed], NUMERICS)
    assert evidence.units["here"][0].results["b"].declared == "new"
    assert evidence.said == ("5 results are of an earlier recipe of b on here, and left out.",)
    some = gather([*five(), *changed[:2]], NUMERICS)
    assert judge(claim(more("final", "a", "b")), some).seeds == 2
    assert "3 results are of an earlier recipe" in gather([*five()[:6], *changed], NUMERICS).said[0]


def test_a_few_results_of_another_protocol_displace_no_recipe() -> None:
    """Other steps are another declaration too, and newer than what the verdict stands on."""
    stray = [
        dataclasses.replace(r, protocol="long", declared="new", created="2027", seed=r.seed + 5)
        for r in five()[:4]
    ]
    evidence = gather([*five(), *stray], NUMERICS)
    assert judge(claim(more("final", "a", "b")), evidence).seeds == 5
    assert [s for s in evidence.said if "another protocol" in s] == list(evidence.said)


def test_a_stray_start_displaces_nobody() -> None:
    stray = dataclasses.replace(pair(0)[1], pretrained="else", created="2000")
    evidence = gather([stray, *five()], NUMERICS)
    assert judge(claim(more("final", "a", "b")), evidence).seeds == 5
    assert "1 result is of another pre-training" in evidence.said[0]


def test_a_seed_without_its_control_is_named() -> None:
    bare = [dataclasses.replace(r, frozen=()) if r.seed == 3 else r for r in five()]
    assert [s for s in gather(bare, NUMERICS).said if "no control" in s] == [
        "here, seed 3, has no control from wsrl-pre (the frozen policy on the same schedule): no "
        "dip beyond the noise is known there."
    ]


def test_what_is_shown_of_a_tree_lies_below_the_branch_that_decided() -> None:
    """The first pair's first half holds, its second does not: it is the other pair that decides."""
    up, down = more("final", "a", "b"), more("final", "b", "a")
    found = said(either(every(up, down), every(more("area", "a", "b"), up)), five())
    assert found.outcome == "holds"
    assert found.tasks[0].deciding.words == more("area", "a", "b").words()
    refuted = said(every(down, more("final", "a", "c")), five())
    assert (refuted.outcome, refuted.seeds) == ("does not", 5)  # of c there is nothing yet


@pytest.mark.parametrize(("before", "says"), [(90.0, "void"), (10.0, "void"), (84.0, "holds")])
def test_without_room_the_test_is_void(before: float, says: str) -> None:
    frozen = ((0, 50.0), *((s, before) for s in STEPS[1:-1]), (STEPS[-1], 50.0))
    results = [dataclasses.replace(r, frozen=frozen) for r in five()]
    assert said(more("final", "a", "b"), results).outcome == says
    assert said(more("final", "a", "b"), results, room=False).outcome == "holds"


def test_the_score_before_is_read_on_separate_episodes() -> None:
    unit = gather(pair(0), NUMERICS).units["here"][0]
    assert separate_score(unit, "wsrl-pre") == 60.0
    bare = [dataclasses.replace(r, frozen=(), before=33.0) for r in pair(0)]
    assert separate_score(gather(bare, NUMERICS).units["here"][0], "wsrl-pre") == 33.0


def test_two_tasks_must_agree() -> None:
    lost = [dataclasses.replace(r, task="there") for s in range(5) for r in pair(s, -20.0)]
    test = more("final", "a", "b")
    assert said(test, [*five(), *lost]).outcome == "unclear"
    assert said(test, [*five(), *lost], tasks=("here",)).outcome == "holds"
    both = five(task="there", protocol="its own") + five()
    assert len(said(test, both).tasks) == 2 and said(test, both).outcome == "holds"
    assert together(["holds", "holds", "does not"]) == "holds"
    assert together(["holds", "void"]) == "holds" and together(["void", "void"]) == "void"
    assert together(["holds", "does not"]) == "unclear"


def test_trees() -> None:
    yes, no = more("final", "a", "b"), more("final", "b", "a")
    lacks = more("final", "a", "gone")
    for test, says in (
        (every(yes, yes), "holds"),
        (every(yes, no), "does not"),
        (every(yes, lacks), "not run"),
        (every(no, lacks), "does not"),
        (either(no, yes), "holds"),
        (either(no, no), "does not"),
        (either(no, lacks), "not run"),
        (most(yes, yes, no), "holds"),
        (most(yes, no), "unclear"),
        (fewer("final", "b", "a"), "holds"),
    ):
        assert said(test, five()).outcome == says, test


def test_a_dip_counts_beyond_the_frozen_policys_own() -> None:
    noisy = tuple((s, 25.0 if s == 250 else 60.0) for s in STEPS)
    results = [result("a", seed, FALLEN, frozen=noisy) for seed in range(5)]
    assert said(more("dip", "a"), results).tasks[0].parts[0].effect == 40.0
    beyond = said(more("dip beyond noise", "a"), results).tasks[0].parts[0]
    assert beyond.effect == 5.0 and beyond.outcome == "holds"


def test_the_control_of_one_arm_serves_its_fellows() -> None:
    first = [result("a", s, FLAT) for s in range(5)]
    second = [result("b", s, FALLEN, frozen=()) for s in range(5)]
    assert said(more("dip beyond noise", "b"), [*first, *second]).tasks[0].parts[0].effect == 40.0


def test_differences_of_differences_and_trends() -> None:
    lows = {"a": 50, "b": 40, "c": 30, "d": 5}
    unit = Unit({n: result(n, 0, (60, v, 60, 60, 60, 60)) for n, v in lows.items()}, {})
    assert more("dip", "d", "c", beside=("b", "a")).effect(unit) == 25.0 - 10.0
    assert Trend("dip", ("a", "b", "c", "d")).effect(unit) == 1.0
    assert Trend("dip", ("d", "c", "b", "a")).effect(unit) == -1.0
    assert Trend("before", ("a", "b")).effect(unit) == 0.0
    assert more("dip", "a", "z").effect(unit) is None


def test_a_claim_that_nothing_decides_says_why() -> None:
    found = judge(CLAIMS["D24"], gather([], NUMERICS))
    assert found.outcome == "not run" and "three data sets" in found.reason
    found = judge(CLAIMS["B3"], gather([], NUMERICS))
    assert found.outcome == "not run" and "study wsrl" in found.reason
    assert found.to_json()["verdict"] == "not run"


def test_seeds_come_in_blocks_until_the_interval_is_short() -> None:
    test = [claim(more("final", "a", "b"))]
    assert more_seeds(test, {}, ("a", "b"), ()) == (0, 1, 2, 3, 4)
    assert more_seeds(test, {}, ("a", "b"), (0, 2)) == (1, 3, 4)
    units = gather(five(), NUMERICS).units["here"]
    assert more_seeds(test, units, ("a", "b"), range(5)) == ()
    wild = [r for s in range(5) for r in pair(s, 40.0 * (-1) ** s)]
    units = gather(wild, NUMERICS).units["here"]
    assert more_seeds(test, units, ("a", "b"), range(5)) == (5, 6, 7, 8, 9)
    assert more_seeds(test, units, ("a",), range(5)) == ()  # no claim needs that arm alone
    assert more_seeds(test, units, ("a", "b"), range(15)) == ()


def test_three_claims_by_hand() -> None:
    """B3, D1 and C5 recomputed with NumPy from the numbers in the results."""
    rng = np.random.default_rng(1)
    results, dips = [], []
    for seed in range(5):
        with_, without = 30 + 5 * rng.random(2)
        dips.append((60 - with_ + 20) - (60 - with_))
        results += [
            result("wsrl", seed, (60, with_, 60, 60, 60, 60)),
            result("no-warmup", seed, (60, with_ - 20, without, 60, 60, 60)),
        ]
    found = judge(CLAIMS["B3"], gather(results, NUMERICS))
    assert found.tasks[0].parts[0].effect == pytest.approx(np.sort(dips)[1:4].mean())
    assert found.outcome == "holds"
    x = np.array(STEPS, float)
    areas = []
    for seed in range(5):
        kept, cloned = rng.random((2, 6)) * 20 + [[50], [30]]
        areas.append(np.trapezoid(kept - cloned, x) / x[-1])
        for arm, y in (("td3-kept", kept), ("td3_bc-kept", cloned)):
            results.append(result(arm, seed, y, study="td3"))
    part = judge(CLAIMS["D1"], gather(results, NUMERICS)).tasks[0].parts[0]
    assert part.effect == pytest.approx(np.sort(areas)[1:4].mean())


def test_a_claim_may_compare_two_tasks() -> None:
    """What the arm has on the first, less what it has on the second; its start must be as good."""

    def dips(first: float, second: float, start: float = 60.0):
        curves = {"narrow": (60, first, 60, 60, 60, 60), "wide": (start, second, 60, 60, 60, 60)}
        return [
            result("a", seed, curve, task=task, before=start if task == "wide" else 60.0,
                   frozen=tuple((s, start if task == "wide" else 60.0) for s in STEPS))
            for task, curve in curves.items()
            for seed in range(5)
        ]  # fmt: skip

    across = {"across": ("narrow", "wide")}
    found = said(more("dip", "a"), dips(20.0, 40.0), **across)
    assert found.outcome == "holds" and found.seeds == 5
    assert [t.task for t in found.tasks] == ["narrow less wide"]
    assert found.tasks[0].parts[0].effect == 20.0
    assert set(found.tasks[0].before) == {"wsrl-pre on narrow", "wsrl-pre on wide"}
    assert found.claim.contrast == "narrow less wide: dip, a > 0"
    assert said(more("dip", "a"), dips(40.0, 20.0), **across).outcome == "does not"
    assert said(more("dip", "a"), dips(20.0, 40.0, 54.0), **across).outcome == "void"
    assert said(more("dip", "a"), dips(20.0, 40.0, 56.0), **across).outcome == "holds"
    one = [r for r in dips(20.0, 40.0) if r.task == "narrow"]
    lacking = said(more("dip", "a"), one, **across)
    assert lacking.outcome == "not run" and "on both narrow and wide" in lacking.reason
    odd = [r for r in dips(20.0, 40.0) if r.task == "narrow" or r.seed < 3]
    assert said(more("dip", "a"), odd, **across).seeds == 3
    units = gather(dips(20.0, 40.0), NUMERICS).units["narrow"]
    compared = claim(more("dip", "a"), **across)
    assert more_seeds([compared], units, ["a"], range(5)) == ()


def test_a_tasks_range_of_returns_serves_its_results_of_every_study() -> None:
    bias = {"q_minus_return": tuple((step, 10.0) for step in STEPS)}
    blind = result("a", 0, FLAT, diagnose=bias)
    knows = [result("x", s, FLAT, study="td3", value_range=50.0) for s in range(2)]
    leaf = more("early bias", "a")
    assert leaf.effect(Unit({"a": blind}, {})) is None
    (told, *others), apart = with_ranges([blind, *knows])
    assert apart == []
    assert leaf.effect(Unit({"a": told}, {})) == 0.2 and others == knows
    elsewhere = [dataclasses.replace(r, task="there") for r in knows]
    at_odds = [knows[0], dataclasses.replace(knows[1], value_range=51.0)]
    newer = [dataclasses.replace(r, numerics="2-x") for r in knows]
    for say in (elsewhere, at_odds, newer, []):
        found, apart = with_ranges([blind, *say])
        assert found[0] == blind and len(apart) == (say is at_odds)
    rounded = [dataclasses.replace(knows[0], value_range=50.0 * (1 + 1e-7)), knows[1]]
    assert with_ranges([blind, *rounded])[0][0].value_range == pytest.approx(50.0)
    own = dataclasses.replace(blind, seed=1, value_range=40.0)
    found, apart = with_ranges([blind, own, *knows])  # the study's own result goes before others'
    assert found[0].value_range == 40.0 and apart == []


def test_steps_to_recover_count_from_the_switch_and_from_the_lowest_on() -> None:
    def steps(*scores: float) -> float | None:
        return Unit({"a": result("a", 0, scores)}, {}).number("steps to recover", "a")

    assert steps(60, 20, 40, 60, 60, 60) == pytest.approx(np.log(5_000))
    assert steps(60, 20, 70, 10, 30, 60) == pytest.approx(np.log(50_000))  # the first was no end
    assert steps(60, 20, 20, 20, 20, 20) == pytest.approx(np.log(100_000))
    assert steps(60, 60, 60, 60, 60, 60) == 0.0
