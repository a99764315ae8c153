"""How the first carry of each phase is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.engine.phases import Block, Carry, Online
from warmstart.engine.position import Position
from warmstart.engine.problem import Problem
from warmstart.engine.seed_batch import SeedBatch
from warmstart.engine.seeds import Seeds
from warmstart.handover import Handover, hand_over
from warmstart.learners import Learner
from warmstart.recipe import Recipe
from warmstart.replay import Layout, Ring, Stores, empty_ring
from warmstart.state import State, key_for


class Carries:
    """Makes carries for a recipe on a problem; every function is of one seed until `compile`."""

    def __init__(self, recipe: Recipe, problem: Problem, seeds: Seeds) -> None:
        self.recipe: Recipe = recipe
        self.problem: Problem = problem
        self.seeds: Seeds = seeds
        self.layout: Layout = Layout.of(problem.spec)
        self.online: Online = Online(recipe, problem.spec)
        empty = np.zeros((1, self.layout.width), np.float32)
        self.dataset: Any = seeds.share(empty if problem.rows is None else problem.rows)

    def learner(self, at: Position) -> Learner:
        """The learner of a position's phase."""
        if at.phase in ("pretrain", "switch"):
            return self.recipe.pretrain[at.stage].learner
        return self.recipe.finetune.learner

    def block(self, at: Position) -> Block:
        """What is repeated in a position's phase."""
        if at.phase in ("pretrain", "switch"):
            stage = self.recipe.pretrain[at.stage]
            return Block(stage.learner, stage.source, self.layout)
        return self.online.block

    def fresh(self, at: Position) -> Callable[[Any, Any], State]:
        """(key, dataset) -> an untrained state for a position's phase."""
        learner, online, begins = self.learner(at), self.online, at.phase == "online"

        def init(key: Any, dataset: Any) -> State:
            state = learner.init(key_for(key, "init"), online.spec)
            if begins:
                state = online.listening(key, state)
            return learner.study(state, online.layout.unpack(dataset))

        return init

    def crossing(self, at: Position) -> Callable[[Any, State], State]:
        """(key, state of the phase before) -> first state of the position's phase."""
        learner, online, begins = self.learner(at), self.online, at.phase == "online"
        rule = self.recipe.handover if begins else Handover()
        name = "handover" if begins else f"stage {at.stage}"
        before = self.recipe.pretrain[-1 if begins else at.stage - 1].learner

        def cross(key: Any, source: State) -> State:
            source = before.handed(source)
            state = hand_over(key_for(key, name), rule, source, learner, online.spec).state
            return online.listening(key, state) if begins else state.replace(pretrained={})

        return cross

    def join(self, at: Position, state: SeedBatch, keys: SeedBatch) -> SeedBatch:
        """A carry around `state`, with an empty (or preloaded) ring and empty sums."""
        block = self.block(at)
        zeros = self.seeds.compile(block.zeros)(state)
        if at.phase in ("pretrain", "switch"):
            width = self.layout.width
            ring = self.seeds.compile(lambda key: empty_ring(1, width))(keys)
        else:
            ring = self.ring()

        def begin(key: Any, ring: Ring, dataset: Any) -> Any:
            return block.source.init(key_for(key, "source"), Stores(dataset, ring), block.layout)

        source = self.seeds.compile(begin, shared=(2,))(keys, ring, self.dataset)
        none = self.seeds.place(np.zeros(self.seeds.count, np.int32))
        return self.seeds.zip(Carry, state, ring, source, zeros, none)

    def memory(self, at: Position, keys: SeedBatch) -> SeedBatch:
        """What the acting rule carries through an episode, at the start of one."""
        if at.phase in ("pretrain", "switch"):
            return self.seeds.compile(lambda key: ())(keys)
        rule, spec = self.recipe.acting, self.problem.spec
        return self.seeds.compile(lambda key: rule.init(1, spec))(keys)

    def ring(self, later: np.ndarray | None = None, collected: int = 0) -> SeedBatch:
        """The online ring, preloaded; at a resume with `later`, the newest of `collected` rows.

        `later` [S, n, W] may lack rows that the ring has lost: each stands where it stood.
        """
        first = preloaded(self.recipe, self.layout, self.problem.rows)
        count, capacity = self.seeds.count, self.capacity(len(first))
        filled = np.zeros((count, capacity, self.layout.width), np.float32)
        kept = first[max(0, len(first) - capacity) :]
        filled[:, np.arange(len(first) - len(kept), len(first)) % capacity] = kept
        added = len(first)
        if later is not None:
            added += collected
            keep = min(later.shape[1], capacity)
            filled[:, np.arange(added - keep, added) % capacity] = later[:, later.shape[1] - keep :]
        numbers = np.full(count, added, np.int32)
        return self.seeds.place(Ring(filled, numbers, numbers.copy()))

    def capacity(self, preloaded: int) -> int:
        """Rows that the online ring holds."""
        return max(min(self.recipe.replay.capacity, preloaded + self.recipe.finetune.steps), 1)

    def model(self, at: Position) -> Any:
        """Shapes and types of a snapshot at a position, [S, ...] each."""
        before = Position("pretrain", max(len(self.recipe.pretrain) - 1, 0))

        def one(key: Any, dataset: Any) -> Any:
            if at.phase in ("online", "done") and self.recipe.pretrain:
                state = self.fresh(before)(key, dataset)
                state = self.crossing(Position("online"))(key, state)
            else:
                state = self.fresh(at)(key, dataset)
            offline = at.phase in ("pretrain", "switch")
            memory = () if offline else self.recipe.acting.init(1, self.problem.spec)
            block, rows, none = self.block(at), 1, jnp.int32(0)
            if not offline:
                rows = self.capacity(len(preloaded(self.recipe, self.layout, self.problem.rows)))
            ring = empty_ring(rows, self.layout.width)
            source = block.source.init(key, Stores(dataset, ring), self.layout)
            return snapshot_of(Carry(state, ring, source, block.zeros(state), none), memory)

        shapes = jax.eval_shape(
            one,
            jax.ShapeDtypeStruct((2,), jnp.uint32),
            jax.ShapeDtypeStruct(self.dataset.shape, jnp.float32),
        )
        count = self.seeds.count
        return jax.tree.map(lambda x: np.zeros((count, *x.shape), x.dtype), shapes)


