"""Programs that are equal are compiled once in a process, and others never pass for them."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from tiny import QUIET, Diary, Fixed, finish, float64, learnt, problem, same_bits, tiny, trainer

from warmstart import values
from warmstart.engine import Schedule, Trainer, shared
from warmstart.engine.seeds import Program, Seeds
from warmstart.engine.shared import key_of, once
from warmstart.methods import METHODS

LOOKING = dataclasses.replace(QUIET, online_every=12)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with no program, and leaves those of the others alone."""
    monkeypatch.setattr(shared, "_KEPT", type(shared._KEPT)())


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Program]:
    """Every program that is asked for."""
    asked: list[Program] = []
    real = Program.__init__

    def noted(self: Program, *args: Any) -> None:
        real(self, *args)
        asked.append(self)

    monkeypatch.setattr(Program, "__init__", noted)
    return asked


def jitted(programs: list[Program]) -> list[int]:
    """What really runs, in the order in which it was asked for."""
    return [id(jit) for program in programs for jit, _ in program._compiled.values()]


@pytest.mark.parametrize("method", ["wsrl", "iql"])
def test_a_second_run_compiles_nothing_and_learns_the_same_bits(
    method: str, made: list[Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as apart:
        apart.setattr("warmstart.engine.seeds.once", lambda key, make: make())
        alone = trainer(tiny(method, steps=12), (2,), LOOKING)
        finish(alone)
    made.clear()
    first = trainer(tiny(method, steps=12), (2,), LOOKING)
    finish(first)
    programs, kept = jitted(made), dict(shared._KEPT)
    counts = [program.programs() for program in made]
    assert all(program._key is not None for program in made)
    made.clear()
    second = trainer(tiny(method, steps=12), (2, 5), LOOKING)
    finish(second)
    assert jitted(made) == programs and dict(shared._KEPT) == kept
    assert [program.programs() for program in made] == counts
    same_bits(learnt(first), learnt(alone))
    same_bits(
        learnt(second)[0].nets["actor"].mean.weight[:1], learnt(alone)[0].nets["actor"].mean.weight
    )


def test_arms_of_a_study_learn_by_one_program(made: list[Program]) -> None:
    """What crosses and how long the warm-up is are no part of it; the bits are the arm's own."""
    base = tiny("wsrl", pretrain_steps=4, steps=12)
    arms = [
        base,
        base.with_("handover.critic", "fresh"),
        base.with_("handover.moments", "fresh"),
        base.with_("replay.warmup.steps", 5),
    ]
    found, ends = set(), []
    for arm in arms:
        made.clear()
        run = trainer(arm)
        finish(run)
        loop: Any = run.loop
        found |= set(jitted([loop.stepper.learns]))
        ends.append(learnt(run))
    assert len(found) == 1
    shared.forget()
    alone = trainer(arms[3])
    finish(alone)
    same_bits(learnt(alone), ends[3])


def test_what_is_not_equal_is_another_program(made: list[Program]) -> None:
    """With another number anywhere, or another ring, a trainer has programs of its own."""
    base = tiny("td3_bc", pretrain_steps=4, steps=4)
    others = [
        base.with_("finetune.learner.tau", 0.25),
        base.with_("replay.capacity", 3),
        base.with_("finetune.learner.batch", 5),
    ]
    found = []
    for recipe in (base, *others):
        made.clear()
        run = trainer(recipe)
        finish(run)
        loop: Any = run.loop
        found += jitted([loop.stepper.learns])
        assert loop.stepper.learns.programs() == 1
    assert len(set(found)) == len(found)


def test_double_numbers_are_another_program() -> None:
    def double(x: Any) -> Any:
        return x * 2

    double.__module__ = "warmstart.made_up"
    seeds = Seeds(1)
    single = seeds.compile(double)(np.ones((1, 2), np.float32)).host()
    with float64():
        again = seeds.compile(double)(np.ones((1, 2), np.float32)).host()
    assert single.dtype == np.float32 and again.shape == single.shape
    assert len(shared._KEPT) == 2


def test_every_number_of_a_recipe_is_part_of_its_key() -> None:
    keys = {key_of(tiny(name)) for name in METHODS}
    assert len(keys) == len(METHODS) and None not in keys
    for name in METHODS:
        whole = tiny(name)
        key = key_of(whole)
        assert key_of(type(whole).from_json(whole.to_json())) == key
        for path, value in _numbers(whole):
            assert key_of(_changed(whole, path, value + 1)) != key, path
            assert key_of(_changed(whole, path, float(value))) != key or type(value) is float, path


def _numbers(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    if dataclasses.is_dataclass(part):
        items = [(f.name, getattr(part, f.name)) for f in dataclasses.fields(part)]
    elif isinstance(part, tuple):
        items = list(enumerate(part))
    else:
        return [(path, part)] if type(part) in (int, float) else []
    return [found for name, item in items for found in _numbers(item, (*path, name))]


def _changed(part: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with one number changed, past every test of what may stand there."""
    if not path:
        return value
    name, *rest = path
    if isinstance(part, tuple):
        return (*part[:name], _changed(part[name], tuple(rest), value), *part[name + 1 :])
    copy = object.__new__(type(part))
    copy.__dict__.update(vars(part))
    copy.__dict__[name] = _changed(getattr(part, name), tuple(rest), value)
    return copy


def test_equal_numbers_of_different_kinds_are_told_apart() -> None:
    told = [key_of(x) for x in (1, 1.0, True, 0.0, -0.0, "1", (1,), ((1,),), None)]
    assert len(set(told)) == len(told) and None not in told


@values.register
@dataclasses.dataclass(frozen=True)
class Mine:
    """A part of a user's own."""

    scale: float = 1.0


class Loose:
    """No value: what it holds may change."""


def test_what_has_no_value_of_its_own_is_never_shared() -> None:
    def caught(thing: Any) -> Callable[[Any], Any]:
        def program(x: Any) -> Any:
            return thing

        program.__module__ = "warmstart.made_up"
        return program

    assert key_of(caught(1)) == key_of(caught(1)) != key_of(caught(2))
    for thing in (
        Mine(),
        Loose(),
        [1],
        {1: 2},
        jnp.ones(1),
        np.ones(1),
        lambda x: x,
        caught(Mine()),
    ):
        assert key_of(caught(thing)) is None, thing
    assert key_of(lambda x: x) is None  # ours may be edited in a notebook
    tagged = tiny("sac").finetune
    object.__setattr__(tagged, "more", 1)  # beside its fields
    assert key_of(tagged) is None
    made = [once(None, Loose), once(None, Loose)]
    assert made[0] is not made[1] and not shared._KEPT


def test_the_least_used_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MOST", 2)
    first = once("a", Loose)
    once("b", Loose)
    assert once("a", Loose) is first
    once("c", Loose)
    assert list(shared._KEPT) == ["a", "c"]


def test_nothing_of_a_run_is_kept_but_its_programs() -> None:
    recipe = tiny("iql", pretrain_steps=2, steps=6)
    stated = problem(recipe, Fixed)
    run = Trainer(recipe, stated, (1,), Schedule(episodes=1, fixed_episodes=1, early=()))
    finish(run)
    gone = [
        weakref.ref(thing) for thing in (run, run.loop, run.evaluator, stated.rows, run.dataset)
    ]
    del run, stated
    gc.collect()
    assert [ref() is None for ref in gone] == [True] * len(gone)
    assert shared._KEPT


def test_worlds_of_one_size_share_programs(made: list[Program]) -> None:
    """A program knows nothing of the environment: two of them with equal sizes need the same."""
    recipe = tiny("sac", steps=6)
    runs = [trainer(recipe, world=world) for world in (Diary, Fixed)]
    for run in runs:
        finish(run)
    one, other = ([run.loop.stepper.learns] for run in runs)  # type: ignore[union-attr]
    assert jitted(one) == jitted(other)


def test_what_is_forgotten_is_made_anew() -> None:
    made: list[int] = []

    def make() -> int:
        made.append(1)
        return len(made)

    assert [once("key", make), once("key", make)] == [1, 1]
    shared.forget()
    assert once("key", make) == 2


def test_the_metrics_of_an_update_are_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sizes of a snapshot, the sums of a carry and the program itself would trace it thrice."""
    learner, traced = type(tiny("td3_bc").pretrain[0].learner), 0
    real = learner.update

    def update(self: Any, *args: Any) -> Any:
        nonlocal traced
        traced += 1
        return real(self, *args)

    monkeypatch.setattr(learner, "update", update)
    run = trainer(tiny("td3_bc"))
    for _ in range(2):
        run.carries.model(run.position)
    assert run.carry is not None and traced == 1
    trainer(tiny("td3_bc", batch=8)).carries.model(run.position)
    assert traced == 2
    with float64():
        run.carries.model(run.position)
    assert traced == 3
