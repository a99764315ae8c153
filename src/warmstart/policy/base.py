"""A frozen policy of somebody else's as a base: what it would do stands in the observation.

It is called on the host, where observations are: by the environment that is stepped (`Beside`) and
once for each row of a dataset (`beside_rows`). Compiled programs see its action as numbers.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from warmstart.envs.interface import box_of, from_box
from warmstart.errors import RunError, TaskError
from warmstart.policy.kept_actions import kept
from warmstart.types import TOO_LARGE, Dataset, EnvStep, HostEnv, Spec

LOG = logging.getLogger("warmstart")
SLOW_MS = 20.0
"""From here on an action is called slow."""
TELL_SECONDS = 10.0
"""From here on it is said how long logged rows take."""
PROBES = 8
"""Observations on which a policy is tried."""
LARGEST_CALL = 4_096
"""Rows of a dataset that are shown at once."""
SLACK = 1e-3
"""How far beyond the box, as a share of its width, an action may lie: rounding."""
Act = Callable[[np.ndarray], Any]


class BasePolicy:
    """A policy on flat observations, in [-1, 1]: `base(obs [N, O]) -> [N, A]` float32, clipped.

    Args:
        name: what messages call it.
        act: an observation [O] float32 to an action in the environment's own units and shape, or,
            where `many`, observations [N, O] to actions [N, ...].
        interface: of the environment, as JSON (see `envs.interface`).
        many: whether it takes several at once.

    Attributes:
        name, act, many: as given.
        box: the environment's.
        unit: whether that box is [-1, 1].
        ms: milliseconds of an action, as `examine` measured them.

    Raises:
        RunError: at a call, an action of another shape, or none.
        TaskError: at a call, it fails, or its action is not finite: a run that has saved something
            then says how to go on.
    """

    def __init__(
        self, name: str, act: Act, interface: Mapping[str, Any], many: bool = False
    ) -> None:
        self.name, self.act, self.many = name, act, many
        self.box = box_of(interface["action"])
        low, high = self.box.low, self.box.high
        self.ms: float = 0.0
        self.unit: bool = bool(np.all(low == -1.0) and np.all(high == 1.0))

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        """Observations [N, O] to actions [N, A] in [-1, 1]."""
        own = self.own(np.asarray(obs, np.float32))
        if not np.isfinite(own).all():
            row = int(np.flatnonzero(~np.isfinite(own).all(axis=1))[0])
            raise TaskError(
                f"the policy '{self.name}' gave {_short(own[row])} for an observation that begins "
                f"{_short(obs[row])}; mend it so that every action is finite"
            )
        unit = own if self.unit else from_box(own, self.box.low, self.box.high)
        return np.clip(unit, -1.0, 1.0).astype(np.float32)

    def own(self, obs: np.ndarray) -> np.ndarray:
        """Actions [N, A] float32 in the environment's units, as they come."""
        count, shape = len(obs), self.box.limits[0].shape
        try:
            # Copies: what it does to an array that it was shown must not change the rows.
            given = self.act(obs.copy()) if self.many else [self.act(row.copy()) for row in obs]
            held = np.asarray(given) if self.many else self._stacked(given)
        except (RunError, TaskError):
            raise
        except (Exception, SystemExit) as error:
            raise TaskError(
                f"the policy '{self.name}' failed on an observation of {obs.shape[-1]} numbers "
                f"({type(error).__name__}: {' '.join(str(error).split())[:200]}); let it take a "
                "flat float32 vector and give an action"
            ) from error
        if held.dtype.kind not in "biuf":
            kind = held.dtype.name if held.dtype.kind != "O" else type(held.flat[0]).__name__
            raise RunError(
                f"the policy '{self.name}' gave {kind}, which is no number; let it give an array "
                "of float32"
            )
        if held.shape not in ((count, *shape), (count, self.box.size)):
            raise RunError(
                f"the policy '{self.name}' gave an array of shape {list(held.shape)} for {count} "
                f"observations, and the environment takes actions of shape {list(shape)}; let it "
                f"give {[count, *shape]}"
            )
        with np.errstate(over="ignore"):  # too large is infinite, and refused
            return held.reshape(count, self.box.size).astype(np.float32)

    def _stacked(self, given: list[Any]) -> np.ndarray:
        """Actions one by one as [N, ...]; of another shape than the environment's: RunError."""
        if any(isinstance(one, tuple) and any(np.ndim(part) for part in one) for one in given):
            raise RunError(
                f"the policy '{self.name}' gave a tuple; let it give the action alone, as "
                "model.predict(obs)[0] does"
            )
        rows, shape = [np.asarray(one) for one in given], self.box.limits[0].shape
        for row in rows:
            if row.dtype.kind in "biuf" and row.shape not in (shape, (self.box.size,)):
                raise RunError(
                    f"the policy '{self.name}' gave an action of shape {list(row.shape)}, and the "
                    f"environment takes {list(shape)}; let it give that"
                )
        return np.stack(rows)

    def in_parts(self, obs: np.ndarray) -> np.ndarray:
        """As a call, of any number of logged observations; a long time is announced."""
        seconds = 1e-3 * self.ms * len(obs)
        if seconds > TELL_SECONDS and not self.many:
            told = f"{len(obs):,} logged rows, about {seconds / 60:.0f} min"
            LOG.info("The policy '%s' is asked at %s.", self.name, told)
        parts = [self(obs[k : k + LARGEST_CALL]) for k in range(0, len(obs), LARGEST_CALL)]
        return np.concatenate(parts) if parts else np.zeros((0, self.box.size), np.float32)

    def examine(self, obs: np.ndarray) -> float:
        """Try it on observations [N, O] before anything is learnt; milliseconds of an action.

        Raises:
            RunError: another shape, no numbers, out of the box, or another action the second time.
            TaskError: it fails, or an action is not finite.
        """
        self(obs)
        began = time.perf_counter()
        first = np.concatenate([self.own(row[None]) for row in obs])
        self.ms = ms = 1e3 * (time.perf_counter() - began) / len(obs)
        low, high = self.box.low, self.box.high
        beyond = np.maximum(low - first, first - high) / (high - low)
        if beyond.max() > SLACK:
            row, i = np.unravel_index(int(beyond.argmax()), beyond.shape)
            raise RunError(
                f"the policy '{self.name}' gave {first[row, i]:.4g} for number {i} of an action, "
                f"and the environment takes {low[i]:g} to {high[i]:g}; let it act in the "
                "environment's own units, clipped to its box"
            )
        # Backwards: one that remembers what it was shown last sees something else before each.
        again = np.concatenate([self.own(row[None]) for row in obs[::-1]])[::-1]
        if not np.array_equal(first, again):
            row = int(np.flatnonzero((first != again).any(axis=1))[0])
            raise RunError(
                f"the policy '{self.name}' gave {_short(first[row])} and then {_short(again[row])} "
                "for one observation; let it be deterministic, such as the mean of what it draws, "
                "and a function of that observation alone"
            )
        LOG.log(
            logging.WARNING if ms > SLOW_MS else logging.INFO,
            "The policy '%s' takes %.3g ms an action%s.",
            self.name,
            ms,
            ", in every step of every environment: that is slow" if ms > SLOW_MS else "",
        )
        return ms


