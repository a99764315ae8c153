"""What crosses, what does not, and what is refused."""

from __future__ import annotations

import dataclasses
import functools
from collections import OrderedDict
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import SPEC, same_bits, tiny

from warmstart.api.in_words import crossing
from warmstart.engine.online import frozen
from warmstart.errors import RecipeError
from warmstart.handover import Handover, hand_over, in_words, table_of
from warmstart.learners import ActorCritic
from warmstart.methods.compose import compose
from warmstart.state import State

KEY, OTHER = jax.random.PRNGKey(0), jax.random.PRNGKey(1)
OBS = np.random.default_rng(0).normal(size=(5, SPEC.obs_dim)).astype(np.float32)


@functools.cache
def _trained(learner: ActorCritic) -> State:
    """A state in which every leaf differs from a fresh one."""
    state = learner.init(OTHER, SPEC)
    return jax.tree.map(lambda x: x + jnp.ones_like(x), state)


def _cross(rule: Handover, source: ActorCritic, online: ActorCritic) -> tuple[State, State, State]:
    old = _trained(source)
    return old, online.init(KEY, SPEC), hand_over(KEY, rule, old, online, SPEC).state


def test_by_default_everything_is_kept_but_the_multiplier() -> None:
    offline = tiny("wsrl", gap=0.8).pretrain[0].learner
    online = tiny("wsrl").finetune.learner
    old, _, new = _cross(Handover(), offline, online)
    assert set(old.nets) - set(new.nets) == {"conservatism"}
    for name in new.nets:
        same_bits(new.nets[name], old.nets[name])
        same_bits(new.opts[name], old.opts[name])
    same_bits(new.targets, old.targets)
    same_bits(new.pretrained["actor"], old.nets["actor"])


@pytest.mark.parametrize("name", ["actor", "critic", "temperature"])
def test_a_fresh_component_is_fresh_with_all_that_belongs_to_it(name: str) -> None:
    recipe = tiny("wsrl")
    rule = Handover(**{name: "fresh"})
    old, fresh, new = _cross(rule, recipe.pretrain[0].learner, recipe.finetune.learner)
    for other in new.nets:
        want = fresh if other == name else old
        same_bits(new.nets[other], want.nets[other])
        same_bits(new.opts[other], want.opts[other])
    same_bits(new.targets, (fresh if name == "critic" else old).targets)
    same_bits(new.pretrained["actor"], old.nets["actor"])


def test_targets_are_copied_and_moments_dropped_where_asked() -> None:
    recipe = tiny("wsrl")
    rule = Handover(targets="copy", moments="fresh")
    old, fresh, new = _cross(rule, recipe.pretrain[0].learner, recipe.finetune.learner)
    same_bits(new.targets["critic"], old.nets["critic"])
    same_bits(new.opts, fresh.opts)


def test_statistics_cross_where_both_sides_scale() -> None:
    recipe = tiny("td3_bc")
    old, _, new = _cross(Handover(), recipe.pretrain[0].learner, recipe.finetune.learner)
    same_bits(new.stats, old.stats)
    same_bits(new.pretrained["stats"], old.stats)


def test_a_deterministic_actor_becomes_a_gaussian_of_the_same_mode() -> None:
    source, online = tiny("td3").finetune.learner, tiny("sac").finetune.learner
    old, _, new = _cross(Handover(log_std=-2.0, critic="fresh"), source, online)
    before, after = source.view(old).policy(OBS), online.view(new).policy(OBS)
    np.testing.assert_array_equal(before.mode(), after.mode())
    np.testing.assert_array_equal(after.log_std, np.full((5, SPEC.action_dim), -2.0))
    pretrained = online.view(new).pretrained(OBS)
    np.testing.assert_array_equal(before.mode(), pretrained.mode())


def test_a_gaussian_actor_becomes_its_mode() -> None:
    source, online = tiny("sac").finetune.learner, tiny("td3").finetune.learner
    old, _, new = _cross(Handover(), source, online)
    np.testing.assert_array_equal(
        source.view(old).policy(OBS).mode(), online.view(new).policy(OBS).mode()
    )
    same_bits(new.targets["actor"], new.nets["actor"])


