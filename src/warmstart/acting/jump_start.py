"""A guide acts first, the learner goes on (Uchendu et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.acting.rule import Mode, where_first
from warmstart.ranges import Count, NotNegative, Share
from warmstart.state import key_for
from warmstart.types import Clock, Evaluated, Event, Listener, Spec, Step
from warmstart.values import register
from warmstart.views import View

SIGNAL = "jump_start"


@register
@dataclass(frozen=True)
class JumpStart(Listener):
    """The frozen policy for the first h steps of an episode, then the learner.

    H is the mean length of the guide's own episodes, measured at the switch, before which the
    guide acts to the end. With n stages:

    - "curriculum": h = H (1 - k / n); k grows by one when the moving average of the last `window`
      evaluation scores is not below the best one by more than the share `tolerance`, up to h = 0;
    - "random": each episode draws h from {H / n, 2 H / n, ..., H};
    - "roll_in": with `probability` an episode begins with the guide, which goes on from step to
      step with probability `keep` (the baseline of Zhou et al. 2025); evaluation is the learner's.

    The first two evaluate as they act, so that the guide's share is part of what is measured.
    """

    kind: Literal["curriculum", "random", "roll_in"] = "curriculum"
    stages: Count = 10
    window: Count = 5
    tolerance: NotNegative = 0.05
    probability: Share = 0.9
    keep: Share = 0.99

    subscribes: ClassVar[tuple[Any, ...]] = (Evaluated,)
    reads: ClassVar[tuple[str, ...]] = ("actor", "pretrained")

    def signals(self) -> dict[str, Any]:
        """H (0: not known yet), the stage k, the last scores (nan: none yet), the best average."""
        zero = jnp.zeros((), jnp.float32)
        scores = jnp.full(self.window, jnp.nan, jnp.float32)
        return {SIGNAL: {"guide": zero, "stage": zero, "scores": scores, "best": zero - jnp.inf}}

    def observe(self, signals: dict[str, Any], event: Event) -> dict[str, Any]:
        """Measure the guide at the switch; afterwards advance where the learner keeps up."""
        if not isinstance(event, Evaluated):
            return signals
        now = signals[SIGNAL]
        scores = jnp.concatenate([now["scores"][1:], event.score[None]])
        average = jnp.nanmean(scores)
        switch = event.switch > 0
        floor = now["best"] - self.tolerance * jnp.abs(now["best"])
        advance = (average >= floor) & ~switch & (now["guide"] > 0)
        return {
            **signals,
            SIGNAL: {
                "guide": jnp.where(switch, event.length, now["guide"]),
                "stage": jnp.minimum(now["stage"] + advance, float(self.stages)),
                "scores": scores,
                "best": jnp.maximum(now["best"], average),
            },
        }

    def horizon(self, view: View) -> Array:
        """Steps [] of the guide now."""
        now = view.state.signals[SIGNAL]
        h = now["guide"] * (1.0 - now["stage"] / self.stages)
        return jnp.where(now["guide"] > 0, h, jnp.inf)

    def init(self, batch: int, spec: Spec) -> Any:
        """Steps of the episode so far [B], and its own number of guided ones [B]."""
        del spec
        return {"t": jnp.zeros(batch), "guided": jnp.zeros(batch)}

    def __call__(
        self, key: Array, clock: Clock, view: View, memory: Any, step: Step, mode: Mode
    ) -> tuple[Array, Any]:
        """Actions [B, A] and the memory."""
        del clock
        policy = view.policy(step.obs)
        own = policy.sample(key_for(key, "own")) if mode == "explore" else policy.mode()
        if not view.guided:
            return own, memory
        t = where_first(step.first, 0.0, memory["t"] + 1.0)
        guided = where_first(step.first, self._drawn(key, view, t), memory["guided"])
        limit = self.horizon(view) if self.kind == "curriculum" else guided
        guides = t < limit
        if mode == "evaluate" and self.kind == "roll_in":
            guides = jnp.zeros_like(guides)
        pretrained = view.pretrained(step.obs)
        first = pretrained.sample(key_for(key, "guide")) if mode == "explore" else pretrained.mode()
        action = jnp.where(guides[:, None], first, own)
        return action, {"t": t, "guided": guided}

    def _drawn(self, key: Array, view: View, t: Array) -> Array:
        """Guided steps [B] of an episode that begins."""
        if self.kind == "random":
            k = jax.random.randint(key_for(key, "stage"), t.shape, 1, self.stages + 1)
            guide = view.state.signals[SIGNAL]["guide"]
            return jnp.where(guide > 0, guide * k / self.stages, jnp.inf)
        u = jax.random.uniform(key_for(key, "length"), t.shape, minval=1e-7)
        begins = jax.random.uniform(key_for(key, "begins"), t.shape) < self.probability
        # The number of steps until a coin of probability `keep` fails first is geometric.
        return jnp.where(begins, 1.0 + jnp.floor(jnp.log(u) / jnp.log(self.keep)), 0.0)
