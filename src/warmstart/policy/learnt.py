"""A stored policy in NumPy: flat observations to actions in [-1, 1]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.policy.kinds import Kind, kind_of
from warmstart.policy.pixels import Encoded


class Policy:
    """A policy network, the scale of its observations, and what its output means.

    Args:
        net: of `networks`.
        kind: what its output means, one of `kinds.KINDS`.
        normalise: how observations are scaled.
        stats: `mean` and `var` [O], where they are.

    Raises:
        RunError: a kind that has no form in NumPy.
    """

    def __init__(self, net: Any, kind: str, normalise: str, stats: dict[str, np.ndarray]) -> None:
        self.net: Any = net
        self.kind: Kind = kind_of(kind)
        self.scale: tuple[np.ndarray, np.ndarray] | None = _scale(normalise, stats)

    def scaled(self, obs: np.ndarray) -> np.ndarray:
        """Observations [..., O] as the networks see them."""
        if self.scale is None:
            return obs
        mean, inverse = self.scale
        if len(mean) < obs.shape[-1]:  # pixels stay as they are
            numbers = (obs[..., : len(mean)] - mean) * inverse
            return np.concatenate([numbers, obs[..., len(mean) :]], axis=-1)
        return (obs - mean) * inverse

    def mode(self, obs: np.ndarray) -> np.ndarray:
        """What is executed in evaluation: [..., O] to [..., A]; of noise, what 0 becomes."""
        return self.kind.mode(self.net, self.scaled(obs))

    def sample(self, obs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One draw; a deterministic policy gives its one action."""
        return self.kind.draw(self.net, rng, self.scaled(obs))


def _scale(normalise: str, stats: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean and inverse deviation, with the floors of `views.scaled`."""
    if normalise == "none":
        return None
    if normalise not in ("dataset", "running"):
        raise ValueError(f"observations scaled by '{normalise}'")
    mean, var = stats["mean"], stats["var"]
    std = np.sqrt(var) + 1e-3 if normalise == "dataset" else np.sqrt(var + 1e-8)
    return mean, (1.0 / std).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Learnt:
    """All that a run has learnt, as far as acting needs it.

    Attributes:
        policy: the one that learns.
        pretrained: the frozen pre-trained one, where the rule looks at it and there is one.
        critics: the ensemble, where the rule looks at it.
        signals: what rules remember from one episode to the next.
        stats: statistics of the data, by name.
        reward: (scale, bias) from the environment's rewards to the learner's.
        actions: A.
        env_steps: how many steps online it has learnt for.
    """

    policy: Policy
    pretrained: Policy | None
    critics: Any
    signals: dict[str, Any]
    stats: dict[str, np.ndarray]
    reward: tuple[float, float]
    actions: int
    env_steps: int = 0

    def q(self, obs: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """[N, O] and K actions for each [K, N, A] to values [E, K, N]."""
        seen, critics = self.policy.scaled(obs), self.critics
        if isinstance(critics, Encoded):  # images are looked at once for all actions
            seen, critics = critics.features(seen), critics.net
        return critics(np.broadcast_to(seen, (*actions.shape[:-1], seen.shape[-1])), actions)
