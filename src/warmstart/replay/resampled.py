"""Rows for an ensemble: a resample of the dataset for each network, and rows held out from all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.replay.rows import Layout
from warmstart.replay.sources import Drawn, Remembers, Stores, Wanted, pick, plain
from warmstart.state import key_for
from warmstart.types import Clock
from warmstart.values import register

LEAST = 5
"""Rows in a stratum: at most a fifth of all rows is held out."""


def held_in(key: Array, stratum: Array, size: Array | int) -> Array:
    """Which of the `size` rows of each stratum [...] is held out: a function of key and stratum."""

    def one(k: Array) -> Array:
        return jax.random.randint(jax.random.fold_in(key, k), (), 0, size)

    return jax.vmap(one)(stratum.reshape(-1)).reshape(stratum.shape)


@register
@dataclass(frozen=True)
class Resampled(Remembers):
    """Each network's minibatch from a bootstrap resample of its own (Chua et al. 2018, sec. 4).

    Row j of a network's resample is a function of the network and of j, so that nothing as long as
    the dataset is remembered. The held-out rows are one of each of `Wanted.apart` equal strata,
    so that they come from everywhere; at most a fifth of the dataset, in a small one they repeat.
    """

    reads_images: ClassVar[bool] = False

    holds_out: ClassVar[bool] = True

    def init(self, key: Array, stores: Stores, layout: Layout) -> Any:
        """The key that decides both."""
        del stores, layout
        return key_for(key, "resample")

    def draw(self, key: Array, clock: Clock, stores: Stores, memory: Any, want: Wanted) -> Drawn:
        """Rows [U, B, W]: equal parts for `groups` networks, then `apart` rows held out."""
        del clock
        n, (u, b) = stores.dataset.shape[0], want.shape
        strata = max(1, min(want.apart, n // LEAST))
        size, own = n // strata, (b - want.apart) // want.groups
        held_key, boot_key = key_for(memory, "held"), key_for(memory, "boot")

        def resample(network: Array, j: Array) -> Array:
            k = jax.random.fold_in(jax.random.fold_in(boot_key, network), j)
            return jax.random.randint(k, (), 0, max(n - strata, 1))

        j = pick(key, max(n - strata, 1), (u, want.groups, own))
        network = jnp.broadcast_to(jnp.arange(want.groups)[:, None], j.shape)
        i = jax.vmap(resample)(network.reshape(-1), j.reshape(-1)).reshape(u, -1)
        # The i-th row of those that are not held out: one of each stratum is passed over.
        stratum, place = i // max(size - 1, 1), i % max(size - 1, 1)
        place = place + (place >= held_in(held_key, stratum, size))
        learnt = jnp.where(stratum < strata, stratum * size + place, i + strata)
        stratum = jnp.arange(want.apart) % strata
        held = stratum * size + held_in(held_key, stratum, size)
        at = jnp.concatenate([learnt, jnp.broadcast_to(held, (u, want.apart))], axis=1)
        return plain(stores.logged(jnp.minimum(at, n - 1), want.layout), memory)
