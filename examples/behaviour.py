"""TD3 held to a model of the data's behaviour: an extra network with a loss of its own.

    L_b = |b(s) - a|^2        L_pi = -Q_1(s, pi(s)) / mean|Q| + w |pi(s) - b(s)|^2

pretrain   TD3 with that constraint, and the behaviour model beside it
handover   everything is kept, the behaviour model too
replay     the dataset stands in the buffer; online rows are appended
acting     pi(s) + N(0, 0.1^2), clipped
finetune   the same, one update after every step
"""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp

from warmstart.methods import td3_bc
from warmstart.nets.spec import NetSpec, PolicySpec
from warmstart.parts import Fixed, Weight
from warmstart.state import Optimiser
from warmstart.values import register

PRESETS = td3_bc.PRESETS


@register
@dataclass(frozen=True)
class Behaviour:
    net: NetSpec = field(default_factory=lambda: NetSpec((32,)))
    optimiser: Optimiser = Optimiser(1e-3)
    name: str = "behaviour"

    def build(self, key, obs_dim, action_dim):
        return PolicySpec(self.net, kind="deterministic").build(key, obs_dim, action_dim)

    def loss(self, key, view, net, batch):
        error = jnp.mean((net(view.obs(batch.obs)).mode() - batch.action) ** 2)
        return error, {"behaviour_error": error}


@register
@dataclass(frozen=True)
class NearBehaviour:
    weight: Weight = Fixed(0.4)

    def __call__(self, key, view, net, batch):
        model = view.state.nets["behaviour"](view.obs(batch.obs)).mode()
        away = view.policy(batch.obs, net).mode() - jax.lax.stop_gradient(model)
        return jnp.mean(away**2), {}


def recipe(config: td3_bc.Config):
    plain = td3_bc.recipe(config).with_("learner.extras", (Behaviour(),))
    return plain.with_("learner.constraint", NearBehaviour())
