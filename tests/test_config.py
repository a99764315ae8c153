"""The numbers of methods: typed, with their meaning, and one word for Python and `--set`."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Annotated, Any

import pytest

import warmstart as ws
from warmstart.api.declare import declare, declare_finetune
from warmstart.api.python_values import FACTS
from warmstart.config import differences, names_of, numbers_of, only, resolve
from warmstart.errors import RecipeError, RunError
from warmstart.methods import METHODS
from warmstart.ranges import Share
from warmstart.values import as_text, get

TASK = "jax-pointmass"
TAKEN = {"pretrain", "handover", "replay", "acting", "finetune", "name"}
WITH: dict[str, dict[str, Any]] = {"max_actions": {"entropy_backup": False}}
"""What a number cannot be changed without."""


@pytest.mark.parametrize("method", METHODS)
def test_every_number_is_typed_and_means_something(method: str) -> None:
    config = type(METHODS[method].PRESETS["paper"])
    numbers = numbers_of(config)
    assert {n.name for n in numbers} == set(names_of(config)) and {"steps"} <= set(names_of(config))
    for number in numbers:
        assert number.meaning and number.takes != "anything", number
        assert number.default == getattr(config(), number.name)


@pytest.mark.parametrize("method", METHODS)
def test_no_number_is_called_like_another_argument(method: str) -> None:
    """It would not be known which of them is meant."""
    arguments = {
        name
        for call in (
            ws.run,
            ws.pretrain,
            ws.finetune,
            ws.Agent,
            declare,
            declare_finetune,
            ws.compare,
        )
        for name in inspect.signature(call).parameters
    }
    names = set(names_of(METHODS[method].PRESETS["paper"]))
    assert not names & (TAKEN | set(FACTS) | (arguments - {"steps", "pretrain_steps"}))


@pytest.mark.parametrize("method", METHODS)
def test_the_defaults_are_the_paper_s(method: str) -> None:
    presets = METHODS[method].PRESETS
    assert {type(config) for config in presets.values()} == {type(presets["paper"])}
    assert differences(presets["paper"]) == {}
    config = dataclasses.replace(presets["quick"])
    assert METHODS[method].recipe(config) == METHODS[method].recipe("quick")


def _others(value: Any, takes: str) -> list[Any]:
    """Values that a number might take instead."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value * 2]
    if isinstance(value, float):
        return [value / 2 or 0.25]
    if isinstance(value, tuple):
        return [tuple(v / 2 if isinstance(v, float) else v * 2 for v in value)]
    if value is None:
        return [1, 0.5, (8,), (1.0, 2.0), "warm"]
    return ["hopper", *takes.removeprefix("one of ").split(", ")]


@pytest.mark.parametrize("method", METHODS)
def test_no_number_is_dead(method: str) -> None:
    """Each of them changes the recipe of some preset; text and value do it alike."""
    module, dead = METHODS[method], set(names_of(METHODS[method].PRESETS["paper"]))
    takes = {n.name: n.takes for n in numbers_of(type(module.PRESETS["paper"]))}
    for preset, config in module.PRESETS.items():
        for name in tuple(dead):
            beside = {k: v for k, v in WITH.get(name, {}).items() if k in takes}
            for other in _others(getattr(config, name), takes[name]):
                try:
                    changed = module.recipe(preset, **{name: other}, **beside)
                except RecipeError:
                    continue
                if changed != module.recipe(preset, **beside):
                    assert changed == module.recipe(preset, **{name: as_text(other)}, **beside)
                    dead.discard(name)
    assert not dead


@pytest.mark.parametrize("method", METHODS)
def test_what_is_wrong_is_refused(method: str) -> None:
    recipe = METHODS[method].recipe
    with pytest.raises(RecipeError, match=r"no number 'stepps'\. Did you mean 'steps'"):
        recipe("quick", stepps=3)
    with pytest.raises(RecipeError, match="steps cannot be -1; give a whole number from 0 on"):
        recipe("quick", steps=-1)
    with pytest.raises(RecipeError, match=r"no preset 'quik'\. Did you mean 'quick'"):
        recipe("quik")