def test_two_critics_do_not_become_ten_without_being_told() -> None:
    source, online = tiny("sac", members=2), tiny("sac", members=10)
    learners = source.finetune.learner, online.finetune.learner
    with pytest.raises(RecipeError, match=r"2x5x8.*10x5x8.*handover\.critic=fresh"):
        _cross(Handover(), *learners)
    old, fresh, new = _cross(Handover(critic="fresh"), *learners)
    same_bits(new.nets["critic"], fresh.nets["critic"])
    same_bits(new.nets["actor"], old.nets["actor"])


def test_what_does_not_fit_can_be_left_behind_as_the_message_says() -> None:
    learners = (tiny("sac", hidden=(6,)).finetune.learner, tiny("sac").finetune.learner)
    with pytest.raises(RecipeError, match=r"handover\.actor=fresh"):
        _cross(Handover(critic="fresh"), *learners)
    _, fresh, new = _cross(Handover(actor="fresh", critic="fresh"), *learners)
    same_bits(new.nets["actor"], fresh.nets["actor"])
    assert not new.pretrained
    with pytest.raises(RecipeError, match=r"replay\.warmup\.by=online"):
        frozen(learners[1].view(new))


def test_a_spread_that_cannot_be_constant_is_refused() -> None:
    source = tiny("td3").finetune.learner
    online = tiny("sac", std="tanh").finetune.learner
    with pytest.raises(RecipeError, match="std 'tanh'"):
        _cross(Handover(critic="fresh"), source, online)
    with pytest.raises(RecipeError, match="cannot become a Gaussian"):
        _cross(Handover(critic="fresh", log_std=9.0), source, tiny("sac").finetune.learner)


@pytest.mark.parametrize("targets", ["keep", "copy"])
def test_no_buffer_stands_in_two_places(targets: Any) -> None:
    recipe = tiny("td3_bc")

    def cross(state: State) -> State:
        return hand_over(KEY, Handover(targets=targets), state, recipe.finetune.learner, SPEC).state

    new = jax.jit(cross)(_trained(recipe.pretrain[0].learner))
    places = [leaf.unsafe_buffer_pointer() for leaf in jax.tree.leaves(new)]
    assert len(set(places)) == len(places)


def test_moments_cross_to_an_optimiser_with_a_clip() -> None:
    recipe = tiny("aca")
    offline, online = recipe.pretrain[0].learner, recipe.finetune.learner
    source = offline.init(jax.random.PRNGKey(0), SPEC)
    marked = jax.tree.map(lambda x: x + 1, source.opts["actor"])
    source = source.replace(opts={**source.opts, "actor": marked})
    state = hand_over(jax.random.PRNGKey(1), recipe.handover, source, online, SPEC).state
    for got, want in zip(
        jax.tree.leaves(state.opts["actor"]), jax.tree.leaves(marked), strict=True
    ):
        np.testing.assert_array_equal(got, want)


def test_what_crosses_is_traced_once_for_equal_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Handover] = []

    def counted(rule: Handover, *rest: Any) -> Any:
        asked.append(rule)
        return table_of(rule, *rest)

    monkeypatch.setattr("warmstart.api.in_words.table_of", counted)
    monkeypatch.setattr("warmstart.engine.shared._KEPT", OrderedDict())
    first = crossing(tiny("wsrl"))
    assert crossing(tiny("wsrl")) == first and len(asked) == 1
    other = tiny("wsrl").with_("handover.critic", "fresh").with_("handover.moments", "fresh")
    assert crossing(other) != first and len(asked) == 2

    @dataclasses.dataclass(frozen=True)
    class Own(ActorCritic):
        """A part of a user's, whose code may change under it."""

    learner = other.finetune.learner
    own = Own(**{f.name: getattr(learner, f.name) for f in dataclasses.fields(learner)})
    mine = dataclasses.replace(other, finetune=dataclasses.replace(other.finetune, learner=own))
    assert crossing(mine) == crossing(mine) == crossing(other) and len(asked) == 4


