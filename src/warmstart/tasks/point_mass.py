"""A point that shall come to the middle: the smallest task on which to improve."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.types import Array, Spec

_STEP, _DRAG, _PUSH = 0.1, 0.5, 2.0


class PointMassState(NamedTuple):
    """Position [2], velocity [2] and steps taken in the episode."""

    position: Array
    velocity: Array
    t: Array


class PointMass:
    """A `JaxEnv`: observation [4] = position and velocity, action [2] = push on both axes.

    Starts at rest, uniform in the square of half-width 1. The raw reward is minus the distance to
    the middle, nothing terminates, and an episode is cut after `horizon` steps. Success is to be
    within 0.1 of the middle. A good controller returns about -6 in 50 steps, `scripted` about
    -27, and uniform random pushes about -55.
    """

    def __init__(self, horizon: int = 50) -> None:
        self.spec: Spec = Spec(obs_dim=4, action_dim=2, horizon=horizon)

    def reset(self, key: Array) -> tuple[PointMassState, Array]:
        """A new episode: the state and the observation [4]."""
        start = jax.random.uniform(key, (2,), minval=-1.0, maxval=1.0)
        state = PointMassState(start, jnp.zeros(2, jnp.float32), jnp.zeros((), jnp.int32))
        return state, jnp.concatenate([state.position, state.velocity])

    def step(
        self, state: Any, action: Array
    ) -> tuple[PointMassState, Array, Array, Array, Array, Array]:
        """A tenth of a second: state, obs [4], reward, terminated, truncated, success."""
        push = _PUSH * jnp.clip(action, -1.0, 1.0)
        velocity = state.velocity + _STEP * (push - _DRAG * state.velocity)
        position = state.position + _STEP * velocity
        state = PointMassState(position, velocity, state.t + 1)
        distance = jnp.linalg.norm(position)
        obs = jnp.concatenate([position, velocity])
        never = jnp.zeros((), bool)
        return state, obs, -distance, never, state.t >= self.spec.horizon, distance < 0.1


def scripted(rng: np.random.Generator, gain: float = 0.3, noise: float = 0.5) -> Any:
    """A mediocre policy to log data from: a weak, undamped, noisy pull to the middle.

    Args:
        rng: of the noise.
        gain: push per unit of distance.
        noise: standard deviation of the Gaussian added before clipping.

    Returns:
        A function from observation [4] to action [2] float32 in [-1, 1].
    """

    def act(obs: np.ndarray) -> np.ndarray:
        pull = -gain * obs[:2] + noise * rng.standard_normal(2)
        return np.clip(pull, -1.0, 1.0).astype(np.float32)

    return act