@dataclasses.dataclass(frozen=True)
class Group:
    share: Annotated[Share, "of rows"] = 0.5
    width: Annotated[int, "of a layer"] = 4


@dataclasses.dataclass(frozen=True)
class Own(Group):
    share: Share = 0.25
    first: Annotated[int | None, "what comes first"] = None


def test_an_inherited_number_means_what_it_meant() -> None:
    numbers = {n.name: n for n in numbers_of(Own)}
    assert [*numbers] == ["first", "share", "width"]
    assert (numbers["share"].meaning, numbers["share"].default) == ("of rows", 0.25)
    assert numbers["share"].takes == "a number from 0 to 1"
    assert numbers["first"].takes == "a whole number or none"
    assert only(Own(), Group) == {"share": 0.25, "width": 4}
    assert resolve({"paper": Own()}, "paper", {"first": "none", "share": "1"}) == Own(1.0)
    with pytest.raises(RecipeError, match="share cannot be 2"):
        resolve({"paper": Own(share=2.0)}, "paper")


SAME = [
    ("iql", {"expectile": 0.8, "hidden": (16, 16)}),
    ("wsrl", {"ratio": 2, "weight": 1.0, "steps": 300, "pretrain_steps": 200}),
    ("td3_bc_pr", {"pretrain_steps": 20, "refine": 10}),
    ("awac", {"form": "exp", "retain": False, "critic_hidden": None}),
    ("rlpd", {"steps": 40, "share": 0.25}),
]


@pytest.mark.parametrize(("method", "numbers"), SAME)
def test_python_and_set_mean_the_same(method: str, numbers: dict[str, Any]) -> None:
    given = declare(method, TASK, **numbers)
    text = {name: as_text(value) for name, value in numbers.items()}
    named = declare(method, TASK, changes=text)
    assert given.recipe == named.recipe == declare(method, TASK, changes=numbers).recipe
    assert dict(given.changes) == dict(named.changes) == text
    made = METHODS[method].recipe(given.preset, **numbers)
    assert given.recipe == made.with_discount(given.task.discount)


def test_a_length_of_whichever_method_is_one_word() -> None:
    taken = declare("rlpd", TASK, changes={"pretrain": "iql"}, pretrain_steps=7, steps=9)
    assert (taken.recipe.pretrain[0].updates, taken.recipe.finetune.steps) == (7, 9)
    own = declare(METHODS["mopo"].recipe("quick"), TASK, pretrain_steps=5, steps=4)
    assert [stage.updates for stage in own.recipe.pretrain] == [6_000, 5]
    falling = declare("rebrac", TASK, steps=500).recipe
    assert get(falling, "finetune.learner.constraint.weight.updates") == 500
    for changes in ({"finetune.steps": 8}, {"steps": "8"}):
        with pytest.raises(RecipeError, match="contradict each other; give one of them"):
            declare("iql", TASK, steps=9, changes=changes)
    with pytest.raises(RecipeError, match=r"pretrain_steps=9 and pretrain\.0\.updates=8"):
        declare("iql", TASK, pretrain_steps=9, changes={"pretrain.0.updates": 8})
    assert declare("iql", TASK, steps=9, changes={"finetune.steps": 9}).recipe.finetune.steps == 9


def test_a_path_goes_over_a_name() -> None:
    """As a run that was extended says of itself: what falls does so over its first length."""
    longer = {"steps": "300", "finetune.steps": "600", "finetune.anneal_steps": "300"}
    recipe = declare("rebrac", TASK, changes=longer).recipe
    assert recipe.finetune.steps == 600
    assert get(recipe, "finetune.learner.constraint.weight.updates") == 300
    path = "finetune.learner.value_fit.expectile"
    made = declare("iql", TASK, expectile=0.6, changes={path: "0.8"}).recipe
    assert get(made, path) == 0.8
    assert get(made, "pretrain.0.learner.value_fit.expectile") == 0.6


