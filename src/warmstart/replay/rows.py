"""Transitions as rows of one float32 matrix [N, W]: one gather draws a batch, one write adds one.

A row is obs | action | next_obs | reward | mask | last | t | return_to_go | online. A learner that
asks for the action logged next is given rows with next_action | followed behind that, and one that
learns from chunks of h steps rows with the K = h - 1 steps behind them: actions | rewards | masks |
there | next_obs. Nothing is stored twice, since the rows behind have it.

Images are no part of a row. Each stands once in a store of bytes [F, P], the dataset's or the
ring's, and obs and next_obs end with its number there: exact in float32 up to 2^24. `online` says
which store. They are looked up when rows were drawn, on their way to the networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from warmstart.errors import DataError
from warmstart.pages import aligned, let_go
from warmstart.types import Array, Dataset, Spec, Transition, WithPixels


class Later(NamedTuple):
    """The K rows behind a row, for a learner of chunks; zeros where `there` is 0.

    A row is there where it is of the same episode and has been stored.
    """

    action: Array  # [..., K, A]
    reward: Array  # [..., K]
    mask: Array  # [..., K]
    there: Array  # [..., K]
    next_obs: Array  # [..., O], behind the last row that is there


PIECE = 65_536
"""Rows of a dataset that are copied at once: of a file's only so many are held twice."""
INTERVENED = 2.0
"""In the column `online`: collected by this run, and the action was somebody else's."""


@dataclass(frozen=True)
class Layout:
    """Where each field stands in a row.

    With `ahead` in one that also bears the next action, with `chunk` above 1 in one that bears so
    many steps, its own among them.
    """

    obs_dim: int
    action_dim: int
    ahead: bool = False
    pixels: int = 0  # P; where there are any, the last of `obs_dim` numbers says which frame
    chunk: int = 1

    @classmethod
    def of(cls, spec: Spec) -> Layout:
        """The layout for an environment's sizes."""
        if not spec.cameras:
            return cls(spec.obs_dim, spec.action_dim)
        return cls(spec.numbers + 1, spec.action_dim, pixels=spec.pixels)

    @classmethod
    def of_dataset(cls, dataset: Dataset) -> Layout:
        """The layout for a dataset's sizes."""
        pixels = sum(camera.size for camera in dataset.cameras)
        return cls(dataset.obs.shape[1] + bool(pixels), dataset.actions.shape[1], pixels=pixels)

    @property
    def seen(self) -> int:
        """O, numbers and pixels of an observation."""
        return self.numbers + self.pixels

    @property
    def numbers(self) -> int:
        """How many of them are no pixels."""
        return self.obs_dim - bool(self.pixels)

    @property
    def width(self) -> int:
        """W, numbers in a row."""
        k = self.chunk - 1
        return self.later + (k * (self.action_dim + 3) + self.obs_dim if k else 0)

    @property
    def later(self) -> int:
        """Column behind which the steps behind the row's own stand."""
        return self.scalars + 6 + (self.action_dim + 1 if self.ahead else 0)

    @property
    def stored(self) -> Layout:
        """The layout of rows as they are stored."""
        return replace(self, ahead=False, chunk=1)

    @property
    def scalars(self) -> int:
        """Column of the first of the six scalars."""
        return 2 * self.obs_dim + self.action_dim

    @property
    def last(self) -> int:
        """Column of the mark of an episode's last row."""
        return self.scalars + 2

    @property
    def t(self) -> int:
        """Column of the step in the episode."""
        return self.scalars + 3

    @property
    def return_to_go(self) -> int:
        """Column of the return-to-go."""
        return self.scalars + 4

    @property
    def online(self) -> int:
        """Column of where the row comes from: 0 the dataset, 1 this run, `INTERVENED` a human."""
        return self.scalars + 5

    @property
    def frame_columns(self) -> tuple[int, int]:
        """Columns of the numbers of the images before and after the step."""
        return self.obs_dim - 1, self.scalars - 1

    def frames(self, row: Array) -> tuple[Array, Array]:
        """Those numbers in a row [W], int32."""
        before, after = self.frame_columns
        return row[before].astype(jnp.int32), row[after].astype(jnp.int32)

    def unpack(self, rows: Array) -> Transition:
        """Rows [..., W] as a transition with the same leading axes."""
        o, a, s = self.obs_dim, self.action_dim, self.scalars
        return Transition(
            obs=rows[..., :o],
            action=rows[..., o : o + a],
            next_obs=rows[..., o + a : s],
            reward=rows[..., s],
            mask=rows[..., s + 1],
            last=rows[..., s + 2],
            t=rows[..., s + 3],
            return_to_go=rows[..., s + 4],
            online=rows[..., s + 5],
            gate=jnp.ones(rows.shape[:-1]),
            next_action=rows[..., s + 6 : s + 6 + a] if self.ahead else None,
            followed=rows[..., s + 6 + a] if self.ahead else None,
            later=self._later(rows[..., self.later :]) if self.chunk > 1 else None,
        )

    def pictured(self, batch: Transition, frames: Callable[[Array], Array]) -> Transition:
        """What `unpack` gave, with its images: `frames` has those [..., P] of numbers [...]."""
        if not self.pixels:
            return batch

        def seen(obs: Array) -> WithPixels:
            return WithPixels(obs[..., :-1], frames(obs[..., -1].astype(jnp.int32)))

        return batch._replace(obs=seen(batch.obs), next_obs=seen(batch.next_obs))

    def without_pixels(self, batch: Transition) -> Transition:
        """What `unpack` gave, without the numbers of its frames."""
        n = self.numbers
        return batch._replace(obs=batch.obs[..., :n], next_obs=batch.next_obs[..., :n])

    def _later(self, columns: Array) -> Later:
        k, a = self.chunk - 1, self.action_dim
        actions = columns[..., : k * a].reshape(*columns.shape[:-1], k, a)
        reward, mask, there = (columns[..., k * (a + i) : k * (a + i + 1)] for i in range(3))
        return Later(actions, reward, mask, there, columns[..., k * (a + 3) :])

    def pack(self, transition: Transition) -> Array:
        """A transition as rows [..., W] as they are stored. JAX arrays."""
        t = transition
        scalars = jnp.stack([t.reward, t.mask, t.last, t.t, t.return_to_go, t.online], axis=-1)
        return jnp.concatenate([t.obs, t.action, t.next_obs, scalars], axis=-1).astype(jnp.float32)

    def from_dataset(
        self, dataset: Dataset, rewards: np.ndarray, return_to_go: np.ndarray
    ) -> np.ndarray:
        """A dataset as rows [N, W] float32, with transformed rewards and returns-to-go [N].

        Raises DataError for images of which nobody says in which rows they are seen.
        """
        n, o, a, s = len(dataset), self.obs_dim, self.action_dim, self.scalars
        ends = dataset.ends
        rows = aligned(n, self.width)
        starts = np.repeat(*_starts(ends)) if n else np.zeros(0)
        if self.pixels:
            if dataset.frame is None or dataset.next_frame is None:
                raise DataError(
                    "images without `frame` and `next_frame`: which of them does each row see?"
                )
            rows[:, o - 1], rows[:, s - 1] = dataset.frame, dataset.next_frame
        for begin in range(0, n, PIECE):
            at = slice(begin, begin + PIECE)
            part = rows[at]
            part[:, : self.numbers] = dataset.obs[at]
            part[:, o : o + a] = dataset.actions[at]
            part[:, o + a : o + a + self.numbers] = dataset.next_obs[at]
            part[:, s] = rewards[at]
            part[:, s + 1] = 1.0 - dataset.terminated[at]
            part[:, s + 2] = ends[at]
            part[:, s + 3] = np.arange(begin, begin + len(part)) - starts[at]
            part[:, s + 4] = return_to_go[at]
            part[:, s + 5] = 0.0
            let_go(dataset.obs, dataset.actions, dataset.next_obs)
        return rows


