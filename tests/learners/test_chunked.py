"""Chunks as single actions: sums, masks, exponents and what counts, by hand in float64."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import SPEC, float64, logged, rows_of, same_bits, tiny, trainer

from warmstart.acting import OpenLoop, Sampled
from warmstart.api import declare
from warmstart.api.idle import require_chunks
from warmstart.engine import Problem
from warmstart.engine.diagnose import Diagnoser
from warmstart.equations.chunks import discounted_sum, known_target, whole_mask
from warmstart.errors import RecipeError, RunError
from warmstart.learners import ActorCritic, ByDisagreement, Chunked
from warmstart.methods import METHODS, fql, qc, qc_fql
from warmstart.methods.compose import compose
from warmstart.nets.flows import DistilledPolicySpec
from warmstart.nets.spec import NetSpec
from warmstart.parts.flow import flow_loss
from warmstart.replay import Layout, taken
from warmstart.state import State, key_for
from warmstart.tasks import RewardTransform
from warmstart.types import Clock, Spec, Transition

KEY = jax.random.PRNGKey(7)
START = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(100))
GAMMA = 0.9
LAYOUT = Layout(1, 2, chunk=3)


def _world() -> np.ndarray:
    """An episode of 4 rows that is terminated, and one of 4 that is cut; row k pays 2^k."""
    rows, k = np.zeros((8, LAYOUT.stored.width), np.float32), np.arange(8)
    rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3] = k, 0.1 * k, -0.1 * k, k + 1
    rows[:, LAYOUT.scalars], rows[:, LAYOUT.scalars + 1] = 2.0**k, 1.0
    rows[3, LAYOUT.scalars + 1] = 0.0
    rows[[3, 7], LAYOUT.last] = 1.0
    return rows


def _drawn(at: Any = range(8)) -> Transition:
    return LAYOUT.unpack(jnp.asarray(taken(_world(), np.asarray(at), LAYOUT), float))


def _chunked(length: int = 3, **changes: Any) -> Chunked:
    inner = ActorCritic(DistilledPolicySpec(NetSpec((8,)), 2), discount=GAMMA, batch=8, **changes)
    return Chunked(inner, length)


@float64()
def test_a_chunk_by_hand() -> None:
    """Whole, whole with the end as its last step, over a real end, and over a time limit."""
    batch = _chunked().folded(KEY, _drawn())
    g, gg = GAMMA, GAMMA**2
    sums = [
        1 + 2 * g + 4 * gg, 2 + 4 * g + 8 * gg, 4 + 8 * g, 8,
        16 + 32 * g + 64 * gg, 32 + 64 * g + 128 * gg, 64 + 128 * g, 128,
    ]  # fmt: skip
    np.testing.assert_allclose(batch.reward, sums, rtol=1e-12)
    # gamma^2 here and gamma in the learner's own target are gamma^3 in all.
    np.testing.assert_allclose(batch.mask, [gg, 0, 0, 0, gg, gg, gg, gg], rtol=1e-12)
    np.testing.assert_array_equal(batch.next_obs[:, 0], [3, 4, 4, 4, 7, 8, 8, 8])
    assert batch.counts is not None and batch.later is None
    np.testing.assert_array_equal(batch.counts.target, [1, 1, 1, 1, 1, 1, 0, 0])
    there = np.array([3, 3, 2, 1, 3, 3, 2, 1])[:, None] > np.arange(3)
    np.testing.assert_array_equal(batch.counts.action, np.repeat(there, 2, axis=1))
    action, k = np.asarray(batch.action).reshape(8, 3, 2), np.arange(8)[:, None] + np.arange(3)
    logged = np.stack([0.1 * k, -0.1 * k], axis=-1)
    np.testing.assert_allclose(action[there], logged[there], atol=1e-7)
    rest = action[~there]
    assert np.all(np.abs(rest) < 1) and len(np.unique(rest)) == rest.size


@float64()
def test_the_equations_at_their_borders() -> None:
    there = jnp.asarray([[1.0, 1, 1], [1, 1, 0], [1, 0, 0]])
    pay, mask = jnp.asarray([[1.0, 10, 100]] * 3), jnp.asarray([[1.0, 1, 0], [1, 0, 7], [1, 5, 5]])
    np.testing.assert_allclose(discounted_sum(pay, there, 0.5), [31, 6, 1])
    np.testing.assert_allclose(discounted_sum(pay, there, 0.0), [1, 1, 1])
    np.testing.assert_allclose(discounted_sum(pay, there, 1.0), [111, 11, 1])
    np.testing.assert_array_equal(whole_mask(mask, there), [0, 0, 1])
    np.testing.assert_array_equal(known_target(whole_mask(mask, there), there), [1, 1, 0])


@float64()
def test_what_counts_in_the_losses() -> None:
    """By hand: the critics' on chunks whose target is known, the flow's on logged numbers."""
    learner = _chunked()
    state = learner.init(KEY, Spec(1, 2))
    batch = learner.folded(key_for(KEY, "chunks"), _drawn())
    view, critic_key = learner.view(state), key_for(jax.random.fold_in(KEY, 0), "backup")
    z = jax.random.normal(key_for(critic_key, "actions"), (1, 8, 6))
    net: Any = state.nets["actor"]
    after = jnp.clip(net.made(batch.next_obs, z[0]), -1, 1)
    q = np.asarray(view.q(batch.next_obs, after, target=True)).min(0)
    y = np.asarray(batch.reward) + GAMMA * np.asarray(batch.mask) * q
    # The exponent is the chunk's length: rows 0, 4 and 5 alone have something behind them.
    sums = np.asarray(batch.reward)
    np.testing.assert_allclose((y - sums)[[0, 4, 5]], GAMMA**3 * q[[0, 4, 5]], rtol=1e-10)
    off = np.asarray(view.q(batch.obs, batch.action)) - y
    rows = jax.tree.map(lambda x: x[None], _drawn())
    _, info = jax.jit(learner.update)(KEY, START, state, rows)
    want = np.mean(off**2 * [1, 1, 1, 1, 1, 1, 0, 0])
    np.testing.assert_allclose(info["critic"]["td_loss"], want, rtol=1e-10)

    x0 = jax.random.normal(key_for(KEY, "start"), (8, 6), float)
    u = jax.random.uniform(key_for(KEY, "time"), (8, 1), float)
    v = net.flow.field(batch.obs, (1 - u) * x0 + u * batch.action, u)
    assert batch.counts is not None
    want = np.mean(np.asarray((v - (batch.action - x0)) ** 2 * batch.counts.action))
    np.testing.assert_allclose(flow_loss(KEY, view, net, batch), want, rtol=1e-10)


def test_states_before_a_real_end_have_their_values_whatever_the_rest_of_the_chunk_is() -> None:
    """An episode of 5 steps that pays 1 at its end, in chunks of 3: none ends where it does."""
    layout = Layout(1, 2, chunk=3)
    rows, t = np.zeros((5, layout.stored.width), np.float32), np.arange(5)
    rows[:, 0] = rows[:, 3] = t
    rows[:, 3] += 1
    rows[:, layout.scalars + 1] = 1.0
    rows[4, [layout.scalars, layout.scalars + 1, layout.last]] = 1.0, 0.0, 1.0
    drawn = layout.unpack(jnp.asarray(taken(rows, np.repeat(t, 20), layout)))
    learner: Any = dataclasses.replace(
        tiny("rlpd_chunks", hidden=(32,), critic_lr=1e-2, minibatches=1).finetune.learner, length=3
    ).with_discount(GAMMA)
    learner = dataclasses.replace(
        learner, learner=dataclasses.replace(learner.learner, trains=("critic",), tau=0.1)
    )

    @jax.jit
    def learnt(state: State) -> State:
        def body(i: Any, state: State) -> State:
            key, batch = jax.random.fold_in(KEY, i), jax.tree.map(lambda x: x[None], drawn)
            actions = jax.random.uniform(key, batch.action.shape, minval=-1.0, maxval=1.0)
            later = batch.later
            assert later is not None
            more = jax.random.uniform(key_for(key, "more"), later.action.shape, minval=-1.0)
            more = jnp.where(later.there[..., None] > 0, more, 0.0)
            batch = batch._replace(action=actions, later=later._replace(action=more))
            return learner.update(key, START, state, batch)[0]

        return jax.lax.fori_loop(0, 400, body, state)

    view = learner.view(learnt(learner.init(KEY, Spec(1, 2))))
    obs = jnp.repeat(jnp.arange(5.0), 50)[:, None]
    q = view.q(obs, jax.random.uniform(KEY, (250, 6), minval=-1.0)).mean(0).reshape(5, 50)
    np.testing.assert_allclose(q.mean(1), GAMMA ** (4.0 - t), atol=0.06)


@float64()
@pytest.mark.parametrize("phase", ["pretrain", "finetune"])
def test_chunks_of_one_action_are_fql_to_the_bit(phase: str) -> None:
    one = tiny("qc_fql", length=1)
    ours = one.pretrain[0].learner if phase == "pretrain" else one.finetune.learner
    theirs = tiny("fql").pretrain[0].learner
    assert isinstance(ours, Chunked) and ours.learner == theirs and ours.chunk == 1
    rows = Layout.of(SPEC).unpack(jnp.asarray(rows_of(logged())[:4], float))
    batch = jax.tree.map(lambda x: x[None], rows)
    state = theirs.init(KEY, SPEC)
    same_bits(ours.init(KEY, SPEC), state)
    same_bits(ours.update(KEY, START, state, batch), theirs.update(KEY, START, state, batch))
    assert trainer(one).carries.online.block.drawn.chunk == 1


def test_networks_are_of_whole_chunks() -> None:
    for name in ("qc", "qc_fql", "rlpd_chunks"):
        learner = tiny(name).finetune.learner
        state = learner.init(KEY, SPEC)
        policy = learner.view(state).policy(jnp.zeros((5, 3)))
        assert policy.sample(KEY).shape == (5, 6)
        assert state.nets["critic"].members >= 2
        rule = tiny(name).acting
        assert isinstance(rule, OpenLoop) and learner.chunk == 3 == rule.chunk
    numbers = qc.recipe("paper"), qc_fql.recipe("paper")
    for recipe in numbers:
        learner: Any = recipe.finetune.learner
        assert learner.length == 5 and learner.learner.batch == 256
        assert learner.learner.policy.net == fql.net((512,) * 4)
        assert learner.learner.critic.net == fql.net((512,) * 4, True)
    best: Any = numbers[0]
    assert best.acting.rule.candidates == 32 == best.finetune.learner.learner.backup.actions
    assert best.acting.rule.pessimism == 0.0 and numbers[1].acting == OpenLoop(Sampled("sample"), 5)


@float64()
def test_what_is_measured_is_of_known_chunks_and_says_where_there_is_none() -> None:
    learner = _chunked()
    state = learner.init(KEY, Spec(1, 2))
    q, bonus = jax.jit(learner.values)(KEY, state, _drawn())
    measure = jax.jit(learner.measure)
    np.testing.assert_array_equal(np.isnan(q), [0, 0, 0, 0, 0, 0, 1, 1])
    assert np.all(bonus == 0)
    some, every = (measure(KEY, state, _drawn(at)) for at in ([0, 4, 5, 6, 7], [0, 4, 5, 5, 5]))
    known = np.asarray(q)[[0, 4, 5]]
    assert float(some["q"]) == pytest.approx(known.mean(), rel=1e-9)
    assert float(every["q"]) == pytest.approx(known[[0, 1, 2, 2, 2]].mean(), rel=1e-9)
    assert float(measure(KEY, state, _drawn([6, 7, 6, 7, 6]))["td"]) == 0.0


def test_the_gap_to_the_return_counts_a_bonus_at_every_further_chunk() -> None:
    world: Any = SimpleNamespace(return_rule="finite", failure_reward=0.0)
    self: Any = SimpleNamespace(problem=world)
    pay, bonus = np.arange(1.0, 8.0), 10.0 ** np.arange(7)
    played: Any = [SimpleNamespace(length=7, rewards=pay, terminated=True)]
    for h in (1, 2, 3):
        learner = SimpleNamespace(discount=GAMMA, chunk=h)
        gap, known = Diagnoser._gap(self, learner, played, np.zeros(7), bonus)
        want = [
            sum(GAMMA ** (i - t) * pay[i] for i in range(t, 7))
            + sum(GAMMA ** (i - t) * bonus[i] for i in range(t + h, 7, h))
            for t in range(7)
        ]
        np.testing.assert_allclose(-gap, want, rtol=1e-12)
        assert known.all()


REFUSED: list[tuple[str, dict[str, str], str]] = [
    ("qc", {"learner.length": "0"}, "length cannot be 0; give a whole number from 1 on"),
    ("qc", {"acting.length": "0"}, "length cannot be 0"),
    ("qc", {"finetune.learner.length": "4"}, "4 .*set finetune.learner.length=5"),
    ("qc", {"acting.length": "4"}, r"pretrain.0.*chunks of 5.*executes 4.*set acting.length=5"),
    ("qc", {"acting": "Sampled"}, "chunks of 5 .*acting=Sampled executes 1 .*set acting=OpenLoop"),
    ("fql", {"acting": "OpenLoop"}, "makes chunks of 1 .*OpenLoop executes 5 .*acting.length=1"),
    ("qc", {"acting.rule": "JumpStart"}, "JumpStart remembers .*set acting.rule=Sampled"),
    ("qc_fql", {"learner.constraint": "BehaviourCloning"}, "set learner.constraint=NoConstraint"),
    ("rlpd_chunks", {"learner.conservatism": "CQL"}, "set learner.conservatism=NoConservatism"),
    ("rlpd_chunks", {"learner.improvement": "PolicyAdvantage"}, "set learner.improvement=Maxim"),
    ("rlpd_chunks", {"learner.cloning": "5"}, "learner.cloning=5 reads .*set learner.cloning=0"),
    ("qc", {"learner.value": "ValueSpec", "learner.value_fit": "Expectile"},
     "value_fit=Expectile reads .*set learner.value_fit=none"),
    ("rlpd_chunks", {"learner.backup": '{"is": "SmoothedBackup", "penalty": 0.1}'},
     "chunks have none; set learner.backup.penalty=0"),
    ("qc", {"finetune.rhythm.pace": "ByDisagreement"}, "chunks of 5; set .*pace=Ramp"),
    ("qc", {"learner.policy.steps": "0"}, "steps cannot be 0"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "changes", "said"), REFUSED)
def test_what_makes_no_chunks_is_refused_before_anything_is_trained(
    method: str, changes: dict[str, str], said: str
) -> None:
    with pytest.raises(RecipeError, match=said):
        declare(method, "jax-pointmass", preset="quick", changes=changes)


def test_a_flow_of_no_steps_is_refused() -> None:
    for module in (qc, qc_fql):
        with pytest.raises(RecipeError, match="steps cannot be 0"):
            module.recipe("quick", flow_steps=0)


def test_another_length_is_two_settings() -> None:
    made = declare(
        "qc", "jax-pointmass", changes={"learner.length": "3", "acting.length": "3"}, preset="paper"
    ).recipe
    assert made.finetune.learner.chunk == made.pretrain[0].learner.chunk == 3
    assert made == qc.recipe("paper", length=3).with_discount(made.finetune.learner.discount)


def _problem(horizon: int, lengths: list[int] | None) -> Problem:
    layout, rows = Layout(3, 2), None
    if lengths is not None:
        rows = np.zeros((sum(lengths), layout.width), np.float32)
        rows[np.cumsum(lengths) - 1, layout.last] = 1.0
    spec = Spec(3, 2, horizon)
    env: Any = None
    return Problem(spec, env, RewardTransform(), "finite", 0.0, None, rows, env_name="toy")


def test_chunks_longer_than_every_episode_are_refused() -> None:
    made = declare("qc", "jax-pointmass", changes={"learner.length": 8, "acting.length": 8})
    require_chunks(made, _problem(8, [3, 8, 2]))
    require_chunks(made, _problem(8, None))
    for problem, said in (
        (
            _problem(7, None),
            "longer than an episode of toy, which ends after 7 steps.*--set length=1$",
        ),
        (_problem(50, [7, 2, 5]), "longer than the longest logged episode, of 7 steps"),
    ):
        with pytest.raises(RunError, match=said):
            require_chunks(made, problem)
    require_chunks(declare("fql", "jax-pointmass"), _problem(1, [1]))
    taken = dict.fromkeys(("pretrain", "replay", "acting", "finetune"), "qc_fql")
    with pytest.raises(RunError, match=r"--set learner.length=1 --set acting.length=1$"):
        require_chunks(declare("fql", "jax-pointmass", changes=taken), _problem(4, None))


def test_networks_cross_between_methods_of_chunks_alone() -> None:
    taken = compose(METHODS["qc"].recipe("quick"), {"pretrain": "qc_fql", "finetune": "qc_fql",
                                                    "acting": "qc_fql"}, "quick")  # fmt: skip
    assert taken.finetune.learner == qc_fql.recipe("quick").finetune.learner
    with pytest.raises(RecipeError, match="networks cannot cross from ActorCritic to Chunked"):
        tiny("fql").pretrain[0].learner.networks_of(tiny("qc").finetune.learner)
    with pytest.raises(RecipeError, match="networks cannot cross from Chunked to ActorCritic"):
        tiny("qc").pretrain[0].learner.networks_of(tiny("fql").finetune.learner)
    longer = tiny("qc_fql", length=4).finetune.learner
    assert tiny("qc_fql").pretrain[0].learner.networks_of(longer).chunk == 4
    with pytest.raises(RecipeError, match="chunks of 3"):
        ByDisagreement().check(tiny("qc").finetune.learner)
