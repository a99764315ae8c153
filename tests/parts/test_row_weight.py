"""How much a row counts where the critics disagree."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import SPEC, logged, rows_of, same_bits, tiny

from warmstart.api.declare import declare
from warmstart.errors import RecipeError
from warmstart.learners import ActorCritic
from warmstart.learners.critic_step import descend_critic
from warmstart.methods import cql, sac
from warmstart.parts import CertainRows
from warmstart.replay import Layout
from warmstart.state import State, key_for
from warmstart.types import Clock

KEY = jax.random.PRNGKey(3)
BATCH = jax.tree.map(jnp.asarray, Layout.of(SPEC).unpack(rows_of(logged())[:8]))
BATCH = BATCH._replace(mask=jnp.array([1.0, 0.0] * 4))
SAC = sac.learner(hidden=(8,), members=3, row_weight=CertainRows(3.0))
CQL = cql.learner(hidden=(8,), members=3, row_weight=CertainRows(3.0), proposals=2)
CLOCK = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(9))


def state_of(learner: ActorCritic) -> State:
    state = learner.init(jax.random.PRNGKey(0), SPEC)
    other = jax.tree.map(lambda x: 1.5 * x + 0.05, state.targets)
    return state.replace(targets=other)


def weights(learner: ActorCritic, state: State) -> np.ndarray:
    """By hand, in float64."""
    view = learner.view(state)
    action = view.policy(BATCH.next_obs).sample(key_for(KEY, "row weight"))
    q = np.asarray(view.q(BATCH.next_obs, action, target=True), np.float64)
    apart = q.std(axis=0) * np.asarray(BATCH.mask, np.float64)
    return 1.0 / (1.0 + np.exp(3.0 * apart)) + 0.5


@pytest.mark.parametrize("learner", [SAC, CQL], ids=["plain", "conservative"])
def test_the_error_of_a_row_counts_by_what_the_slow_critics_agree_on(learner: ActorCritic) -> None:
    state, target = state_of(learner), jnp.linspace(-1.0, 2.0, 8)
    _, info = descend_critic(learner, KEY, CLOCK, state, BATCH, target)
    w = weights(learner, state)
    assert w[1::2] == pytest.approx(1.0) and w[::2].max() < 1.0 and w.min() >= 0.5
    q = np.asarray(learner.view(state).q(BATCH.obs, BATCH.action), np.float64)
    wanted = np.mean(w * (q - np.asarray(target, np.float64)) ** 2)
    assert float(info["td_loss"]) == pytest.approx(wanted, rel=1e-5)


def test_at_temperature_0_every_row_counts_1() -> None:
    state, target = state_of(SAC), jnp.linspace(-1.0, 2.0, 8)
    even = sac.learner(hidden=(8,), members=3)
    flat = sac.learner(hidden=(8,), members=3, row_weight=CertainRows(0.0))
    plain, _ = descend_critic(even, KEY, CLOCK, state, BATCH, target)
    weighed, _ = descend_critic(flat, KEY, CLOCK, state, BATCH, target)
    same_bits(plain.nets["critic"], weighed.nets["critic"])


def test_it_is_an_option_of_every_actor_critic() -> None:
    changes = {"learner.row_weight": "CertainRows", "finetune.learner.row_weight.temperature": "20"}
    recipe = declare("wsrl", "jax-pointmass", changes=changes).recipe
    assert recipe.finetune.learner.row_weight == CertainRows(20.0)
    assert recipe.pretrain[0].learner.row_weight == CertainRows(10.0)
    with pytest.raises(RecipeError, match="at least two critics"):
        tiny("sac").with_("finetune.learner.critic.members", 1).with_(
            "finetune.learner.row_weight", "CertainRows"
        )
