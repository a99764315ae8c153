"""What a batch is made of. A source draws rows inside the compiled update loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.errors import RecipeError
from warmstart.ranges import Count, Share
from warmstart.replay.frames import Logged, pictured
from warmstart.replay.ring import Ring
from warmstart.replay.rows import Layout, taken
from warmstart.state import key_for
from warmstart.types import Clock, Transition
from warmstart.values import register


class Wanted(NamedTuple):
    """What an update asks of a source."""

    shape: tuple[int, int]  # U, B
    finished: bool  # online rows of finished episodes only
    layout: Layout  # of the rows to give
    groups: int = 1  # networks that want rows of their own, equal parts of B
    apart: int = 0  # how many of the B rows, at their end, nobody learns from


class Drawn(NamedTuple):
    """What a source gives to one update."""

    rows: Array  # [U, B, W], or [U, B, T, W] of windows
    gate: Array  # [U], how much gated parts count for each minibatch
    memory: Any  # what the source remembers


def plain(rows: Array, memory: Any) -> Drawn:
    """Rows [U, B, W] for which every part counts in full."""
    return Drawn(rows, jnp.ones(rows.shape[0]), memory)


class Source(Protocol):
    """What a batch is made of. Most subclass `Remembers` for what they do not need."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    reads_dataset: ClassVar[bool]
    reads_images: ClassVar[bool]
    holds_out: ClassVar[bool]

    @property
    def logged(self) -> bool:
        """See `Remembers`."""
        ...

    def axes(self, u: int, b: int) -> tuple[int, ...]:
        """See `Remembers`."""
        ...

    def check(self, learner: Any, before: Any) -> None:
        """See `Remembers`."""
        ...

    def init(self, key: Array, stores: Stores, layout: Layout) -> Any:
        """See `Remembers`."""
        ...

    def draw(self, key: Array, clock: Clock, stores: Stores, memory: Any, want: Wanted) -> Drawn:
        """Rows for one update, and the memory afterwards."""
        ...


class Remembers:
    """A source of single rows that remembers nothing; one that does overrides `init`."""

    reads_dataset: ClassVar[bool] = True
    """Whether a run needs a dataset for it."""
    reads_images: ClassVar[bool] = True
    """Whether it serves rows with images too: a network of its own would see only their numbers."""
    holds_out: ClassVar[bool] = False
    """Whether the last `Wanted.apart` rows of a batch are never among the others."""

    def check(self, learner: Any, before: Any) -> None:
        """Raise RecipeError where it cannot serve `learner`, which comes after `before`."""
        del learner, before

    @property
    def logged(self) -> bool:
        """Whether it draws rows of the dataset itself: the ring must then not hold them too."""
        return True

    def axes(self, u: int, b: int) -> tuple[int, ...]:
        """The leading axes of what it draws for U minibatches of B."""
        return u, b

    def init(self, key: Array, stores: Stores, layout: Layout) -> Any:
        """What it remembers at the start of its phase, a pytree of arrays."""
        del key, stores, layout
        return ()


class Stores(NamedTuple):
    """Where rows come from: the dataset, one array for all seeds, and the seed's own ring."""

    dataset: Array  # [N, W], or [1, W] of zeros where there is none
    ring: Ring
    view: Any = None  # of the state that will learn from them: a model of the world imagines rows
    frames: Any = None  # [F, P] uint8, the dataset's images, where rows have some

    @classmethod
    def of(cls, dataset: Any, ring: Ring) -> Stores:
        """A dataset's rows, or `Logged` where it has images, and a ring."""
        if isinstance(dataset, Logged):
            return cls(dataset.rows, ring, frames=dataset.frames)
        return cls(dataset, ring)

    def pictured(self, batch: Transition, layout: Layout) -> Transition:
        """Unpacked rows that were drawn from here, with their images where they have some."""
        return pictured(layout, batch, self.frames, self.ring.frames)

    def logged(self, at: Array, layout: Layout) -> Array:
        """The dataset's rows [..., W] at `at` [...], as `layout` has them."""
        return taken(self.dataset, at, layout)

    def online(self, at: Array, layout: Layout) -> Array:
        """The ring's rows [..., W] at places `at` [...], as `layout` has them."""
        return taken(self.ring.rows, at, layout, (self.ring.added - 1) % self.ring.capacity)


def pick(key: Array, n: Array | int, shape: tuple[int, ...]) -> Array:
    """Uniform indices below n >= 1, i.i.d."""
    return jax.random.randint(key, shape, 0, jnp.maximum(n, 1))