def test_equal_weights_are_not_said_to_differ() -> None:
    source = tiny("sac", std="tanh").finetune.learner
    with pytest.raises(RecipeError, match="online it must be one with another squashing, spread"):
        _cross(Handover(critic="fresh"), source, tiny("sac").finetune.learner)


def _outcomes(method: str, changes: dict[str, str]) -> dict[str, tuple[str, str]]:
    recipe = compose(tiny(method), changes, "quick")
    before, online = recipe.pretrain[-1].learner, recipe.finetune.learner
    table = table_of(recipe.handover, before, online, SPEC)
    assert len({row.component for row in table}) == len(table)
    return {row.component: (row.outcome, row.reason) for row in table}


def test_the_table_says_what_a_cloned_policy_lacks() -> None:
    """`wsrl --set pretrain=bc`: everything but the actor begins again, and it says so."""
    told = _outcomes("wsrl", {"pretrain": "bc"})
    assert told["actor"][0] == told["frozen policy"][0] == "converted"
    assert told["actor moments"] == ("dropped", "the actor was converted: they begin at 0")
    for name in ("critic", "temperature"):
        assert told[name] == ("fresh", "the pre-training has none")
        assert told[f"{name} moments"] == ("fresh", f"the {name} is fresh")
    assert told["critic target"] == ("fresh", "a copy of the fresh critic")


@pytest.mark.parametrize(
    ("method", "changes", "want"),
    [
        ("wsrl", {}, {"critic target": "kept", "temperature": "kept", "actor moments": "kept"}),
        ("wsrl", {"pretrain": "td3_bc"}, {"actor target": "dropped", "critic moments": "kept"}),
        ("wsrl", {"pretrain": "iql"}, {"value": "dropped", "critic": "kept"}),
        ("aca", {}, {"critic": "converted", "critic target": "dropped", "value": "dropped"}),
        ("off2on", {}, {"actor moments": "fresh", "critic target": "dropped"}),
        ("pex", {}, {"actor": "fresh", "actor moments": "dropped", "frozen policy": "kept"}),
        ("odt", {}, {"observation statistics": "kept", "temperature": "kept"}),
        ("moore", {}, {"model": "kept"}),
    ],
)
def test_the_table_is_of_every_kind_of_component(
    method: str, changes: dict[str, str], want: dict[str, str]
) -> None:
    told = _outcomes(method, changes)
    assert {name: told[name][0] for name in want} == want


def test_a_multiplier_without_a_place_is_dropped_by_its_name() -> None:
    offline = tiny("wsrl", gap=0.8).pretrain[0].learner
    table = table_of(Handover(), offline, tiny("wsrl").finetune.learner, SPEC)
    want = ("dropped", "the online learner has none; its moments with it")
    assert [row[1:] for row in table if row[0] == "conservatism multiplier"] == [want]
    assert "dropped: conservatism multiplier" in in_words(table)


@pytest.mark.parametrize(
    "rule",
    [
        Handover(),
        Handover(actor="fresh"),
        Handover(critic="fresh", moments="fresh"),
        Handover(targets="copy", temperature="fresh"),
    ],
)
def test_the_table_is_what_was_done(rule: Handover) -> None:
    """Kept means equal to the last bit; all else is not the pre-trained one."""
    recipe = tiny("wsrl")
    online, old = recipe.finetune.learner, _trained(recipe.pretrain[0].learner)
    old = old.replace(targets=jax.tree.map(lambda x: x + 1, old.targets))
    state, table = hand_over(KEY, rule, old, online, SPEC)
    assert table == table_of(rule, recipe.pretrain[0].learner, online, SPEC)
    for component, outcome, _ in table:
        name, _, what = component.partition(" ")
        field = {"moments": "opts", "target": "targets", "": "nets", "policy": "pretrained"}[what]
        new = getattr(state, field)["actor" if field == "pretrained" else name]
        before = getattr(old, "nets" if field == "pretrained" else field)[
            "actor" if field == "pretrained" else name
        ]
        leaves = zip(jax.tree.leaves(new), jax.tree.leaves(before), strict=True)
        same = all(np.array_equal(a, b) for a, b in leaves)
        assert same == (outcome == "kept"), component
    assert "kept" in in_words(table)
