"""A JAX simulator seen as a simulator on the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.types import Array, EnvStep, JaxEnv, Spec

Programs = tuple[Callable[..., Any], Callable[..., Any]]


def compile_env(env: JaxEnv) -> Programs:
    """The compiled `(reset, step)` of `env`, to be shared by several `JaxHostEnv`."""

    def step(state: Any, action: Array) -> tuple[Any, Array]:
        state, obs, *rest = env.step(state, action)
        # One array, so that a step costs one transfer.
        return state, jnp.concatenate([obs, jnp.stack([jnp.float32(x) for x in rest])])

    return jax.jit(env.reset), jax.jit(step)


class JaxHostEnv:
    """Any `JaxEnv` as a `HostEnv`.

    Args:
        env: the simulator.
        programs: what `compile_env(env)` gave; None compiles again.

    Attributes:
        spec: sizes and time limit.
        simulator: the simulator.
    """

    def __init__(self, env: JaxEnv, programs: Programs | None = None) -> None:
        self.spec: Spec = env.spec
        self.simulator = env
        self._reset, self._step = programs or compile_env(env)
        self._state: Any = None

    def reset(self, seed: int) -> np.ndarray:
        """Start the episode that belongs to `seed`; [O] float32."""
        # One small environment at a time is the processor's work, also beside an accelerator.
        key = jax.device_put(jax.random.key(int(seed)), _processor())
        self._state, obs = self._reset(key)
        return np.asarray(obs, np.float32)

    def step(self, action: np.ndarray) -> EnvStep:
        """Take `action` [A] in [-1, 1]."""
        self._state, packed = self._step(self._state, np.asarray(action, np.float32))
        values = np.asarray(packed)
        reward, terminated, truncated, success = values[-4:]
        return EnvStep(values[:-4], float(reward), bool(terminated), bool(truncated), bool(success))

    def put(self, state: Any) -> None:
        """Stand in `state`, of the simulator's own kind."""
        self._state = jax.device_put(state, _processor())

    def render(self) -> None:
        """None: these simulators do not draw."""

    def close(self) -> None:
        """Nothing to free."""


def _processor() -> Any:
    """The CPU, or where it is switched off (JAX_PLATFORMS) the first device there is."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return jax.local_devices()[0]
