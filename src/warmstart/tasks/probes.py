"""Five tiny decision processes whose values are known in closed form.

A value learner that misses one of them has a fault that a robot's return would hide for weeks:
each adds one thing to the last. Observations and actions are one number; actions are in [-1, 1],
and `q(obs, action, discount)` is the exact optimal action value. On the first three any policy has
it; on the last two an episode is one step, so that any policy has it too.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from warmstart.types import Array, Spec

_Answer = tuple[Any, Array, Array, Array, Array, Array]


class ProbeState(NamedTuple):
    """The observation's number, and the step in the episode."""

    x: Array
    t: Array


class _Probe:
    """A start with x = -1 or 1 by a fair coin, and an end after `horizon` steps."""

    spec = Spec(obs_dim=1, action_dim=1, horizon=1)

    def reset(self, key: Array) -> tuple[ProbeState, Array]:
        """The state and the observation [1]."""
        state = ProbeState(self.start(key), jnp.zeros((), jnp.int32))
        return state, state.x[None]

    def step(self, state: ProbeState, action: Array) -> _Answer:
        """State, obs [1], reward, terminated, truncated (never), success (never)."""
        force = jnp.clip(action[0], -1.0, 1.0)
        reward = jnp.asarray(self.reward(state, force), jnp.float32)
        after = ProbeState(self.move(state), state.t + 1)
        never = jnp.zeros((), bool)
        return after, after.x[None], reward, after.t >= self.spec.horizon, never, never

    def start(self, key: Array) -> Array:
        return jax.random.rademacher(key, (), jnp.float32)

    def move(self, state: ProbeState) -> Array:
        return state.x

    def reward(self, state: ProbeState, force: Array) -> Any:
        raise NotImplementedError


class ConstantReward(_Probe):
    """One step from x = 0, reward 1: Q = 1. Tests the loss and the learning rate."""

    def start(self, key: Array) -> Array:
        return jnp.zeros((), jnp.float32)

    def reward(self, state: ProbeState, force: Array) -> Any:
        return 1.0

    def q(self, obs: Array, action: Array, discount: float) -> Array:
        """1 for all of obs [..., 1] and action [..., 1]; [...]."""
        return jnp.ones_like(obs[..., 0])


class ObservedReward(_Probe):
    """One step, reward x: Q = x. Tests that the critic sees the observation."""

    def reward(self, state: ProbeState, force: Array) -> Any:
        return state.x

    def q(self, obs: Array, action: Array, discount: float) -> Array:
        """x for obs [..., 1]; [...]."""
        return obs[..., 0]


class DelayedReward(_Probe):
    """x goes from 0 to 1, reward 1 at the second step: Q(0) = discount, Q(1) = 1.

    Tests the bootstrap: next observation, mask and discount.
    """

    spec: ClassVar[Spec] = Spec(obs_dim=1, action_dim=1, horizon=2)

    def start(self, key: Array) -> Array:
        return jnp.zeros((), jnp.float32)

    def move(self, state: ProbeState) -> Array:
        return jnp.ones_like(state.x)

    def reward(self, state: ProbeState, force: Array) -> Any:
        return state.x

    def q(self, obs: Array, action: Array, discount: float) -> Array:
        """1 where x = 1, discount where x = 0; [...]."""
        return jnp.where(obs[..., 0] > 0.5, 1.0, discount)


class ActionReward(_Probe):
    """One step from x = 0, reward 1 - (a - 0.5)^2: best action 0.5. Tests the actor."""

    best_action: ClassVar[float] = 0.5

    def start(self, key: Array) -> Array:
        return jnp.zeros((), jnp.float32)

    def reward(self, state: ProbeState, force: Array) -> Any:
        return 1.0 - (force - 0.5) ** 2

    def q(self, obs: Array, action: Array, discount: float) -> Array:
        """1 - (a - 0.5)^2 for action [..., 1]; [...]."""
        return 1.0 - (action[..., 0] - 0.5) ** 2


class ObservedActionReward(_Probe):
    """One step, reward 1 - (a - x / 2)^2: best action x / 2. Tests actor and critic together."""

    def reward(self, state: ProbeState, force: Array) -> Any:
        return 1.0 - (force - 0.5 * state.x) ** 2

    def q(self, obs: Array, action: Array, discount: float) -> Array:
        """1 - (a - x / 2)^2; [...]."""
        return 1.0 - (action[..., 0] - 0.5 * obs[..., 0]) ** 2


PROBES = {
    "constant": ConstantReward,
    "observed": ObservedReward,
    "delayed": DelayedReward,
    "action": ActionReward,
    "observed-action": ObservedActionReward,
}
