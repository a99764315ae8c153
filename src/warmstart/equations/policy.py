"""What the actor minimises, and how its weights are tuned."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array


def soft_policy_loss(log_prob: Array, q: Array, temperature: Array) -> Array:
    """mean(alpha log pi(a|s) - Q(s, a)) (Haarnoja et al. 2018, eq. 9): [B], [B] -> []."""
    return jnp.mean(temperature * log_prob - q)


def deterministic_policy_loss(q: Array) -> Array:
    """-mean Q(s, pi(s)) (Silver et al. 2014; Fujimoto et al. 2018): [B] -> []."""
    return -jnp.mean(q)


def cloning_error(action: Array, target: Array) -> Array:
    """(pi(s) - a)^2, the mean over batch AND action axes (Fujimoto & Gu 2021, eq. 3)."""
    return jnp.mean((action - target) ** 2)


def expectile_loss(difference: Array, expectile: float) -> Array:
    """mean |tau - 1(u < 0)| u^2 (Kostrikov et al. 2022, eq. 5)."""
    weight = jnp.where(difference < 0, 1.0 - expectile, expectile)
    return jnp.mean(weight * difference**2)


def advantage_weight(advantage: Array, beta: float, clip: float) -> Array:
    """min(exp(beta A), clip) (Kostrikov et al. 2022, eq. 7; the clip is their code's)."""
    # The exponent is clipped instead of the exponential: the same value without overflow.
    return jnp.exp(jnp.minimum(beta * advantage, jnp.log(clip)))


def regression_loss(weight: Array, log_prob: Array) -> Array:
    """-mean(w log pi(a|s)): advantage-weighted regression; w = 1 is behaviour cloning."""
    return -jnp.mean(weight * log_prob)


def softmax_weight(advantage: Array, temperature: float) -> Array:
    """B * softmax(A / temperature) over the batch [B], mean 1 (the released AWAC code)."""
    return advantage.shape[0] * jax.nn.softmax(advantage / temperature)


def squared_distance(action: Array, other: Array) -> Array:
    """Mean over the batch of ||a - b||_2^2, summed over actions (Luo et al. 2023, eq. 4)."""
    return jnp.mean(jnp.sum((action - other) ** 2, axis=-1))


@jax.custom_vjp
def limit_gradient(action: Array, limit: float) -> Array:
    """The action [B, A]; what flows back through it has at most norm `limit` in each sample.

    For a loss that is a mean over the B rows, so that `limit` bounds each row's own dL/da
    (Luo et al. 2023, appendix B: the dQ/da clipping of Acme's D4PG).
    """
    del limit
    return action


def _forward(action: Array, limit: float) -> tuple[Array, tuple[int, float]]:
    return action, (action.shape[0], limit)


def _backward(kept: tuple[int, float], gradient: Array) -> tuple[Array, None]:
    rows, limit = kept
    norm = rows * jnp.linalg.norm(gradient, axis=-1, keepdims=True)
    return gradient * jnp.minimum(1.0, limit / jnp.maximum(norm, 1e-12)), None


limit_gradient.defvjp(_forward, _backward)