def taken(rows: Array, at: Array, layout: Layout, newest: Array | int = -1) -> Array:
    """The rows [..., W] at places `at` [...] of a matrix in the order of time.

    With `layout.ahead` each bears the action of the row behind it, and with `layout.chunk` the
    steps behind it, as far as they are of its episode. The first place is behind the last one, and
    nothing behind place `newest`. Of NumPy arrays it makes NumPy arrays.
    """
    parts = [rows[at]]
    here, xp = parts[0], np if isinstance(rows, np.ndarray) else jnp
    if layout.ahead:
        first = layout.obs_dim
        after = rows[(at + 1) % rows.shape[0], first : first + layout.action_dim]
        followed = (here[..., layout.last] == 0.0) & (at != newest)
        parts.append(xp.where(followed[..., None], after, xp.zeros((), here.dtype)))
        parts.append(followed[..., None].astype(here.dtype))
    if layout.chunk > 1:
        parts += _behind(xp, rows, at, layout, newest)
    return here if len(parts) == 1 else xp.concatenate(parts, axis=-1)


def _behind(xp: Any, rows: Array, at: Array, layout: Layout, newest: Array | int) -> list[Array]:
    """The columns of the steps behind rows at places `at` [...]: see `Layout`."""
    o, a, s, k = layout.obs_dim, layout.action_dim, layout.scalars, layout.chunk - 1
    places = (at[..., None] + np.arange(layout.chunk)) % rows.shape[0]  # [..., h]
    window = rows[places]  # [..., h, W]
    ends = (window[..., layout.last] > 0.0) | (places == newest)
    there = xp.cumsum(ends, axis=-1) == ends  # no end before this step
    size = xp.sum(there, axis=-1, dtype=np.int32)
    last = xp.take_along_axis(window, (size - 1)[..., None, None], axis=-2)[..., 0, :]
    behind = xp.where(there[..., None], window, xp.zeros((), window.dtype))[..., 1:, :]
    actions = behind[..., o : o + a].reshape(*at.shape, k * a)
    columns = [actions, behind[..., s], behind[..., s + 1], there[..., 1:].astype(window.dtype)]
    return [*columns, last[..., o + a : s]]


def unfollowed(rows: Array, layout: Layout) -> Array:
    """Stored rows [..., W] of which nobody knows what followed, as `layout` has them."""
    parts, lead = [rows], rows.shape[:-1]
    if layout.ahead:
        parts.append(jnp.zeros((*lead, layout.action_dim + 1), rows.dtype))
    if k := layout.chunk - 1:
        parts.append(jnp.zeros((*lead, k * (layout.action_dim + 3)), rows.dtype))
        parts.append(rows[..., layout.obs_dim + layout.action_dim : layout.scalars])
    return rows if len(parts) == 1 else jnp.concatenate(parts, axis=-1)


def _starts(ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First row and length of each episode."""
    stops = np.flatnonzero(ends) + 1
    starts = np.concatenate([[0], stops[:-1]])
    return starts, stops - starts