def budget_of(recipe: Recipe) -> int:
    """Online steps over which something is annealed."""
    return recipe.finetune.anneal_steps or recipe.finetune.steps


def remembers_places(recipe: Recipe, layout: Layout) -> bool:
    """Whether the source's memory has something for each place of the ring, as priorities do."""

    def memory(places: int) -> Any:
        stores = Stores(jnp.zeros((1, layout.width)), empty_ring(places, layout.width))
        return recipe.replay.source.init(jax.random.PRNGKey(0), stores, layout)

    shapes = [
        [leaf.shape for leaf in jax.tree.leaves(jax.eval_shape(lambda n=n: memory(n)))]
        for n in (64, 1024)
    ]
    return shapes[0] != shapes[1]


def snapshot_of(carry: Carry, memory: Any) -> dict[str, Any]:
    """What a checkpoint holds of one seed's carry; the ring's rows are kept apart, and where it
    diverged there is no checkpoint."""
    return {
        "state": carry.state,
        "memory": memory,
        "source": carry.source,
        "sums": carry.sums,
        "added": carry.ring.added,
        "closed": carry.ring.closed,
    }


def preloaded(recipe: Recipe, layout: Layout, rows: np.ndarray | None) -> np.ndarray:
    """Dataset rows that stand in the ring before the first step: the same for every seed."""
    preload = recipe.replay.preload
    if preload.kind == "none" or rows is None:
        return np.zeros((0, layout.width), np.float32)
    if preload.kind == "random":
        return rows[np.random.default_rng(0).integers(0, len(rows), preload.count)]
    if preload.kind == "last":
        return rows[-preload.count :]
    if preload.kind == "top":
        ends = np.flatnonzero(rows[:, layout.last] > 0) + 1
        starts = np.concatenate([[0], ends[:-1]])
        returns = [rows[a:b, layout.scalars].sum() for a, b in zip(starts, ends, strict=True)]
        # The lowest return first: that is the order in which a full ring loses them.
        best = np.argsort(returns, kind="stable")[-preload.count :]
        return np.concatenate([rows[starts[i] : ends[i]] for i in best])
    return rows
