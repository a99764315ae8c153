"""A stored policy acts as the compiled one does, in the environment's units, rule included."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from shelf import ACTIONS, HIGH, LOW, OBS, SMALL, boxed, put, sighted, small_view, state_of

import warmstart as ws
from warmstart.acting import (
    BestOf,
    ByValue,
    Desired,
    JumpStart,
    Noisy,
    OpenLoop,
    Optimistic,
    Sampled,
)
from warmstart.errors import RunError, TaskError
from warmstart.nets.distributions import Generated
from warmstart.nets.flows import DistilledPolicySpec, FlowPolicySpec
from warmstart.nets.sequence_spec import SequenceSpec
from warmstart.nets.spec import CriticSpec, NetSpec, PolicySpec
from warmstart.policy.actor import NumpyPolicy
from warmstart.policy.describe import stored_learner
from warmstart.policy.folder import read_policy
from warmstart.policy.parity import trial_observations
from warmstart.types import Clock, Listener, Spec, Step
from warmstart.values import register
from warmstart.views import View

MLP = NetSpec((16, 8))
SPECS: dict[str, PolicySpec | FlowPolicySpec] = {
    **{name: PolicySpec(NetSpec((16, 8), name)) for name in
       ("relu", "tanh", "elu", "gelu", "swish")},
    "layer norm": PolicySpec(NetSpec((16, 8), layer_norm=True)),
    "first layer norm": PolicySpec(NetSpec((16, 8), layer_norm="first")),
    "simba": PolicySpec(NetSpec((16, 16), kind="simba")),
    "uniform": PolicySpec(MLP, std="uniform", squash=False),
    "bounded mean": PolicySpec(MLP, squash=False, bounded_mean=True),
    "affine": PolicySpec(MLP, std="tanh", log_std_range=(-5.0, 2.0), log_std_affine=(0.5, -1.0)),
    "deterministic": PolicySpec(MLP, kind="deterministic"),
    "matched": PolicySpec(MLP, agents=3),
    "flow": FlowPolicySpec(NetSpec((16, 8), activation="gelu"), 4),
    "distilled": DistilledPolicySpec(MLP, 4),
}  # fmt: skip
OBSERVED = (3.0 * np.random.default_rng(0).standard_normal((7, OBS))).astype(np.float32)
CLOCK = Clock(jnp.int32(5), jnp.int32(7), jnp.int32(9))


def stepped(rule: Any, view: View, memory: Any, obs: Any, reward: float, first: bool) -> Any:
    """What the rule itself does in evaluation."""
    count = len(obs)
    step = Step(jnp.asarray(obs), jnp.full(count, reward), jnp.full(count, float(first)))
    return rule(jax.random.key(1), CLOCK, view, memory, step, "evaluate")


@pytest.mark.parametrize("numbers", [OBS, 0])
def test_two_cameras_are_seen_as_in_jax(tmp_path: Any, numbers: int) -> None:
    """Odd sizes, strides of 2 and 1, and images as the environment gives them."""
    folder = sighted(tmp_path / "p", "gaussian", numbers)
    actor, stored = NumpyPolicy(read_policy(folder)), read_policy(folder)
    learner, state = stored_learner(stored.card, stored.tensors)
    flat = trial_observations(actor, 20)
    wanted = boxed(learner.view(state).policy(jnp.asarray(flat)).mode())
    np.testing.assert_allclose(actor.act(flat), wanted, rtol=1e-5, atol=1e-5)
    assert np.ptp(wanted, axis=0).min() > 1e-3
    n = numbers + 13 * 10 * 3
    images = {
        "top": flat[:, numbers:n].reshape(-1, 13, 10, 3).astype(np.uint8),
        "wrist": flat[:, n:].reshape(-1, 9, 12, 6).astype(np.uint8),
    }
    looks = {**images, "arm": flat[:, :numbers]} if numbers else images
    np.testing.assert_array_equal(actor.act(looks), actor.act(flat))


@pytest.mark.parametrize("normalise", ["none", "dataset", "running"])
@pytest.mark.parametrize("name", SPECS)
def test_every_kind_of_policy_in_the_units_of_the_box(tmp_path, name, normalise) -> None:
    if normalise != "none" and name not in ("relu", "matched"):
        return
    spec = SPECS[name]
    net = spec.build(jax.random.key(3), OBS, ACTIONS)
    view = View(state_of(net), spec.distribution, normalise)
    actor = ws.actor(put(tmp_path / "p", view, Sampled()))
    wanted = boxed(view.policy(jnp.asarray(OBSERVED)).mode())
    actions = actor(OBSERVED)
    assert np.abs(actions - wanted).max() < 1e-5 * (HIGH - LOW).max()
    assert np.ptp(actions, axis=0).min() > 0.01 * (HIGH - LOW).min()
    assert actions.dtype == np.float64 and np.all((actions >= LOW) & (actions <= HIGH))
    assert np.allclose(actor(OBSERVED[2]), wanted[2], atol=1e-4)
    assert actor(OBSERVED[2]).shape == (ACTIONS,)


def test_what_was_stored_is_the_view_again_bit_for_bit(tmp_path) -> None:
    for i, spec in enumerate((*SPECS.values(), SequenceSpec(layers=1, width=8))):
        if isinstance(spec, SequenceSpec):
            net: Any = spec.build(jax.random.key(0), Spec(OBS, ACTIONS, 9))
        else:
            net = spec.build(jax.random.key(0), OBS, ACTIONS)
        view = View(state_of(net, net), spec.distribution, "dataset")
        stored = read_policy(put(tmp_path / str(i), view, JumpStart()))
        learner, state = stored_learner(stored.card, stored.tensors)
        again, known = learner.view(state), view.state
        assert (again.kind, again.normalise, again.width) == (view.kind, "dataset", None)
        for a, b in ((state.nets, known.nets), (state.pretrained, known.pretrained)):
            assert jax.tree.structure(a) == jax.tree.structure(b)
            assert all(
                np.array_equal(x, y) for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True)
            )


def test_draws_follow_the_policy_and_the_callers_generator(tmp_path) -> None:
    view = small_view()
    actor = ws.actor(put(tmp_path / "p", view, Sampled()))
    rows = np.repeat(OBSERVED[:1], 4000, axis=0)
    drawn = actor.sample(rows, np.random.default_rng(1))
    told: Any = view.policy(jnp.asarray(OBSERVED[0]))
    free = np.arctanh(2.0 * (drawn - LOW) / (HIGH - LOW) - 1.0)
    std = np.exp(np.asarray(told.log_std))
    assert np.abs(np.mean(free, axis=0) - told.mean).max() < 0.1 * std.max()
    assert np.allclose(np.std(free, axis=0), std, rtol=0.1)
    again = actor.predict(rows, deterministic=False, rng=np.random.default_rng(1))[0]
    assert np.array_equal(drawn, again)
    with pytest.raises(TaskError, match="give rng="):
        actor.predict(rows, deterministic=False)


def test_noise_is_of_the_rules_size_inside_the_box(tmp_path) -> None:
    net = PolicySpec(MLP, kind="deterministic").build(jax.random.key(2), OBS, ACTIONS)
    view = View(state_of(net), "deterministic", "none")
    actor = ws.actor(put(tmp_path / "p", view, Noisy(0.05)))
    rows = np.repeat(OBSERVED[:1] / 9, 4000, axis=0)
    drawn = actor.sample(rows, np.random.default_rng(0))
    assert np.allclose((drawn - actor(rows)).std(axis=0), 0.05 * (HIGH - LOW) / 2, rtol=0.1)


def both(seed: int) -> tuple[Any, Any]:
    return tuple(SMALL.build(jax.random.key(k), OBS, ACTIONS) for k in (seed, seed + 1))


def test_the_choice_by_value_is_the_rules_own(tmp_path) -> None:
    actor_net, pretrained = both(0)
    chosen = np.zeros(2, bool)
    for key, shared in ((7, False), (8, True), (9, False), (10, True)):
        critics = CriticSpec(MLP, 3, shared).build(jax.random.key(key), OBS, ACTIONS)
        view = View(state_of(actor_net, pretrained, critic=critics), "squashed", "dataset")
        rule = ByValue(epsilon=0.0)
        actor = ws.actor(put(tmp_path / f"p{key}", view, rule))
        wanted, _ = stepped(rule, view, (), OBSERVED, 0.0, True)
        actions = actor(OBSERVED)
        assert np.allclose(actions, boxed(wanted), atol=1e-4)
        for i, mode in enumerate((view.policy(OBSERVED).mode(), view.pretrained(OBSERVED).mode())):
            chosen[i] |= bool((np.abs(actions - boxed(mode)).max(axis=1) < 1e-4).any())
    assert chosen.all()


def test_before_the_switch_a_choice_has_one_policy(tmp_path) -> None:
    view = small_view()
    actor = ws.actor(put(tmp_path / "p", view, ByValue()))
    assert np.allclose(actor(OBSERVED), boxed(view.policy(OBSERVED).mode()), atol=1e-4)


def test_the_best_of_several_lies_where_the_critics_say(tmp_path) -> None:
    critics = CriticSpec(MLP, 2).build(jax.random.key(7), OBS, ACTIONS)
    view = View(state_of(both(0)[0], critic=critics), "squashed", "dataset")
    rule = Optimistic(candidates=400, sigma=0.5)
    actor = ws.actor(put(tmp_path / "p", view, rule))
    mode = view.policy(OBSERVED).mode()
    assert np.allclose(actor(OBSERVED), boxed(mode), atol=1e-4)
    unit = 2.0 * (actor.sample(OBSERVED, np.random.default_rng(0)) - LOW) / (HIGH - LOW) - 1.0

    def value(action: Any) -> Any:
        return view.q(jnp.asarray(OBSERVED), jnp.asarray(action, jnp.float32)).mean(axis=0)

    noise = 0.5 * np.random.default_rng(5).standard_normal((400, *mode.shape))
    around = jnp.clip(mode + noise.astype(np.float32), -1, 1)
    best = jnp.stack([value(action) for action in around]).max(axis=0)
    assert np.all(value(unit) > value(mode))
    assert np.all(value(unit) > best - 0.3 * (best - value(mode)))


def test_a_policy_of_noise_draws_as_the_flow_does(tmp_path) -> None:
    """Of a flow far inside the box, the same noise gives the same action."""
    for name in ("flow", "distilled"):
        net = SPECS[name].build(jax.random.key(4), OBS, ACTIONS)
        view = View(state_of(net), "generated", "dataset")
        actor = ws.actor(put(tmp_path / name, view, Sampled("sample")))
        drawn = actor.sample(OBSERVED, np.random.default_rng(2))
        noise = np.random.default_rng(2).standard_normal((7, ACTIONS), np.float32)
        policy = view.policy(jnp.asarray(OBSERVED))
        assert isinstance(policy, Generated)
        assert np.allclose(drawn, boxed(policy.made(jnp.asarray(noise))), atol=1e-4)
        assert np.allclose(actor(OBSERVED), boxed(policy.mode()), atol=1e-4)


@pytest.mark.parametrize("pessimism", [None, 0.5])
def test_the_best_of_the_draws_is_one_of_them_and_the_best(tmp_path, pessimism) -> None:
    critics = CriticSpec(MLP, 3).build(jax.random.key(7), OBS, ACTIONS)
    net = SPECS["flow"].build(jax.random.key(4), OBS, ACTIONS)
    view = View(state_of(net, critic=critics), "generated", "dataset")
    actor = ws.actor(put(tmp_path / "p", view, BestOf(50, pessimism)))
    noise = np.random.default_rng(2).standard_normal((50, 7, ACTIONS), np.float32)
    policy: Any = view.policy(jnp.asarray(OBSERVED))
    drawn = policy.made(jnp.asarray(noise))
    q = np.asarray(view.critic().call_actions(view.obs(jnp.asarray(OBSERVED)), drawn))
    judged = q.min(0) if pessimism is None else q.mean(0) - pessimism * q.std(0)
    best = np.asarray(drawn)[np.argmax(judged, axis=0), np.arange(7)]
    assert np.allclose(actor.sample(OBSERVED, np.random.default_rng(2)), boxed(best), atol=1e-4)
    # In evaluation an action is a function of its observation, alone or among others.
    assert np.allclose(actor(OBSERVED)[3], actor(OBSERVED[3]))
    assert np.allclose(actor(OBSERVED), actor(OBSERVED))


def test_chunks_are_acted_out_and_an_episode_that_begins_drops_the_rest(tmp_path) -> None:
    """Observation by observation as in JAX, in a batch whose episodes begin at different times."""
    net = PolicySpec(MLP).build(jax.random.key(4), OBS, 3 * ACTIONS)
    view, rule = View(state_of(net), "squashed", "dataset"), OpenLoop(Sampled(), 3)
    folder = put(tmp_path / "p", view, rule)
    actor, memory, state = ws.actor(folder), rule.init(7, Spec(OBS, ACTIONS)), None
    assert actor.acts_on == "episode"
    with pytest.raises(TaskError, match=r"OpenLoop.* acts on the episode so far"):
        actor(OBSERVED)
    for t in range(7):
        first = np.arange(7) % 4 == t % 4 if t else np.ones(7, bool)
        step = Step(jnp.asarray(OBSERVED + t), jnp.zeros(7), jnp.asarray(first, float))
        unit, memory = rule(jax.random.key(1), CLOCK, view, memory, step, "evaluate")
        action, state = actor.predict(OBSERVED + t, state, first)
        assert np.abs(action - boxed(unit)).max() < 1e-4
    after: Any = actor.rule
    dropped, _ = actor.predict(OBSERVED, after.executed(state, np.zeros(ACTIONS)))
    assert np.allclose(dropped, actor.predict(OBSERVED)[0])
    drawn, _ = actor.predict(OBSERVED, deterministic=False, rng=np.random.default_rng(0))
    assert np.abs(drawn - actor.predict(OBSERVED)[0]).min() > 0.0
    out = ws.export(folder, tmp_path / "out")
    assert out.card["exported"]["acts_on"] == "episode"
    assert out.card["exported"]["parity"]["numpy"] < 1e-5
    assert "policy.predict(obs, state)" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("guide, stage", [(0.0, 0.0), (4.0, 1.0), (4.0, 2.0)])
def test_the_guide_goes_first_as_long_as_the_run_had_come_to(tmp_path, guide, stage) -> None:
    actor_net, pretrained = both(0)
    rule = JumpStart(stages=2)
    told = rule.signals()
    told["jump_start"] |= {"guide": jnp.float32(guide), "stage": jnp.float32(stage)}
    view = View(state_of(actor_net, pretrained, signals=told), "squashed", "dataset")
    actor = ws.actor(put(tmp_path / "p", view, rule))
    memory, state = rule.init(len(OBSERVED), Spec(OBS, ACTIONS)), None
    for t in range(8):
        first = t in (0, 5)
        wanted, memory = stepped(rule, view, memory, OBSERVED + t, 0.0, first)
        starts = None if t == 0 else np.full(len(OBSERVED), first)
        action, state = actor.predict(OBSERVED + t, state, starts)
        assert np.allclose(action, boxed(wanted), atol=1e-4), t
    with pytest.raises(TaskError, match=r"JumpStart.*actor.predict"):
        actor(OBSERVED)
    with pytest.raises(TaskError, match="state is of 7 episode"):
        actor.predict(OBSERVED[0], state)


def test_a_roll_in_is_evaluated_without_its_guide(tmp_path) -> None:
    actor_net, pretrained = both(0)
    rule = JumpStart("roll_in", probability=1.0, keep=0.5)
    view = View(state_of(actor_net, pretrained, signals=rule.signals()), "squashed", "dataset")
    actor = ws.actor(put(tmp_path / "p", view, rule))
    assert np.allclose(actor(OBSERVED), boxed(view.policy(OBSERVED).mode()), atol=1e-4)
    with pytest.raises(TaskError, match=r"actor.predict"):
        actor.sample(OBSERVED, np.random.default_rng(0))


@pytest.mark.parametrize("kind, explore", [("deterministic", None), ("gaussian", 0.5)])
def test_a_policy_over_sequences_reads_the_episode_so_far(tmp_path, kind, explore) -> None:
    spec = SequenceSpec(kind, layers=2, heads=2, width=8, activation="gelu")
    net = spec.build(jax.random.key(2), Spec(OBS, ACTIONS, 9))
    view = View(state_of(net), spec.distribution, "dataset")
    rule = Desired(0.8, explore, length=4)
    actor = ws.actor(put(tmp_path / "p", view, rule, reward=(2.0, -0.5)))
    memory, state = rule.init(len(OBSERVED), Spec(OBS, ACTIONS)), None
    for t in range(7):
        first, raw = t in (0, 4), 0.3 * t
        wanted, memory = stepped(rule, view, memory, OBSERVED - t, 2.0 * raw - 0.5, first)
        starts = None if t == 0 else np.full(len(OBSERVED), first)
        reward = None if t == 0 else np.full(len(OBSERVED), raw)
        action, state = actor.predict(OBSERVED - t, state, starts, reward=reward)
        assert np.allclose(action, boxed(wanted), atol=1e-4), t
    with pytest.raises(TaskError, match="reward="):
        actor.predict(OBSERVED, state)
    for bad in (np.nan, -1e300, 1e20):
        with pytest.raises(TaskError, match="give what the environment paid"):
            actor.predict(OBSERVED, state, reward=np.full(len(OBSERVED), bad))
    with pytest.raises(TaskError, match="Desired"):
        actor(OBSERVED[0])


@register
@dataclasses.dataclass(frozen=True)
class MyOwn(Listener):
    """A rule that only its user knows."""


def test_a_rule_of_ones_own_is_named_and_refused(tmp_path) -> None:
    folder = put(tmp_path / "p", small_view(), MyOwn())
    with pytest.raises(RunError, match=r"acting rule MyOwn has no form in NumPy.*evaluate"):
        NumpyPolicy(read_policy(folder))


def test_critics_on_the_frozen_density_are_named_and_refused(tmp_path) -> None:
    actor_net, pretrained = both(0)
    critics = CriticSpec(MLP, 2).build(jax.random.key(7), OBS, ACTIONS)
    state = state_of(actor_net, pretrained, critic=critics)
    folder = put(tmp_path / "p", View(state, "squashed", "none", 3.0), ByValue())
    with pytest.raises(RunError, match="frozen policy's density"):
        ws.actor(folder)
