"""The claims are all there, and every arm that they name can be declared."""

from __future__ import annotations

from collections import Counter

import pytest

from warmstart.api import declare, declare_finetune
from warmstart.api.base import require_base
from warmstart.errors import RunError
from warmstart.learners import unwrapped
from warmstart.parts import CQL, NoConstraint
from warmstart.studies.bundles import BUNDLES, STUDIES, find_study
from warmstart.studies.claim import leaves
from warmstart.studies.claims import CLAIMS, carried, find_claim
from warmstart.studies.study import Arm, Pretraining, Study
from warmstart.tasks import TASKS


def test_all_claims_of_five_kinds_in_order() -> None:
    letters = Counter(name[0] for name in CLAIMS)
    assert letters == {"A": 12, "B": 15, "C": 15, "D": 33, "E": 20}
    assert [f"{k}{i}" for k in "ABCDE" for i in range(1, letters[k] + 1)] == list(CLAIMS)
    assert sum(claim.headline for claim in CLAIMS.values()) == 27


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda claim: claim.id)
def test_a_claim_can_be_judged_or_says_why_not(claim) -> None:
    for text in (claim.text, claim.refuted):
        assert text.endswith(".") and len(text.split()) > 2
    assert (claim.test is None) == bool(claim.unable) == (claim.study is None)
    if claim.test is None:
        return
    study = find_study(claim.study)
    assert claim.bundle in BUNDLES
    assert set(claim.arms) <= set(study.everything)
    assert claim.measure and claim.contrast and claim.smallest_effect
    assert all(task in TASKS for task in claim.tasks)
    for leaf in leaves(claim.test):
        assert leaf.words()


@pytest.mark.parametrize("study", STUDIES.values(), ids=lambda study: study.name)
def test_every_arm_can_be_declared(study: Study) -> None:
    shown = study.name == "first-run"  # a demonstration, at each method's own length
    figures = ("flow", "chunks", "residual", "on-policy")  # of the methods' pages
    assert bool(carried(study.name)) != (shown or study.name in figures)
    assert all(task in TASKS for task in study.tasks)
    before = {
        name: declare(
            p.method,
            study.tasks[0],
            preset=p.preset or study.preset,
            changes=dict(p.changes),
            pretrain_steps=p.steps,
        )
        for name, p in study.pretrainings.items()
    }
    for arm in study.arms.values():
        given = {"preset": arm.preset or study.preset, "changes": dict(arm.changes)}
        if arm.source is None:
            given["policy"] = arm.policy
            declared = declare(arm.method, study.tasks[0], steps=study.steps, **given)
            require_base(declared)
        else:
            declared = declare_finetune(
                arm.method, before[arm.source], "x", steps=study.steps, **given
            )
        assert shown or declared.recipe.finetune.steps == study.steps


def test_names_that_do_not_exist() -> None:
    with pytest.raises(RunError, match="no study 'wsr'"):
        find_study("wsr")
    with pytest.raises(RunError, match="no claim 'Z1'"):
        find_claim("Z1")
    assert find_claim("b3").id == "B3" and find_study("R6").name == "td3"
    with pytest.raises(RunError, match="no arm 'wrsl'"):
        STUDIES["wsrl"].chosen(("wrsl",))
    with pytest.raises(RunError, match="does not pre-train"):
        Study("s", "", {}, {"a": Arm("wsrl", "gone")}, ())
    with pytest.raises(RunError, match="names a study or an arm"):
        Study("s", "", {}, {"a b": Arm("wsrl")}, ())
    with pytest.raises(RunError, match="is an arm and a pre-training"):
        Study("s", "", {"a": Pretraining("wsrl")}, {"a": Arm("wsrl", "a")}, ())
    with pytest.raises(RunError, match="leave its source out"):
        Study("s", "", {"a": Pretraining("iql")}, {"b": Arm("iql", "a", policy="p.onnx")}, ())


def test_claims_are_about_published_losses() -> None:
    """`quick` holds conservative actors to the data; nothing that a study learns does."""
    seen = 0
    for study in STUDIES.values():
        for name in study.everything:
            given = study.pretrainings.get(name) or study.arms[name]
            if isinstance(given, Arm) and given.policy:  # a correction of that policy
                continue
            recipe = declare(given.method, "two-rooms", changes=dict(given.changes)).recipe
            own = isinstance(given, Pretraining)  # an arm takes its pre-training over
            learner = unwrapped((recipe.pretrain[0] if own else recipe.finetune).learner)
            if isinstance(getattr(learner, "conservatism", None), CQL):
                seen += 1
                assert isinstance(learner.constraint, NoConstraint), (study.name, name)
                assert learner.improvement.scale is None, (study.name, name)
    assert seen > 40
