"""The exchanges that the papers study are options of parts, and do what they say."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import QUIET, Fixed, finish, learnt, same_bits, tiny, trainer

from warmstart.acting import JumpStart
from warmstart.api.changes import changed
from warmstart.api.declare import Declared, declare
from warmstart.api.in_words import crossing
from warmstart.commands import options
from warmstart.commands.parse import parse
from warmstart.errors import RecipeError
from warmstart.learners import ByDisagreement
from warmstart.methods import jsrl as jsrl_
from warmstart.parts import ToReturns
from warmstart.recipe import Recipe
from warmstart.replay import Mixed

KEY = jax.random.PRNGKey(0)
OFTEN = dataclasses.replace(QUIET, log_every=4)


def wsrl(**changes: Any) -> Recipe:
    """A small WSRL with changes, dots in their names written as double underscores."""
    recipe = tiny("wsrl")
    for path, value in changes.items():
        recipe = recipe.with_(path.replace("__", "."), value)
    return recipe


def at_switch(recipe: Recipe) -> tuple[Any, Any]:
    """The state before and after the handover, [S, ...] on the host."""
    run = trainer(recipe)
    for _ in run.run("pretrained"):
        pass
    before = run.carry.get(lambda c: c.state).host()
    run.enter("online", 0)
    return before, run.carry.get(lambda c: c.state).host()


@pytest.mark.parametrize("actor", ["keep", "fresh"])
@pytest.mark.parametrize("critic", ["keep", "fresh"])
@pytest.mark.parametrize("moments", ["keep", "fresh"])
def test_any_of_actor_critic_and_moments_can_be_loaded(
    actor: str, critic: str, moments: str
) -> None:
    recipe = wsrl(handover__actor=actor, handover__critic=critic, handover__moments=moments)
    before, after = at_switch(recipe)
    for name, choice in (("actor", actor), ("critic", critic)):
        pairs = zip(_leaves(before.nets[name]), _leaves(after.nets[name]), strict=True)
        kept = all(np.array_equal(x, y) for x, y in pairs)
        assert kept == (choice == "keep"), name
        moved = any(np.any(leaf != 0) for leaf in _leaves(after.opts[name]))
        assert moved == (choice == "keep" and moments == "keep"), name
    same_bits(after.pretrained["actor"], before.nets["actor"])  # the guide is there all the same


def _leaves(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


@pytest.mark.parametrize(
    ("by", "steps"),
    [("policy", 3), ("online", 20), ("untrained", 0), ("untrained", 3), ("random", 3)],
)
def test_a_warm_up_has_any_length_and_any_actor(by: str, steps: int) -> None:
    recipe = wsrl(replay__warmup__by=by, replay__warmup__steps=steps)
    run = trainer(recipe)
    finish(run)
    u = recipe.finetune.rhythm.updates
    assert run.position.done == [u * (recipe.finetune.steps - steps)]


def test_an_untrained_policy_is_the_one_of_before_any_training() -> None:
    recipe = wsrl(replay__warmup__by="untrained", replay__warmup__steps=8)
    _, state = at_switch(recipe)
    drawn, learnt_ = state.pretrained["untrained"], state.pretrained["actor"]
    assert any(np.any(x != y) for x, y in zip(_leaves(drawn), _leaves(learnt_), strict=True))
    finish(trainer(tiny("sac").with_("replay.warmup.by", "untrained")))
    rows = {}
    for by in ("untrained", "policy"):
        run = trainer(recipe.with_("replay.warmup.by", by), world=Fixed)
        finish(run)
        rows[by] = learnt(run)[1].rows[0, :8, 3:5]
    assert np.all(rows["untrained"][0] != rows["policy"][0])


@pytest.mark.parametrize(
    "changes",
    [
        {"replay__preload__kind": "all"},
        {"replay__source": "Mixed", "replay__source__share": 0.25},
        {"replay__source": "Mixed", "replay__source__share": 0.5, "replay__source__end": 0.0},
    ],
    ids=["appended", "fixed share", "annealed to zero"],
)
def test_the_dataset_can_be_retained(changes: dict[str, Any]) -> None:
    shares = [
        event.values["online_share"]
        for event in finish(trainer(wsrl(**changes), schedule=OFTEN))
        if event.kind == "train" and event.phase == "online"
    ]
    assert min(shares) < 1.0
    if "replay__source__end" in changes:
        assert shares[-1] > shares[0]


@pytest.mark.parametrize(
    "method",
    [
        "iql",  # the cheapest that has an actor, critics and a value
        *(pytest.param(m, marks=pytest.mark.laws) for m in ("cal_ql", "td3_bc", "wsrl", "sac")),
        *(pytest.param(m, marks=pytest.mark.laws) for m in ("pex", "awac")),
    ],
)
@pytest.mark.parametrize(
    ("path", "value"),
    [("learner.normalise", "running"), ("nets.kind", "simba"), ("nets.layer_norm", "true")],
)
def test_networks_and_scaling_change_everywhere_at_once(method: str, path: str, value: str) -> None:
    recipe = tiny(method).with_(path, value)
    assert recipe != tiny(method)
    learners = [*(stage.learner for stage in recipe.pretrain), recipe.finetune.learner]
    for learner in learners:
        if path == "nets.kind":
            assert learner.policy.net.kind == "simba"
            assert learner.critic is None or learner.critic.net.kind == "simba"
            assert learner.value is None or learner.value.net.kind == "simba"
        elif path == "learner.normalise":
            assert learner.normalise == "running"
    events = finish(trainer(recipe, schedule=OFTEN))
    numbers = [v for e in events if e.kind == "train" for v in e.values.values()]
    assert numbers and np.all(np.isfinite(numbers))


def test_a_field_that_no_learner_has_is_refused() -> None:
    with pytest.raises(RecipeError, match="normalise"):
        tiny("wsrl").with_("learner.normalize", "running")
    with pytest.raises(RecipeError, match="kind"):
        tiny("wsrl").with_("nets.knd", "simba")


@pytest.mark.parametrize("method", [pytest.param("td3_c", marks=pytest.mark.laws), "wsrl"])
def test_the_slope_of_q_can_be_clipped(method: str) -> None:
    plain = tiny(method).with_("learner.improvement.action_clip", "none")
    clipped = plain.with_("learner.improvement.action_clip", "1e-3")
    ends = []
    for recipe in (plain, clipped):
        run = trainer(recipe)
        finish(run)
        ends.append(learnt(run)[0].nets["actor"])
    assert any(np.any(x != y) for x, y in zip(*map(_leaves, ends), strict=True))


def test_cal_qls_bound_can_be_a_learned_value() -> None:
    recipe = tiny("cal_ql")
    with pytest.raises(RecipeError, match="value=ValueSpec"):
        recipe.with_("learner.conservatism.reference", "value")
    recipe = (
        recipe.with_("learner.value", "ValueSpec")
        .with_("nets.hidden", "8")
        .with_("learner.value_fit", "ToReturns")
        .with_("learner.conservatism.reference", "value")
    )
    assert recipe.reads_returns
    lines = [e.values for e in finish(trainer(recipe, schedule=OFTEN)) if e.kind == "train"]
    assert all({"bound_rate", "value_loss"} <= set(line) for line in lines)


def test_a_learned_reference_is_fitted_where_returns_are_known() -> None:
    class View:
        def value(self, obs: Any, net: Any = None) -> Any:
            return jnp.array([1.0, 2.0, 5.0])

    view: Any = View()
    batch: Any = type("Rows", (), {"obs": None, "return_to_go": jnp.array([3.0, -jnp.inf, 4.0])})
    loss, info = ToReturns()(KEY, view, None, batch, jnp.zeros(()), 0.99)
    assert float(loss) == pytest.approx((2.0**2 + 1.0**2) / 2, rel=1e-6)
    assert float(info["value_mean"]) == pytest.approx(8.0 / 3.0)
    slope = jax.grad(lambda v: ToReturns()(KEY, _of(v), None, batch, jnp.zeros(()), 0.99)[0])
    assert np.all(np.isfinite(slope(jnp.array([1.0, 2.0, 5.0]))))


def _of(values: Any) -> Any:
    return type("View", (), {"value": lambda self, obs, net=None: values})()


def test_a_ramp_takes_its_share_of_the_updates() -> None:
    recipe = wsrl(
        finetune__rhythm__pace="Ramp",
        finetune__rhythm__pace__start=0.0,
        finetune__steps=40,
        replay__warmup__steps=0,
    )
    run = trainer(recipe, seeds=(0, 1), world=Fixed)
    finish(run)
    u, full = recipe.finetune.learner.minibatches, recipe.finetune.rhythm.updates * 40
    for done in run.position.done:
        assert done % u == 0
        assert 0.3 * full < done < 0.7 * full  # the mean of a ramp from 0 to 1
    assert not any(run.position.owed)


def test_the_ratio_counts_critic_steps_and_the_actor_steps_once_an_update() -> None:
    """What docs/swaps.md says of `finetune.rhythm.updates` and `learner.minibatches`."""
    for changes, actor in (({"minibatches": "8"}, 1), ({}, 2)):
        recipe = changed(
            tiny("wsrl", ratio=4, steps=6, warmup=0),
            {"finetune.rhythm.updates": "8"}
            | {f"finetune.learner.{name}": value for name, value in changes.items()},
        )
        run = trainer(recipe, world=Fixed)
        finish(run)
        assert run.position.done == [8 * 6]
        count = run.carry.get(lambda c: c.state.opts["actor"][1].count).host()
        assert count.tolist() == [6 * actor + recipe.pretrain[0].updates]


def test_changes_that_need_each_other_are_made_together() -> None:
    both = {"finetune.rhythm.updates": "6", "finetune.learner.minibatches": "6"}
    recipe = changed(tiny("wsrl", ratio=4), both)
    assert recipe.finetune.rhythm.updates == recipe.finetune.learner.minibatches == 6
    with pytest.raises(RecipeError, match="6 is no multiple of the learner's 5"):
        changed(tiny("wsrl", ratio=4), {**both, "finetune.learner.minibatches": "5"})


@pytest.mark.parametrize("turned", [False, True])
def test_a_whole_part_never_undoes_a_change_of_its_fields(turned: bool) -> None:
    pairs = [
        ("replay.source", "Mixed"),
        ("replay.source.share", "0.2"),
        ("learner.batch", "5"),
        ("pretrain.0.learner.batch", "6"),
    ]
    recipe = changed(tiny("cal_ql"), dict(reversed(pairs) if turned else pairs))
    assert recipe.replay.source == Mixed(0.2)
    assert (recipe.pretrain[0].learner.batch, recipe.finetune.learner.batch) == (6, 5)


def test_what_is_named_goes_before_the_family() -> None:
    assert jsrl_.recipe("random").acting == JumpStart("random")
    assert jsrl_.recipe("random", variant="curriculum").acting == JumpStart("curriculum")
    assert jsrl_.recipe("roll_in", variant="random").acting == JumpStart("random")
    assert jsrl_.recipe("paper", variant="roll_in").acting == JumpStart("roll_in")
    with pytest.raises(RecipeError, match=r"handover\.actor=fresh"):
        jsrl_.recipe("roll_in", start="cold")
    rates = [
        tiny("wsrl", **numbers).finetune.learner.actor_optimiser.lr
        for numbers in (
            {},
            {"actor_lr": 1e-6},
            {"actor_lr": 1e-6, "online_actor_lr": None},
            {"actor_lr": 1e-6, "online_actor_lr": 1e-7},
        )
    ]
    assert rates == [3e-4, 3e-4, 1e-6, 1e-7]


def test_disagreeing_critics_learn_less() -> None:
    done = {}
    for bearable in ("1e-6", "1e6"):
        recipe = (
            wsrl(replay__warmup__steps=0)
            .with_("finetune.rhythm.pace", "ByDisagreement")
            .with_("finetune.rhythm.pace.bearable", bearable)
            .with_("finetune.rhythm.pace.least", "0.5")
        )
        run = trainer(recipe, world=Fixed)
        finish(run)
        done[bearable] = run.position.done[0]
    full = recipe.finetune.rhythm.updates * recipe.finetune.steps
    assert done["1e6"] == full
    assert 0.3 * full < done["1e-6"] < 0.7 * full


def test_a_pace_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"end cannot be 2\.0; give a number from 0 to 1"):
        wsrl(finetune__rhythm__pace="Ramp").with_("finetune.rhythm.pace.end", 2.0)
    one = tiny("bc").with_("learner.critic", "none")
    with pytest.raises(RecipeError, match="at least two critics"):
        one.with_("finetune.rhythm.pace", "ByDisagreement")


def test_disagreement_is_the_spread_over_the_size() -> None:
    class View:
        def q(self, obs: Any, action: Any) -> Any:
            return jnp.array([[1.0, -4.0], [3.0, -4.0]])

    batch: Any = type("Rows", (), {"obs": None, "action": None})
    view: Any = View()
    clock: Any = None
    # Spread (1 + 0) / 2, size (2 + 4) / 2.
    share = ByDisagreement(bearable=0.05, least=0.1).share(view, clock, batch)
    assert float(share) == pytest.approx(0.05 / (0.5 / 3.0), rel=1e-6)


PAGE = Path(__file__).parents[2] / "docs" / "swaps.md"


@pytest.mark.parametrize("line", re.findall(r"`warmstart (run [^`]+)`", PAGE.read_text()))
def test_the_commands_of_the_page_are_runs(line: str) -> None:
    given = parse(shlex.split(line))
    assert isinstance(given, options.Run) and given.set
    changes = dict(pair.split("=", 1) for pair in given.set)
    changed = declare(given.method, given.task or "", changes=changes)
    crossing(changed.recipe)  # what is pre-trained can cross
    assert changed.recipe != declare(given.method, given.task or "").recipe
    assert Declared.from_json(changed.to_json()) == changed
