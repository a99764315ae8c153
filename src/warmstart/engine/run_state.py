"""What a run has and where it stands: to leave it, and to come back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.engine.broken_off import cut_off, mark_ends
from warmstart.engine.carry import Carries, snapshot_of
from warmstart.engine.diverged import diverged
from warmstart.engine.evaluator import Evaluator
from warmstart.engine.host_runner import Driven, HostRunner
from warmstart.engine.jax_runner import JaxRunner
from warmstart.engine.own_code import require_traceable
from warmstart.engine.phases import Carry
from warmstart.engine.position import Position
from warmstart.engine.problem import Problem, Schedule
from warmstart.engine.seed_batch import Part, SeedBatch
from warmstart.engine.seeds import Program
from warmstart.engine.setup import HasSetup, Setup
from warmstart.engine.stepper import Stepper
from warmstart.errors import RunError
from warmstart.recipe import Recipe


class Mark(NamedTuple):
    """Where a run stands, but for what learning carries."""

    position: dict[str, Any]
    host: dict[str, Any] | None
    memory: SeedBatch


class RunState(HasSetup):
    """A recipe on a problem for several seeds, at a position; nothing moves here.

    `pause` is asked often; where it answers True the trainer catches up and yields "safe". Where it
    is `driven`, somebody else steps the environment.
    """

    def __init__(
        self,
        recipe: Recipe,
        problem: Problem,
        seeds: Sequence[int],
        schedule: Schedule,
        pause: Callable[[], bool] = lambda: False,
        driven: bool = False,
    ) -> None:
        super().__init__(Setup.of(recipe, problem, seeds))
        self.schedule: Schedule = schedule
        self.pause: Callable[[], bool] = pause
        self.driven: bool = driven
        self.carries: Carries = Carries(recipe, problem, self.seeds)
        require_traceable(self.carries)
        self.dataset: Any = self.carries.dataset
        self.evaluator: Evaluator = Evaluator(self.setup, schedule.diagnose_every > 0)
        self.position = Position.start(len(self.names), "pretrain" if recipe.pretrain else "online")
        self.loop: Driven | JaxRunner | None = None
        self.zeros: Program = self.seeds.compile(_zeros, small=True)
        self._carry: SeedBatch | None = None
        self._memory: SeedBatch | None = None
        self._sums: Part | None = None

    @property
    def carry(self) -> SeedBatch:
        """What the seeds carry; made fresh at first use."""
        if self._carry is None:
            at = self.position
            state = self.seeds.compile(self.carries.fresh(at), shared=(1,))(self.keys, self.dataset)
            self._carry = self.carries.join(at, state, self.keys)
        return self._carry

    @carry.setter
    def carry(self, carry: SeedBatch) -> None:
        self._carry = carry

    @property
    def memory(self) -> SeedBatch:
        """What the acting rule remembers of the open episodes; nothing before the online phase."""
        if self._memory is None:
            self._memory = self.carries.memory(self.position, self.keys)
        return self._memory

    @memory.setter
    def memory(self, memory: SeedBatch | None) -> None:
        self._memory = memory

    @property
    def sums(self) -> SeedBatch:
        """Metric sums since they were at zero."""
        carry, treedef = self.carry, self.carry.shape.treedef
        if self._sums is None or self._sums.whole != treedef:
            self._sums = Part(treedef, lambda c: c.sums)
        return self._sums.of(carry)

    def forget(self) -> None:
        """Metric sums begin again at zero."""
        zeros = self.zeros(self.sums)
        assert self._sums is not None
        self.carry = self.carry.put(self._sums.places, zeros)

    @property
    def state(self) -> SeedBatch:
        """What learns."""
        return self.carry.get(lambda c: c.state)

    def open(self) -> Driven | JaxRunner:
        """The online loop, and the training environments where it steps them; opened once."""
        if self.loop is None:
            given = self.setup, self.dataset, self.position
            if self.driven:
                self.loop = Driven(Stepper(*given))
            elif self.problem.jax_env is None:
                self.loop = HostRunner(Stepper(*given))
            else:
                self.loop = JaxRunner(*given)
        return self.loop

    def roll(self) -> JaxRunner:
        """The compiled loop with the simulator in it, for whoever drives.

        Raises RunError where the simulator is no JAX program, or was stepped from outside already.
        """
        if self.problem.jax_env is None:
            raise RunError(
                f"{self.problem.env_name} is no JAX program, which alone can be rolled inside the "
                "compiled loop; step it yourself with act() and observe()"
            )
        if isinstance(self.loop, Driven):
            if self.position.env_steps or any(self.loop.stepper.episodes.begun):
                raise RunError(
                    "this agent was stepped from outside already; go on with act() and observe(), "
                    "or make another one to roll"
                )
            self.loop = None
        self.driven = False
        loop = self.open()
        assert isinstance(loop, JaxRunner)
        return loop

    def require_finite(self) -> None:
        """Raise DivergedError where a loss, or a number that is learnt, is not finite."""
        error = diverged(self.carry, self.names, self.position)
        if error is not None:
            raise error

    def mark(self) -> Mark:
        """Where acting stands now, which goes on while `snapshot` takes its time."""
        loop = self.loop
        host = loop.snapshot() if isinstance(loop, Driven) else None
        return Mark(dataclasses.asdict(self.position), host, self.memory)

    def snapshot(self, mark: Mark | None = None) -> tuple[Any, dict[str, Any]]:
        """Arrays [S, ...] and plain numbers of this moment; the ring's rows are `rows`.

        Raises DivergedError, see `require_finite`.
        """
        self.require_finite()
        mark = mark or self.mark()
        kept = self.seeds.zip(snapshot_of, self.carry, mark.memory)
        tree = {**kept.host(), "world": ()}
        if self._rolls(self.position):
            tree["world"] = self._world().host()
        rolled = self._rolls(self.position)
        return tree, {"position": mark.position, "host": mark.host, "rolled": rolled}

    def model(self, meta: dict[str, Any]) -> Any:
        """Shapes and types of the arrays of a snapshot with this meta."""
        at = Position.stored(meta["position"])
        if meta.get("rolled"):
            self.driven = False
        tree = {**self.carries.model(at), "world": ()}
        if self._rolls(at):
            tree["world"] = self._world().host()
        return tree

    def _rolls(self, at: Position) -> bool:
        """Whether a simulator is part of the arrays at a position."""
        here = self.problem.jax_env is not None and not self.driven
        return here and at.phase in ("online", "done")

    def _world(self) -> SeedBatch:
        loop = self.open()
        assert isinstance(loop, JaxRunner)
        return loop.world

    @property
    def collected(self) -> int:
        """Online rows that each seed has put into its ring."""
        return self.position.env_steps

    def inserted(self, tree: Any) -> int:
        """Online rows that the rings of a snapshot have seen: an agent's may lack the newest."""
        if self.position.phase not in ("online", "done"):
            return 0
        return int(tree["added"][0]) - self.open().preloaded

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Online rows start..stop of every seed [S, n, W]; they must still be in the ring."""
        first = self.open().preloaded

        def pick(carry: Carry) -> Any:
            at = np.arange(first + start, first + stop) % carry.ring.capacity
            return carry.ring.rows[at]

        if self.carry.batched:
            ring = self.carry.items[0].ring
            at = np.arange(first + start, first + stop) % ring.rows.shape[1]
            return np.asarray(ring.rows[:, at])
        return self.carry.get(pick).host()

    def held(self, stop: int) -> np.ndarray:
        """Of the first `stop` online rows those that the rings still hold, [S, n, W]."""
        capacity = self.carries.capacity(self.open().preloaded)
        return self.rows(max(0, stop - capacity), stop)

    def counted(self, rows: int) -> list[int]:
        """Images of each seed's first `rows` online rows; the newest of these is in the ring."""
        layout = self.carries.layout
        if not layout.pixels or rows == 0:
            return [0] * len(self.names)
        newest = self.rows(rows - 1, rows)[:, 0, layout.frame_columns[1]]
        return [int(number) + 1 for number in newest]

    def images(self, i: int, start: int, stop: int) -> np.ndarray:
        """Images start..stop [n, P] uint8 of the seed at position `i`, still in its ring."""
        carry, batched = self.carry.items[0 if self.carry.batched else i], self.carry.batched
        held = carry.ring.frames.pixels[i] if batched else carry.ring.frames.pixels
        return np.asarray(held[np.arange(start, stop) % held.shape[0]])

    def restore(
        self,
        tree: Any,
        meta: dict[str, Any],
        rows: np.ndarray | None,
        images: Sequence[tuple[int, np.ndarray]] = (),
    ) -> list[int]:
        """Stand where a snapshot was taken; `tree` as `carries.model` shapes it.

        Returns the seeds whose open episode could not be replayed: it was cut, another begins.
        `rows` [S, n, W] are changed in place where an episode was cut. `images` has of each seed
        the number of the first [n, P] that its ring shall hold, and those.
        """
        self.position: Position = Position.stored(meta["position"])
        at = self.position
        if at.phase == "done" and at.env_steps < self.recipe.finetune.steps:
            at.phase = "online"  # declared longer since
        if self.loop is not None:
            self.loop.stand(at)
        lost: list[int] = []
        if meta["host"] is not None:
            loop = self.open()
            assert isinstance(loop, Driven)
            lost = loop.restore(meta["host"])
            if rows is not None:
                mark_ends(rows, loop.stepper.episodes.layout, loop.stepper.ends_before())
                tree = cut_off(loop.stepper.episodes, rows, tree, lost)
        carry = self.carries.join(at, self.seeds.place(tree["state"]), self.keys)
        names = ("source", "sums", "added", "closed", "first")
        placed = self.seeds.place({k: tree[k] for k in names if k in tree})
        self.memory = self.seeds.place(tree["memory"])
        ring = carry.get(lambda c: c.ring)
        if rows is not None:
            ring = self.carries.ring(rows, self.inserted(tree), images)
        self.carry = self.seeds.zip(_put_back, carry, ring, placed)
        if self._rolls(at):
            loop = self.open()
            assert isinstance(loop, JaxRunner)
            loop.world = self.seeds.place(tree["world"])
        return [self.names[i] for i in lost]

    def close(self) -> None:
        """Close every environment."""
        self.evaluator.close()
        if self.loop is not None:
            self.loop.close()


def _put_back(carry: Carry, ring: Any, placed: dict[str, Any]) -> Carry:
    ring = ring._replace(added=placed["added"], closed=placed["closed"])
    if ring.frames is not None:
        ring = ring._replace(frames=ring.frames._replace(first=placed["first"]))
    return carry._replace(ring=ring, source=placed["source"], sums=placed["sums"])


def _zeros(sums: Any) -> Any:
    return jax.tree.map(jnp.zeros_like, sums)
