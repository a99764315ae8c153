"""An ensemble of networks that foretell reward and change of observation, as Gaussians."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from warmstart.errors import RecipeError
from warmstart.nets.critics import unstack
from warmstart.nets.linear import Linear
from warmstart.nets.mlp import MLP
from warmstart.nets.simba import SimBa
from warmstart.nets.spec import NetSpec
from warmstart.ranges import Count, Finite
from warmstart.types import Array, Transition
from warmstart.values import register

HALF_LECUN = 0.5 * 0.87962566103423978
"""`lecun_normal` times this: a normal of deviation 1 / (2 sqrt(fan in)), cut at two deviations."""


def soft_clamp(log_var: Array, low: Array, high: Array) -> Array:
    """A log-variance [..., D] drawn between learned bounds [D], smoothly.

    l <- high - softplus(high - l), then l <- low + softplus(l - low) (Chua et al. 2018, A.1).
    """
    log_var = high - jax.nn.softplus(high - log_var)
    return low + jax.nn.softplus(log_var - low)


MAY_BE_INFINITE = ("goal", "error")
"""Fields of a model that are measured, and infinite where there was nothing to measure."""


class Dynamics(eqx.Module):
    """E networks p_i(r, s' - s | s, a) in stacked parameters.

    Attributes:
        trunk: (observation, action) to features, leaves [E, ...].
        head: features to D means and D raw log-variances, D = 1 + O; weight [E, H, 2 D].
        low, high: learned bounds [D] of the log-variance, the same for all networks.
        centre, spread: mean and deviation [O + A] of the data's inputs; no gradient.
        goal: the reward above which a step ends its episode, []; inf: no step does; no gradient.
        error: held-out squared error [E], no gradient; 0 before it is measured, and inf in the
            snapshots of a fit before its first look.
        elites: how many networks, those of least error, foretell next observations.
    """

    trunk: MLP | SimBa
    head: Linear
    low: Array
    high: Array
    centre: Array
    spread: Array
    goal: Array
    error: Array
    elites: int = eqx.field(static=True)

    @property
    def members(self) -> int:
        """E."""
        return self.error.shape[0]

    def __call__(self, obs: Array, action: Array) -> tuple[Array, Array]:
        """Raw observations and actions to means and log-variances [E, B, D] of (r, s' - s).

        Inputs are [B, O] and [B, A] for all networks, or [E, B, O] and [E, B, A], each its own.
        """
        x = jnp.concatenate([obs, action], axis=-1)
        x = (x - jax.lax.stop_gradient(self.centre)) / jax.lax.stop_gradient(self.spread)
        each = list(x) if x.ndim == 3 else [x] * self.members
        parts = unstack((self.trunk, self.head), self.members)
        out = jnp.stack([head(trunk(x)) for (trunk, head), x in zip(parts, each, strict=True)])
        mean, raw = jnp.split(out, 2, axis=-1)
        return mean, soft_clamp(raw, self.low, self.high)

    def best(self) -> Array:
        """The elites' numbers [elites], best first."""
        return jnp.argsort(jax.lax.stop_gradient(self.error))[: self.elites]

    def fitted_to(self, data: Transition) -> Dynamics:
        """The same networks with the scale of the inputs of all rows [N], and their `goal`.

        Where the rows that terminate are exactly those of the highest rewards (a sparse task's
        goal), `goal` lies halfway between their least reward and the others' largest.
        """
        inputs = jnp.concatenate([data.obs, data.action], axis=-1)
        centre, spread = jnp.mean(inputs, axis=0), jnp.std(inputs, axis=0)
        # A constant input is left as it is (released code).
        spread = jnp.where(spread < 1e-12, 1.0, spread)
        over = data.mask == 0
        least = jnp.min(jnp.where(over, data.reward, jnp.inf))
        most = jnp.max(jnp.where(over, -jnp.inf, data.reward))
        told = jnp.any(over) & jnp.any(~over) & (least > most)
        goal = jnp.where(told, 0.5 * (least + most), jnp.inf)
        return eqx.tree_at(lambda m: (m.centre, m.spread, m.goal), self, (centre, spread, goal))

    def decay(self, coefficients: tuple[float, ...]) -> Array:
        """sum_k c_k ||W_k||^2 / 2 over the weight matrices from first to last, [].

        The last coefficient is the head's and that of all matrices that have none of their own.
        """
        weights = [leaf for leaf in jax.tree.leaves(self.trunk) if leaf.ndim == 3]
        given = [*coefficients[:-1], *[coefficients[-1]] * len(weights)][: len(weights)]
        pairs = [*zip(given, weights, strict=True), (coefficients[-1], self.head.weight)]
        return sum((0.5 * c * jnp.sum(w**2) for c, w in pairs), start=jnp.zeros(()))


def targets(batch: Any) -> Array:
    """(r, s' - s) of transitions, [..., 1 + O]."""
    return jnp.concatenate([batch.reward[..., None], batch.next_obs - batch.obs], axis=-1)


@register
@dataclass(frozen=True)
class DynamicsSpec:
    """An ensemble of `members` networks, of which `elites` foretell (Yu et al. 2020: 7 and 5).

    Attributes:
        net: trunk and heads of each; the paper's is 4 x 200 with swish.
        log_var: the first bounds of the log-variance.

    Raises:
        RecipeError: more elites than members, or none; bounds in the wrong order.
    """

    net: NetSpec = NetSpec((200,) * 4, "swish", init="lecun_normal", scale=HALF_LECUN)
    members: Count = 7
    elites: Count = 5
    log_var: tuple[Finite, Finite] = (-10.0, 0.5)

    def __post_init__(self) -> None:
        if not 1 <= self.elites <= self.members:
            raise RecipeError(
                f"{self.elites} of {self.members} networks cannot be elites; "
                "set elites between 1 and members"
            )
        if self.log_var[0] >= self.log_var[1]:
            raise RecipeError(f"log_var is {self.log_var}. Put the lower bound first.")

    def build(self, key: Array, obs_dim: int, action_dim: int) -> Dynamics:
        """Fresh networks, each drawn from a key of its own; inputs as they are."""
        n_in, n_out = obs_dim + action_dim, 1 + obs_dim
        trunk_key, head_key = jax.random.split(key)
        low, high = self.log_var
        return Dynamics(
            trunk=jax.vmap(lambda k: self.net.trunk(k, n_in))(
                jax.random.split(trunk_key, self.members)
            ),
            head=jax.vmap(lambda k: self.net.head(k, 2 * n_out))(
                jax.random.split(head_key, self.members)
            ),
            low=jnp.full(n_out, low, jnp.float32),
            high=jnp.full(n_out, high, jnp.float32),
            centre=jnp.zeros(n_in, jnp.float32),
            spread=jnp.ones(n_in, jnp.float32),
            goal=jnp.float32(jnp.inf),
            error=jnp.zeros(self.members, jnp.float32),
            elites=self.elites,
        )
