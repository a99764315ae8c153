"""One gradient step of the critics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.bellman import squared_td
from warmstart.parts.conservatism import WEIGHT, Proposals, Pushes
from warmstart.state import State, descend, descend_in_tiles, key_for
from warmstart.types import Clock, Transition

if TYPE_CHECKING:
    from warmstart.learners.actor_critic import ActorCritic

SLAB = 2048
"""State-action pairs that a critic judges at a time: [2048, 256] floats are the second-level
cache of one core. Measured: benchmarks/NOTES.md, section 9."""


class Tile(NamedTuple):
    """Some states of a batch with all that their loss needs."""

    batch: Transition  # [b, ...]
    target: Array  # [b], or [E, b] where each critic has its own
    action: Array  # [N, b, A], proposals
    log_density: Array  # [N, b]
    weight: Array | None  # [b]


def descend_critic(
    learner: ActorCritic, key: Array, clock: Clock, state: State, batch: Transition, target: Array
) -> tuple[State, dict[str, Array]]:
    """TD error to `target` [B], plus the weighted conservative gap; one step on both."""
    view, part = learner.view(state), learner.conservatism
    proposals = part.propose(key, view, batch)
    optimiser = learner.critic_optimiser
    counts = learner.row_weight(key_for(key, "row weight"), view, batch)
    if batch.counts is not None:
        known = batch.counts.target
        counts = known if counts is None else counts * known
    if proposals is None:

        def plain(net: Any) -> tuple[Array, dict[str, Array]]:
            q = view.critic(net)(view.obs(batch.obs), batch.action)
            td = squared_td(q, target, counts)
            return td, {"td_loss": td, "q_mean": jnp.mean(q), "critic_loss": td}

        return descend("critic", state, plain, optimiser, clock)
    part = cast(Pushes, part)
    weight, members = part.weight.at(state, WEIGHT, clock), proposals.members

    def loss(net: Any, tile: Tile) -> tuple[Array, dict[str, Array]]:
        obs = view.obs(tile.batch.obs)
        q = view.critic(net)(obs, tile.batch.action)
        td = squared_td(q, tile.target, tile.weight)
        pushed = view.critic(net, members=members).call_actions(obs, tile.action)
        at_data = q if members is None else q[members]
        given = Proposals(tile.action, tile.log_density, members)
        gap, more = part.gap(at_data, pushed, given, tile.batch)
        total = td + weight * jnp.mean(tile.batch.gate) * gap
        info = {"td_loss": td, "q_mean": jnp.mean(q), "critic_loss": total}
        return total, {**info, "conservative_gap": gap, **more, "conservative_weight": weight}

    tiles = _cut(part.bounded(view, batch), target, proposals, counts)
    state, info = descend_in_tiles("critic", state, loss, tiles, optimiser, clock)
    gap = info["conservative_gap"]
    return part.weight.step(state, WEIGHT, gap, batch.action.shape[-1]), info


def _cut(batch: Transition, target: Array, proposals: Proposals, counts: Array | None) -> Tile:
    """The batch as the fewest equal tiles of at most `SLAB` pairs, leaves [tiles, ...]."""
    n, b = proposals.log_density.shape
    count = next(t for t in range(1, b + 1) if b % t == 0 and (n * b <= SLAB * t or t == b))

    def rows(x: Array) -> Array:
        return x.reshape(count, b // count, *x.shape[1:])

    def columns(x: Array) -> Array:
        return jnp.swapaxes(x.reshape(x.shape[0], count, b // count, *x.shape[2:]), 0, 1)

    return Tile(
        jax.tree.map(rows, batch),
        rows(target) if target.ndim == 1 else columns(target),
        columns(proposals.action),
        columns(proposals.log_density),
        None if counts is None else rows(counts),
    )
