"""TD3-BC that holds each action of its exploration for five steps.

pretrain   TD3-BC
handover   everything is kept
replay     the dataset stands in the buffer; online rows are appended
acting     a noisy action every fifth step of an episode, held in between; in evaluation the mode
finetune   TD3-BC, one update after every step
"""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from warmstart.acting.rule import where_first
from warmstart.methods import td3_bc
from warmstart.types import Listener
from warmstart.values import register

PRESETS = td3_bc.PRESETS


@register
@dataclass(frozen=True)
class Held(Listener):
    length: int = 5
    sigma: float = 0.1
    reads: ClassVar = ("actor",)

    def init(self, batch, spec):
        return {"t": jnp.zeros(batch), "action": jnp.zeros((batch, spec.action_dim))}

    def __call__(self, key, clock, view, memory, step, mode):
        action = view.policy(step.obs).mode()
        if mode == "evaluate":
            return action, memory
        t = where_first(step.first, 0.0, memory["t"] + 1.0)
        noisy = jnp.clip(action + self.sigma * jax.random.normal(key, action.shape), -1.0, 1.0)
        action = jnp.where((t % self.length == 0)[:, None], noisy, memory["action"])
        return action, {"t": t, "action": action}


def recipe(config: td3_bc.Config):
    return td3_bc.recipe(config).with_("acting", Held())
