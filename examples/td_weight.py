"""TD3-BC that clones harder where its critics are lost: the weight follows their TD error.

    w_k = base * m_k / (m_k + scale)        m_k = (1 - smoothing) m_{k-1} + smoothing * TD_k

pretrain   TD3-BC with that weight
handover   everything is kept
replay     the dataset stands in the buffer; online rows are appended
acting     pi(s) + N(0, 0.1^2), clipped
finetune   the same, one update after every step
"""

from dataclasses import dataclass

import jax.numpy as jnp

from warmstart.methods import td3_bc
from warmstart.parts import Weight
from warmstart.values import register

PRESETS = td3_bc.PRESETS


@register
@dataclass(frozen=True)
class FollowsTD(Weight):
    base: float = 1.0
    scale: float = 0.1
    smoothing: float = 0.1

    def signals(self):
        return {"td_mean": jnp.zeros((), jnp.float32)}

    def read(self, signals, metrics):
        if "td_loss" not in metrics:  # of the actor's step
            return signals
        moved = signals["td_mean"] + self.smoothing * (metrics["td_loss"] - signals["td_mean"])
        return {"td_mean": moved}

    def at(self, state, name, clock):
        error = state.signals["td_mean"]
        return self.base * error / (error + self.scale)


def recipe(config: td3_bc.Config):
    return td3_bc.recipe(config).with_("learner.constraint.weight", FollowsTD())