def beside(spec: Spec) -> Spec:
    """The sizes where a base's action stands behind each observation."""
    return dataclasses.replace(spec, obs_dim=spec.obs_dim + spec.action_dim)


class Beside:
    """An environment whose observations end with what the base would do there: [O + A]."""

    def __init__(self, env: HostEnv, base: BasePolicy) -> None:
        self._env, self._base = env, base
        self.spec: Spec = beside(env.spec)

    def _with(self, obs: np.ndarray) -> np.ndarray:
        if not (np.abs(obs) <= TOO_LARGE).all():  # whoever steps it says so
            nothing = np.full(self.spec.action_dim, np.nan, np.float32)
            return np.concatenate([obs, nothing])
        return np.concatenate([obs, self._base(obs[None])[0]]).astype(np.float32)

    def reset(self, seed: int) -> np.ndarray:
        """The first observation [O + A] of the episode of this seed."""
        return self._with(self._env.reset(seed))

    def step(self, action: np.ndarray) -> EnvStep:
        """One step; the true next observation also at an end, and the base's action there."""
        out = self._env.step(action)
        return out._replace(obs=self._with(out.obs))

    def render(self) -> np.ndarray | None:
        """As the environment."""
        return self._env.render()

    def close(self) -> None:
        """As the environment."""
        self._env.close()


def beside_rows(
    dataset: Dataset,
    base: BasePolicy,
    spans: Sequence[tuple[int, int]] | None = None,
    checksum: str | None = None,
) -> Dataset:
    """The dataset with the base's action behind every observation, each computed once.

    A row's next observation is mostly the one of the row behind; where it is another one, as at
    an episode's end, the base is asked there too.

    Args:
        dataset, base: of one environment.
        spans: rows (start, stop) at which alone the base is asked; zeros stand in the others.
        checksum: of the base, by which its actions are kept for the next time (`kept_actions`).
    """
    n, obs, after = len(dataset), dataset.obs, dataset.next_obs
    asked = np.full(n, spans is None)
    for start, stop in spans or ():
        asked[start:stop] = True
    here = kept(checksum, obs, asked, base.in_parts, base.name)
    there = np.zeros_like(here)
    there[:-1] = here[1:]
    other = asked.copy()
    other[:-1] &= (after[:-1] != obs[1:]).any(axis=1) | ~asked[1:]
    there[other] = kept(checksum, after, other, base.in_parts, base.name)[other]
    return dataclasses.replace(
        dataset,
        obs=np.concatenate([obs, here], axis=1),
        next_obs=np.concatenate([after, there], axis=1),
    )


def _short(numbers: np.ndarray) -> str:
    shown = ", ".join(f"{x:.3g}" for x in np.ravel(numbers)[:3])
    return f"[{shown}{', ...' if np.size(numbers) > 3 else ''}]"
