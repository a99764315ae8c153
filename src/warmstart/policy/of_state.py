"""The policy of a learner's state in NumPy, for makers of data and for measurements."""

from __future__ import annotations

import jax
import numpy as np

from warmstart.errors import RecipeError
from warmstart.policy.describe import describe
from warmstart.policy.learnt import Policy
from warmstart.policy.networks import OWN, build
from warmstart.views import View


class NumpyActor(Policy):
    """The policy of a view, as it was when this was made, without any acting rule.

    `actor(obs)` is the mode and `actor.sample(obs, rng)` a draw: observations [O] or [B, O], flat
    float32, to actions [A] or [B, A] in [-1, 1]. In the environment's units: `warmstart.actor`.

    Args:
        view: how a learner looks at the state of one seed.

    Raises:
        RecipeError: the policy is no network that is known here.
    """

    def __init__(self, view: View) -> None:
        state = jax.device_get(view.state)
        stats = {name: np.asarray(value) for name, value in state.stats.items()}
        described, tensors = describe(state.nets["actor"])
        if not isinstance(described, dict) or described.get("is") in (None, OWN):
            kind = type(state.nets["actor"]).__name__
            raise RecipeError(f"a policy of type {kind} has no form in NumPy; give a network")
        super().__init__(build(described, tensors), view.kind, view.normalise, stats)

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        """The mode."""
        return self.mode(np.asarray(obs, np.float32))

    def sample(self, obs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One draw; a deterministic policy gives its one action."""
        return super().sample(np.asarray(obs, np.float32), rng)