REFUSED = [
    ("iql", {"changes": {"expectil": 0.9}}, RecipeError, "iql has no number 'expectil'. Did you"),
    ("iql", {"expectile": 3}, RecipeError, "expectile cannot be 3; give a number from 0 to 1"),
    ("iql", {"expectile": 0.9, "changes": {"expectile": 0.8}}, RecipeError, "contradict"),
    (
        "wsrl",
        {"changes": {"pretrain": "iql", "expectile": 0.6}},
        RecipeError,
        r"a number of iql.*set its path, pretrain\.0\.learner\.value_fit\.expectile=0\.6",
    ),
    ("wsrl", {"changes": {"pretrain": "iql"}, "weight": 3.0}, RecipeError, "changes nothing here"),
    ("cql", {"gap_scale": 3.0}, RecipeError, "changes nothing here: cql does not read it"),
    (METHODS["iql"].recipe("quick"), {"changes": {"beta": 3}}, RecipeError, "no number 'beta'"),
]


@pytest.mark.parametrize(("method", "given", "wrong", "said"), REFUSED)
def test_what_a_number_cannot_mean(method, given, wrong, said: str) -> None:
    with pytest.raises(wrong, match=said):
        declare(method, TASK, **given)


def test_a_wrong_word_is_answered_by_the_nearest_of_all() -> None:
    for call in (ws.run, ws.pretrain, ws.Agent):
        with pytest.raises(RunError, match=r"no argument 'expectil'\. Did you mean 'expectile'"):
            call("iql", TASK, expectil=0.9)
        with pytest.raises(RunError, match=r"no argument 'holdot'\. Did you mean 'holdout'"):
            call("iql", TASK, holdot=0.9)


OWN = '''
"""Mine.

pretrain   as TD3-BC
"""
from dataclasses import dataclass, replace
from typing import Annotated
from warmstart.acting import Noisy
from warmstart.config import only
from warmstart.methods import td3_bc

@dataclass(frozen=True)
class Config(td3_bc.Config):
    noise: Annotated[float, "deviation of the exploring noise"] = 0.1

PRESETS = {"paper": Config(), "quick": Config(hidden=(16, 16), noise=0.2)}

def recipe(config: Config):
    base = td3_bc.recipe(td3_bc.Config(**only(config, td3_bc.Config)))
    return replace(base, acting=Noisy(config.noise))

def plain():
    return td3_bc.recipe("quick")
'''


def test_a_file_of_one_s_own_has_numbers_too(tmp_path, capsys) -> None:
    file = tmp_path / "mine.py"
    file.write_text(OWN)
    mine = f"{file}:recipe"
    made = declare(mine, TASK, preset="quick", noise=0.3, weight=2.0).recipe
    assert get(made, "acting.sigma") == 0.3
    assert get(made, "finetune.learner.policy.net.hidden") == (16, 16)
    assert get(declare(mine, TASK, changes={"noise": "0.3"}).recipe, "acting.sigma") == 0.3
    with pytest.raises(RecipeError, match=r"no number 'noises'\. Did you mean 'noise'"):
        declare(mine, TASK, changes={"noises": "1"})
    with pytest.raises(RecipeError, match="no number 'noise'"):
        declare(f"{file}:plain", TASK, changes={"noise": "1"})
    file.with_name("bad.py").write_text(OWN.replace(" = 0.1", "").replace("PRESETS =", "OTHERS ="))
    with pytest.raises(RecipeError):
        declare(f"{file.with_name('bad.py')}:recipe", TASK)


def test_an_arm_takes_numbers_and_says_them(tmp_path) -> None:
    before = declare("wsrl", TASK, preset="quick", changes={"steps": 50, "weight": 2.0})
    arm = declare_finetune("wsrl", before, "runs/before", ratio=4, steps=40)
    assert arm.recipe.finetune.rhythm.updates == 4 and arm.recipe.finetune.steps == 40
    assert arm.recipe.pretrain == before.recipe.pretrain
    assert "--set ratio=4 --set steps=40" in str(arm.command())
    with pytest.raises(
        RunError, match=r"finetune takes no argument 'ratoi'\. Did you mean 'ratio'"
    ):
        declare_finetune("wsrl", before, "runs/before", ratoi=4)
    with pytest.raises(RunError, match="finetune takes no argument 'horizon'"):
        declare_finetune("wsrl", before, "runs/before", horizon=4)
