"""Off2On's replay: dataset and online rows under one roof, the online-looking ones first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.ensemble import density_ratio_loss, ratio_priority
from warmstart.errors import RecipeError
from warmstart.nets.spec import CriticSpec, NetSpec
from warmstart.ranges import Count, Positive, Share
from warmstart.replay import sum_tree as sums
from warmstart.replay.rows import Layout
from warmstart.replay.sources import Drawn, Remembers, Stores, Wanted, online_rows, pick, plain
from warmstart.state import Optimiser, State, descend, key_for
from warmstart.types import Clock
from warmstart.values import register

SLICE = 256
"""New online rows that enter the tree at a time."""
RATIO = "ratio"


class Balance(NamedTuple):
    """What the source remembers."""

    learnt: State  # the density-ratio network and its optimiser
    tree: Array  # over dataset rows, then the ring's places
    highest: Array  # [], with which a new online row enters
    seen: Array  # [] int32, online rows that are in the tree


@register
@dataclass(frozen=True)
class Balanced(Remembers):
    """Rows by how much their (s, a) looks online, by a density-ratio network (Lee et al. 2021).

    The source owns the network, trains it on as many uniform offline and online rows with every
    draw, and gives the rows that it has drawn their new priorities. Dataset rows begin at 1;
    online rows enter at the highest priority so far, which begins so high that the first
    `first_block` of them make up the share `fraction` of a batch.

    Attributes:
        fraction: share of online rows in the first batches.
        temperature: T in w^(1/T).
        first_block: online rows for which `fraction` is reckoned.
        net, optimiser: the ratio network's.

    Raises:
        RecipeError: a learning rate that falls with the phase.
    """

    reads_images: ClassVar[bool] = False

    fraction: Share = 0.5
    temperature: Positive = 5.0
    first_block: Count = 1_000
    net: NetSpec = NetSpec()
    optimiser: Optimiser = Optimiser()

    def __post_init__(self) -> None:
        self.optimiser.check_steady("replay.source.optimiser")

    def check(self, learner: Any, before: Any) -> None:
        """It draws rows whose returns-to-go are not known yet; of windows the recipe speaks."""
        del before
        if learner.finished_only and not learner.windows:
            raise RecipeError(
                "replay.source=Balanced draws rows of open episodes too, whose returns-to-go the "
                "learner would need; set finetune.learner.finished_only=false or another source"
            )

    def init(self, key: Array, stores: Stores, layout: Layout) -> Balance:
        """A fresh network, the dataset at priority 1, the ring's places at 0."""
        spec = CriticSpec(self.net, 1)
        net = spec.build(key_for(key, RATIO), layout.obs_dim, layout.action_dim)
        net = eqx.tree_at(lambda n: n.head.bias, net, jnp.ones_like(net.head.bias))
        opts = {RATIO: self.optimiser.build().init(net)}
        data, places = stores.dataset.shape[0], stores.ring.capacity
        start = self.fraction / (1.0 - self.fraction) * data / self.first_block
        return Balance(
            State({RATIO: net}, {}, opts, {}, {}, {}),
            sums.tree_of(jnp.concatenate([jnp.ones(data), jnp.zeros(places)])),
            jnp.asarray(start, jnp.float32),
            jnp.zeros((), jnp.int32),
        )

    def draw(
        self, key: Array, clock: Clock, stores: Stores, memory: Balance, want: Wanted
    ) -> Drawn:
        """Rows [U, B, W] in proportion to their priorities."""
        del clock
        memory = self._enter(stores, memory)
        count, data = want.shape[0] * want.shape[1], stores.dataset.shape[0]
        leaves = sums.draw(key_for(key, "leaves"), memory.tree, count)
        old = stores.logged(jnp.minimum(leaves, data - 1), want.layout)
        place = jnp.clip(leaves - data, 0, stores.ring.capacity - 1)
        rows = jnp.where((leaves < data)[:, None], old, stores.online(place, want.layout))
        every = want._replace(shape=(count,), finished=False)
        offline = stores.logged(pick(key_for(key, "offline"), data, (count,)), want.layout)
        online = online_rows(key_for(key, "online"), stores, every)
        learnt, ratio = self._learn(memory.learnt, want.layout, offline, online)
        priority = ratio_priority(ratio(rows), ratio(offline), self.temperature)
        memory = memory._replace(
            learnt=learnt,
            tree=sums.change(memory.tree, leaves, priority),
            highest=jnp.maximum(memory.highest, jnp.max(priority)),
        )
        return plain(rows.reshape(*want.shape, -1), memory)

    def _learn(self, state: State, layout: Layout, offline: Array, online: Array) -> Any:
        """One step of the network, and how it judges rows [B, W]."""

        def judged(net: Any, rows: Array) -> Array:
            batch = layout.unpack(rows)
            return jax.nn.relu(net(batch.obs, batch.action)[0])

        def loss(net: Any) -> tuple[Array, dict[str, Array]]:
            return density_ratio_loss(judged(net, offline), judged(net, online)), {}

        state, _ = descend(RATIO, state, loss, self.optimiser)
        return state, lambda rows: judged(state.nets[RATIO], rows)

    def _enter(self, stores: Stores, memory: Balance) -> Balance:
        """Online rows that came since the last draw enter the tree."""
        data, ring = stores.dataset.shape[0], stores.ring
        oldest = jnp.maximum(memory.seen, ring.added - ring.capacity)

        def some(loop: tuple[Array, Array]) -> tuple[Array, Array]:
            at, tree = loop
            number = at + jnp.arange(SLICE)
            place = data + number % ring.capacity
            leaves = jnp.where(number < ring.added, place, tree.shape[0])
            return at + SLICE, sums.change(tree, leaves, jnp.full(SLICE, memory.highest))

        tree = jax.lax.while_loop(lambda loop: loop[0] < ring.added, some, (oldest, memory.tree))[1]
        return memory._replace(tree=tree, seen=ring.added)
