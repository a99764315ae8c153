"""Recipes as values, and the contradictions they refuse."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from warmstart.acting import Sampled
from warmstart.api.changes import changed
from warmstart.errors import RecipeError
from warmstart.methods import METHODS
from warmstart.parts import CQL, Learned
from warmstart.recipe import Recipe, Stage
from warmstart.values import paths

ALL = [(name, preset) for name, module in METHODS.items() for preset in module.PRESETS]


@pytest.mark.parametrize(("name", "preset"), ALL)
def test_every_method_and_family_survives_json(name: str, preset: str) -> None:
    recipe = METHODS[name].recipe(preset)
    assert recipe.name == name
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_field_can_be_set_to_itself_as_text(name: str) -> None:
    recipe = METHODS[name].recipe("quick")
    for path, value in paths(recipe):
        if isinstance(value, (bool, int, float, str)) or value is None:
            assert recipe.with_(path, str(value)) == recipe, path


@pytest.mark.parametrize("name", sorted(METHODS))
def test_what_a_method_file_must_have(name: str) -> None:
    module = METHODS[name]
    assert module.CITE and all(isinstance(line, str) and line for line in module.CITE)
    assert {"paper", "quick"} <= set(module.PRESETS)
    text = module.__doc__ or ""
    for word in ("pretrain ", "handover ", "replay ", "acting ", "finetune ", "**Differences.**"):
        assert word in text, word


REFUSED = [
    ("sac", {"finetune.rhythm.every": -1}, "a whole number from 0"),
    ("sac", {"finetune.rhythm.first": 0}, "a whole number from 1"),
    ("redq", {"finetune.rhythm.updates": 3}, "no multiple of the learner's 4 minibatches"),
    ("sac", {"replay.warmup.by": "policy"}, "needs a pre-training"),
    ("iql", {"replay.preload.kind": "last"}, "preload.count >= 1"),
    ("cql", {"replay.source.share": 1.5}, "a number from 0 to 1"),
    ("cql", {"replay.source.end": -0.5}, "a number from 0 to 1"),
    ("cql", {"finetune.learner.policy.kind": "deterministic"}, "needs a stochastic policy"),
    ("iql", {"finetune.learner.policy.kind": "deterministic"}, "AdvantageRegression needs"),
    ("td3_bc", {"finetune.learner.constraint.kind": "nll"}, "'nll' cloning loss"),
    ("rebrac", {"pretrain.0.learner.backup.penalty": -1.0}, "a number from 0 on"),
    ("sac", {"finetune.learner.backup.actions": 3}, "exclude each other"),
    ("cql", {"finetune.learner.conservatism.proposals": "curent,next"}, "current"),
    ("cql", {"finetune.learner.conservatism.proposals": ()}, "proposals is empty"),
    ("iql", {"finetune.learner.value.members": 2}, "needs one state value"),
    ("awac", {"finetune.learner.value_fit": "Expectile"}, "no network to fit"),
    ("aca", {"pretrain.0.learner.value.members": 0}, "an ensemble of baselines"),
    ("sac", {"finetune.learner.batch": 0}, "a whole number from 1"),
    *(
        (name, {f"{path}.optimiser.decay": "cosine"}, f"set {said}.optimiser.decay=none")
        for name, path, said in (
            ("sac", "finetune.learner.temperature", "finetune.learner.temperature"),
            ("odt", "pretrain.0.learner.temperature", "pretrain.0.learner.temperature"),
            ("mopo", "pretrain.0.learner.fit", "pretrain.0.learner.fit"),
            ("moore", "finetune.learner.refit.fit", "learner.refit.fit"),
            ("off2on", "replay.source", "replay.source"),
        )
    ),
]


@pytest.mark.parametrize(("name", "changes", "message"), REFUSED)
def test_contradictions_are_refused_with_the_way_out(name, changes, message: str) -> None:
    recipe = METHODS[name].recipe("quick")
    with pytest.raises(RecipeError, match=message):
        for path, value in changes.items():
            recipe = recipe.with_(path, value)


def test_scaling_that_the_other_side_does_not_know_is_refused() -> None:
    """A network that learned on scaled observations sees others if nobody scales them online."""
    offline = METHODS["td3_bc"].recipe("quick")
    online = METHODS["td3"].recipe("quick")
    with pytest.raises(RecipeError, match="normalise"):
        dataclasses.replace(online, pretrain=offline.pretrain)
    online = online.with_("finetune.learner.normalise", "dataset")
    dataclasses.replace(online, pretrain=offline.pretrain)


def test_statistics_of_the_dataset_need_the_dataset() -> None:
    recipe = METHODS["sac"].recipe("quick")
    assert not recipe.needs_dataset
    assert recipe.with_("finetune.learner.normalise", "dataset").needs_dataset


def test_the_discount_reaches_every_learner() -> None:
    recipe = METHODS["wsrl"].recipe("quick").with_discount(0.9)
    found = [value for path, value in paths(recipe) if path.endswith(".discount")]
    assert found == [0.9, 0.9]


def test_a_part_is_no_recipe() -> None:
    with pytest.raises(RecipeError, match="no recipe"):
        Recipe.from_json({"is": "Sampled"})
    assert isinstance(Recipe("x").acting, Sampled)
    stage = Stage(METHODS["cql"].learner(gap=0.8))
    assert isinstance(stage.learner.conservatism, CQL)
    assert isinstance(stage.learner.conservatism.weight, Learned)


def test_a_field_of_every_learner_may_be_set_to_what_it_is() -> None:
    """Also where the learner that has it stands inside another."""
    mopo = METHODS["mopo"].recipe("quick")
    assert mopo.with_("learner.finished_only", "false") == mopo
    with pytest.raises(RecipeError, match="there is no field 'finishd_only'"):
        mopo.with_("learner.finishd_only", "false")


@pytest.mark.parametrize(
    ("method", "path", "advised"),
    [
        ("aca", "learner.normalise", "learner.normalise"),
        ("aca", "finetune.learner.normalise", "finetune.learner.normalise"),
        ("mopo", "pretrain.1.learner.learner.finished_only",
         "pretrain.1.learner.learner.finished_only"),
    ],
)  # fmt: skip
def test_advice_names_the_path_that_the_user_changed(method: str, path: str, advised: str) -> None:
    wrong = "true" if "finished" in path else "running"
    with pytest.raises(RecipeError, match=rf"set (?:\S+ and )?{re.escape(advised)}=(none|false)"):
        changed(METHODS[method].recipe("quick"), {path: wrong})
