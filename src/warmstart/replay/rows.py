"""Transitions as rows of one float32 matrix [N, W]: one gather draws a batch, one write adds one.

A row is obs | action | next_obs | reward | mask | last | t | return_to_go | online.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from warmstart.types import Array, Dataset, Spec, Transition


@dataclass(frozen=True)
class Layout:
    """Where each field stands in a row."""

    obs_dim: int
    action_dim: int

    @classmethod
    def of(cls, spec: Spec) -> Layout:
        """The layout for an environment's sizes."""
        return cls(spec.obs_dim, spec.action_dim)

    @property
    def width(self) -> int:
        """W, numbers in a row."""
        return 2 * self.obs_dim + self.action_dim + 6

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
        )

    def pack(self, transition: Transition) -> Array:
        """A transition as rows [..., W]; the inverse of `unpack`. JAX arrays."""
        t = transition
        scalars = jnp.stack([t.reward, t.mask, t.last, t.t, t.return_to_go, t.online], axis=-1)
        return jnp.concatenate([t.obs, t.action, t.next_obs, scalars], axis=-1).astype(jnp.float32)

    def from_dataset(
        self, dataset: Dataset, rewards: np.ndarray, return_to_go: np.ndarray
    ) -> np.ndarray:
        """A dataset as rows [N, W] float32, with transformed rewards and returns-to-go [N]."""
        n = len(dataset)
        ends = dataset.ends
        rows = np.empty((n, self.width), np.float32)
        o, a, s = self.obs_dim, self.action_dim, self.scalars
        rows[:, :o] = dataset.obs
        rows[:, o : o + a] = dataset.actions
        rows[:, o + a : s] = dataset.next_obs
        rows[:, s] = rewards
        rows[:, s + 1] = 1.0 - dataset.terminated
        rows[:, s + 2] = ends
        starts = np.repeat(*_starts(ends)) if n else np.zeros(0)
        rows[:, s + 3] = np.arange(n) - starts
        rows[:, s + 4] = return_to_go
        rows[:, s + 5] = 0.0
        return rows


def _starts(ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First row and length of each episode."""
    stops = np.flatnonzero(ends) + 1
    starts = np.concatenate([[0], stops[:-1]])
    return starts, stops - starts