@register
@dataclass(frozen=True)
class FromDataset(Remembers):
    """Every row from the dataset: pre-training.

    `top` is the share of episodes, those of highest return, that are drawn from (BC-10 %: 0.1).
    """

    top: Share = 1.0

    def init(self, key: Array, stores: Stores, layout: Layout) -> Any:
        """Where the rows of the best episodes stand, and how many they are."""
        if self.top >= 1.0:
            return ()
        rows, n = layout.unpack(stores.dataset), stores.dataset.shape[0]
        episode = (jnp.cumsum(rows.last) - rows.last).astype(jnp.int32)
        returns = jax.ops.segment_sum(rows.reward, episode, n)
        count = episode[-1] + 1
        ranked = jnp.sort(jnp.where(jnp.arange(n) < count, returns, -jnp.inf), descending=True)
        worst = ranked[jnp.maximum(jnp.ceil(self.top * count).astype(jnp.int32), 1) - 1]
        best = returns[episode] >= worst
        return jnp.argsort(~best, stable=True).astype(jnp.int32), jnp.sum(best, dtype=jnp.int32)

    def draw(self, key: Array, clock: Clock, stores: Stores, memory: Any, want: Wanted) -> Drawn:
        """Rows [U, B, W]."""
        del clock
        if self.top >= 1.0:
            at = pick(key, stores.dataset.shape[0], want.shape)
        else:
            order, n = memory
            at = order[pick(key, n, want.shape)]
        return plain(stores.logged(at, want.layout), memory)


@register
@dataclass(frozen=True)
class FromRing(Remembers):
    """Every row from the online buffer (which may have been preloaded with the dataset)."""

    reads_dataset: ClassVar[bool] = False

    @property
    def logged(self) -> bool:
        """Never: what the ring was preloaded with is drawn as its other rows are."""
        return False

    def draw(self, key: Array, clock: Clock, stores: Stores, memory: Any, want: Wanted) -> Drawn:
        """Rows [U, B, W]."""
        del clock
        return plain(online_rows(key, stores, want), memory)


def online_rows(key: Array, stores: Stores, want: Wanted) -> Array:
    """Rows [U, B, W] of the ring, i.i.d.; where so wanted, of finished episodes only."""
    ring = stores.ring
    n = (ring.closed if want.finished else ring.added) - ring.oldest - ring.skipped
    return stores.online(ring.place(pick(key, n, want.shape)), want.layout)


def whole_rows(share: float, b: int) -> int:
    """The whole rows in a share of b."""
    return int(share * b + 1e-6)


def need_a_row(share: float, b: int) -> None:
    """Raise RecipeError where a share of b rows is more than nothing and less than one row."""
    if share > 0.0 and not whole_rows(share, b):
        raise RecipeError(
            f"replay.source.share={share} of a batch of {b} rows is not one row; set "
            f"replay.source.share={1 / b} or more, or finetune.learner.batch larger"
        )


@register
@dataclass(frozen=True)
class Mixed(Remembers):
    """A fixed or annealed share of each minibatch from the dataset, the rest from the ring.

    Rounded down to whole rows, as the released code of RLPD and Cal-QL does.

    Attributes:
        share: offline share at the first online step (RLPD 0.5; Ball et al. 2023, sec. 4.1).
        end: share at the end of the online budget, linear in between; None keeps `share`.
        over: online steps within which `end` is reached; None: the whole budget.
    """

    share: Share = 0.5
    end: Share | None = None
    over: Count | None = None

    def check(self, learner: Any, before: Any) -> None:
        """A fixed share is at least one row."""
        del before
        if self.end is None:
            need_a_row(self.share, learner.batch)

    @property
    def logged(self) -> bool:
        """Whether the share is above 0 at some time."""
        return max(self.share, self.end or 0.0) > 0.0

    @property
    def anneals(self) -> bool:
        """Whether the share changes over the run's length."""
        return self.over is None and self.end is not None and self.end != self.share

    def draw(self, key: Array, clock: Clock, stores: Stores, memory: Any, want: Wanted) -> Drawn:
        """Rows [U, B, W]; the first rows of every minibatch are the offline ones."""
        b = want.shape[1]
        at = pick(key_for(key, "offline"), stores.dataset.shape[0], want.shape)
        offline = stores.logged(at, want.layout)
        online = online_rows(key_for(key, "online"), stores, want)
        if self.end is None:
            n = whole_rows(self.share, b)
            return plain(jnp.concatenate([offline[:, :n], online[:, : b - n]], axis=1), memory)
        budget = clock.budget if self.over is None else self.over
        done = clock.env_steps / jnp.maximum(budget, 1)
        share = self.share + (self.end - self.share) * jnp.clip(done, 0.0, 1.0)
        first = jnp.arange(b) < jnp.floor(share * b + 1e-6)
        return plain(jnp.where(first[None, :, None], offline, online), memory)
