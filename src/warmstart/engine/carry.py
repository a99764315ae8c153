"""How the first carry of each phase is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.engine.online import Online
from warmstart.engine.phases import Block, Carry
from warmstart.engine.position import Position
from warmstart.engine.problem import Problem
from warmstart.engine.seed_batch import SeedBatch
from warmstart.engine.seeds import Seeds
from warmstart.errors import RecipeError
from warmstart.handover import Handover, hand_over
from warmstart.learners import Learner
from warmstart.recipe import Recipe
from warmstart.replay import Layout, Logged, Ring, Stores, empty_frames, empty_ring, frames_for
from warmstart.state import State, key_for


def learner_at(recipe: Recipe, at: Position) -> Learner:
    """The learner of a position's phase."""
    if at.phase in ("pretrain", "switch"):
        return recipe.pretrain[at.stage].learner
    return recipe.finetune.learner


class Carries:
    """Makes carries for a recipe on a problem; every function is of one seed until `compile`."""

    def __init__(self, recipe: Recipe, problem: Problem, seeds: Seeds) -> None:
        self.recipe: Recipe = recipe
        self.problem: Problem = problem
        self.seeds: Seeds = seeds
        self.layout: Layout = Layout.of(problem.spec)
        self.online: Online = Online.of(recipe, problem.spec)
        require_images_read(recipe, problem)
        rows, frames = problem.rows, problem.frames
        if rows is None:
            rows = np.zeros((1, self.layout.width), np.float32)
            frames = np.zeros((1, self.layout.pixels), np.uint8)
        self.dataset: Any = seeds.share(Logged(rows, frames) if self.layout.pixels else rows)
        self._check_rows()

    def _check_rows(self) -> None:
        """Refuse (RecipeError), by shapes, a source that leaves out what its learner asks for."""
        key = jax.ShapeDtypeStruct((2,), jnp.uint32)
        rows = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), self.dataset)
        stages = [Position("pretrain", i) for i in range(len(self.recipe.pretrain))]
        for at in (*stages, Position("online")):
            if (block := self.block(at)).drawn != block.layout:
                block.check_rows(jax.eval_shape(self.fresh(at), key, rows), rows)

    def learner(self, at: Position) -> Learner:
        """The learner of a position's phase."""
        return learner_at(self.recipe, at)

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
            rows = dataset.rows if isinstance(dataset, Logged) else dataset
            return learner.study(state, online.layout.without_pixels(online.layout.unpack(rows)))

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
            layout = self.layout
            ring = self.seeds.compile(
                lambda key: empty_ring(1, layout.width, empty_frames(layout, 1))
            )(keys)
        else:
            ring = self.ring()

        def begin(key: Any, ring: Ring, dataset: Any) -> Any:
            return block.source.init(key_for(key, "source"), Stores.of(dataset, ring), block.layout)

        source = self.seeds.compile(begin, shared=(2,))(keys, ring, self.dataset)
        none = self.seeds.place(np.zeros(self.seeds.count, np.int32))
        return self.seeds.zip(Carry, state, ring, source, zeros, none)

    def memory(self, at: Position, keys: SeedBatch) -> SeedBatch:
        """What the acting rule carries through an episode, at the start of one."""
        if at.phase in ("pretrain", "switch"):
            return self.seeds.compile(lambda key: ())(keys)
        rule, spec = self.recipe.acting, self.problem.spec
        return self.seeds.compile(lambda key: rule.init(1, spec))(keys)

    def ring(
        self,
        later: np.ndarray | None = None,
        collected: int = 0,
        images: Sequence[tuple[int, np.ndarray]] = (),
    ) -> SeedBatch:
        """The online ring, preloaded; at a resume with `later`, the newest of `collected` rows.

        `later` [S, n, W] may lack rows that the ring has lost: each stands where it stood. So does
        each of the `images` [n, P] of a seed, which begin with the number beside them.
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
        ring = self.seeds.place(Ring(filled, numbers, numbers.copy()))
        if not self.layout.pixels:
            return ring
        room, layout, before = self.room_for_images(), self.layout, len(first)
        numbers = self.seeds.place(numbers)
        frames = self.seeds.compile(lambda kept: empty_frames(layout, room, before))(numbers)
        if images:
            held = np.zeros((count, room, layout.pixels), np.uint8)
            for i, (start, pictures) in enumerate(images):
                held[i, np.arange(start, start + len(pictures)) % held.shape[1]] = pictures
            held = self.seeds.place(held)
            frames = self.seeds.zip(lambda f, pixels: f._replace(pixels=pixels), frames, held)
        return self.seeds.zip(lambda ring, frames: ring._replace(frames=frames), ring, frames)

    def room_for_images(self) -> int:
        """Images that the online ring holds of each seed."""
        kept = len(preloaded(self.recipe, self.layout, self.problem.rows))
        return frames_for(max(min(self.capacity(kept), self.recipe.finetune.steps), 1))

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
            ring = empty_ring(rows, self.layout.width, empty_frames(self.layout, 1))
            source = block.source.init(key, Stores.of(dataset, ring), self.layout)
            return snapshot_of(Carry(state, ring, source, block.zeros(state), none), memory)

        shapes = jax.eval_shape(
            one,
            jax.ShapeDtypeStruct((2,), jnp.uint32),
            jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), self.dataset),
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


def require_images_read(recipe: Recipe, problem: Problem) -> None:
    """Refuse (RecipeError) a recipe of which a part would not see the problem's images."""
    if not problem.spec.cameras:
        return
    names = ", ".join(camera.name for camera in problem.spec.cameras)
    if problem.jax_env is not None:
        raise RecipeError(
            f"{problem.env_name} is a JAX program and shows images ({names}), which only an "
            "environment on the host can; make it a Gymnasium environment"
        )
    stages = [(stage.learner, stage.source) for stage in recipe.pretrain]
    for learner, source in [*stages, (recipe.finetune.learner, recipe.replay.source)]:
        blind = next((p for p in (learner, source) if not getattr(p, "reads_images", False)), None)
        if blind is not None:
            raise RecipeError(
                f"{recipe.name} does not look at images, and {problem.env_name} shows some "
                f"({names}): its {type(blind).__name__} sees numbers alone; take an actor-critic "
                "method such as sac, rlpd, wsrl, iql or bc, or observe numbers only"
            )


def snapshot_of(carry: Carry, memory: Any) -> dict[str, Any]:
    """What a checkpoint holds of one seed's carry; the ring's rows and images are kept apart, and
    where it diverged there is no checkpoint."""
    return {
        "state": carry.state,
        "memory": memory,
        "source": carry.source,
        "sums": carry.sums,
        "added": carry.ring.added,
        "closed": carry.ring.closed,
        **({} if carry.ring.frames is None else {"first": carry.ring.frames.first}),
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
