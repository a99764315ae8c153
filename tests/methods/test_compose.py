"""Answers of different methods in one recipe: they run, or are refused with a reason."""

from __future__ import annotations

import dataclasses
import re

import pytest
from tiny import finish, trainer

from warmstart.api import declare
from warmstart.api.in_words import taken
from warmstart.errors import RecipeError
from warmstart.methods import METHODS
from warmstart.methods.compose import compose
from warmstart.recipe import Recipe
from warmstart.values import paths


def _small(recipe: Recipe) -> Recipe:
    """The same answers with small networks and few steps."""
    for path, value in paths(recipe):
        name = path.rpartition(".")[2]
        if name in ("hidden", "batch") or (name == "count" and value):
            size = (8,) if name == "hidden" else 4
            if name == "count" and not path.startswith("replay"):
                continue
            recipe = recipe.with_(path, size)
    stages = tuple(dataclasses.replace(stage, updates=4) for stage in recipe.pretrain)
    u = recipe.finetune.learner.minibatches
    rhythm = dataclasses.replace(recipe.finetune.rhythm, updates=u)
    if rhythm.every > 4:
        rhythm = dataclasses.replace(rhythm, every=4)
    finetune = dataclasses.replace(recipe.finetune, rhythm=rhythm, steps=16)
    warmup = dataclasses.replace(recipe.replay.warmup, steps=min(recipe.replay.warmup.steps, 6))
    replay = dataclasses.replace(recipe.replay, warmup=warmup)
    return dataclasses.replace(recipe, pretrain=stages, finetune=finetune, replay=replay)


RUN = [
    ("pex", {"pretrain": "cal_ql", "replay": "wsrl"}),
    ("td3_c", {"replay": "off2on"}),
    ("wsrl", {"pretrain": "iql"}),
    ("wsrl", {"pretrain": "td3_bc"}),
    ("wsrl", {"pretrain": "bc"}),
    ("wsrl", {"pretrain": "cql"}),
    ("wsrl", {"pretrain": "mopo"}),
    ("wsrl", {"finetune": "td3", "pretrain": "td3_bc"}),
    ("wsrl", {"finetune": "sac"}),
    ("wsrl", {"finetune": "simba"}),
    ("wsrl", {"finetune": "cal_ql"}),
    ("cal_ql", {"acting": "o3f"}),
    ("off2on", {"finetune": "upq"}),
    ("iql", {"acting": "jsrl", "handover": "jsrl"}),
]


LONG = ("simba", "upq", "mopo", "cql", "td3_bc", "cal_ql")


def _marks(answers: dict[str, str]) -> tuple[pytest.MarkDecorator, ...]:
    """Those beside which one of their kind stands are of the long examination."""
    is_long = "replay" not in answers and {*answers.values()} & {*LONG}
    return (pytest.mark.laws,) if is_long else ()


@pytest.mark.parametrize(
    ("method", "answers"), [pytest.param(*case, marks=_marks(case[1])) for case in RUN], ids=str
)
def test_it_runs(method: str, answers: dict[str, str]) -> None:
    recipe = _small(compose(METHODS[method].recipe("quick"), answers, "quick"))
    assert Recipe.from_json(recipe.to_json()) == recipe
    kinds = {event.kind for event in finish(trainer(recipe))}
    assert {"train", "safe"} <= kinds


@pytest.mark.parametrize(
    ("method", "answers", "says"),
    [
        ("rlpd", {"acting": "pex"}, "nothing is pre-trained"),
        ("rlpd", {"replay": "wsrl"}, "needs a pre-training"),
        ("td3_bc", {"pretrain": "cql"}, "deterministic"),
        ("bc", {"acting": "o3f"}, "no critics"),
        ("wsrl", {"pretrain": "off2on"}, "3 agents"),
        ("cal_ql", {"replay": "off2on"}, "finished_only"),
        ("moore", {"pretrain": "iql"}, "a stage before has fitted"),
        ("wsrl", {"replay": "moore"}, "needs a model of the world"),
        ("wsrl", {"pretrain": "iqll"}, "Did you mean 'iql'"),
        ("wsrl", {"replya": "iql"}, "Did you mean 'replay'?"),
    ],
)
def test_it_is_refused_with_a_reason(method: str, answers: dict[str, str], says: str) -> None:
    with pytest.raises(RecipeError, match=says.replace("?", r"\?")):
        compose(METHODS[method].recipe("quick"), answers, "quick")


def test_networks_follow_the_online_learner() -> None:
    alone = METHODS["wsrl"].recipe("quick")
    recipe = compose(alone, {"pretrain": "iql"}, "quick")
    online, offline = recipe.finetune.learner, recipe.pretrain[0].learner
    assert offline.policy == online.policy and offline.critic == online.critic
    assert offline.value is not None and recipe.finetune == alone.finetune


@pytest.mark.parametrize(
    ("method", "changes", "question", "says"),
    [
        (
            "iql",
            {"replay.source": "Mixed"},
            "replay",
            r"^source = Mixed\(share=0.5.*preload.kind = n",
        ),
        (
            "wsrl",
            {"replay.warmup.by": "random"},
            "replay",
            "^warmup.by = random, where wsrl itself",
        ),
        ("wsrl", {"pretrain": "bc"}, "handover", "fresh: critic, .* temperature"),
        ("wsrl", {"handover.critic": "fresh"}, "handover", "fresh: critic"),
        ("wsrl", {"finetune": "td3", "pretrain": "td3_bc"}, "acting", "^as in td3: "),
        ("wsrl", {"finetune.steps": "7", "nets.hidden": "8"}, "finetune", "^SAC, no entropy"),
        ("sac", {}, "handover", "^nothing crosses"),
    ],
)
def test_the_answers_in_words_are_those_of_the_recipe(
    method: str, changes: dict[str, str], question: str, says: str
) -> None:
    told = declare(method, "jax-pointmass", changes=changes).to_json()
    assert re.search(says, dict(told["describe"])[question])
    assert bool(told["handover"]) == (method != "sac")


@pytest.mark.parametrize(("weight", "away"), [("0", False), ("0.5", True)])
def test_what_the_paper_has_is_the_method_s_own(weight: str, away: bool) -> None:
    """`quick` pulls the actor to the data; a run that leaves that out is the method itself."""
    words = dict(declare("wsrl", "two-rooms", changes={"bc_weight": weight}).to_json()["describe"])
    assert ("where wsrl itself has" in words["pretrain"]) == away
    assert words["changed"] == f"bc_weight = {weight}"


def test_the_command_line_takes_answers_and_says_so() -> None:
    changes = {"pretrain": "iql", "acting": "Noisy", "finetune.steps": "99"}
    assert taken(changes) == {"pretrain": "iql"}
    declared = declare("wsrl", "jax-pointmass", changes=changes)
    assert declared.recipe.pretrain[0].learner.value is not None
    words = dict(declared.to_json()["describe"])
    assert words["pretrain"].startswith("as in iql: ")
    assert words["acting"].startswith("all = Noisy(sigma=0.1), where wsrl itself has: the frozen")
    assert "--set pretrain=iql" in declared.command()
    again = declare("wsrl", "jax-pointmass", changes=dict(declared.changes))
    assert again.recipe == declared.recipe
    with pytest.raises(RecipeError, match="Did you mean 'td3_c'"):
        declare("wsrl", "jax-pointmass", changes={"finetune": "td3c"})
