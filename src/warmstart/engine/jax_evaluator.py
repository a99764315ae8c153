"""Evaluation episodes of a JAX simulator, all at once in one program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from warmstart.engine.diverged import bad_action
from warmstart.engine.episodes import require_finite
from warmstart.engine.evaluate import Played
from warmstart.engine.online import frozen
from warmstart.engine.problem import Problem
from warmstart.recipe import Recipe
from warmstart.state import State, key_for
from warmstart.types import TOO_LARGE, Clock, Step


class Rolled(NamedTuple):
    """N episodes of T steps; what comes after an episode's end is not part of it."""

    first: Array  # [N, O]
    obs: Array  # [T, N, O], after the step
    action: Array  # [T, N, A]
    raw: Array  # [T, N]
    terminated: Array  # [T, N]
    last: Array  # [T, N]
    success: Array  # [T, N]


@dataclass(frozen=True, eq=False)
class JaxEvaluator:
    """`episodes` episodes of one seed, as a program (key, state, reset seeds [N], ints)."""

    recipe: Recipe
    problem: Problem
    learner: Any
    pretrained: bool
    episodes: int

    def __call__(self, key: Array, state: State, seeds: Array, ints: Array) -> Rolled:
        env, rule, n = self.problem.jax_env, self.recipe.acting, self.episodes
        assert env is not None
        view = self.learner.view(state)
        view = frozen(view) if self.pretrained else view
        clock = Clock(ints[0], ints[1], jnp.int32(1))
        worlds, obs = jax.vmap(lambda seed: env.reset(jax.random.key(seed)))(seeds)

        def step(loop: Any, tick: Array) -> tuple[Any, Any]:
            worlds, obs, reward, first, memory = loop
            k = jax.random.fold_in(key_for(key, "evaluate"), tick)
            seen = Step(obs, reward, first)
            action, memory = rule(k, clock, view, memory, seen, "evaluate")
            worlds, obs, raw, terminated, truncated, success = jax.vmap(env.step)(worlds, action)
            last = jnp.maximum(jnp.float32(terminated), jnp.float32(truncated))
            out = (obs, action, raw, jnp.float32(terminated), last, jnp.float32(success))
            reward = jnp.float32(self.problem.reward(raw))
            return (worlds, obs, reward, jnp.zeros(n), memory), out

        memory = rule.init(n, self.problem.spec)
        start = (worlds, obs, jnp.zeros(n), jnp.ones(n), memory)
        horizon = self.problem.spec.horizon or 1000
        return Rolled(obs, *jax.lax.scan(step, start, jnp.arange(horizon))[1])


def cut(rolled: Any, problem: Problem, seed: int) -> list[Played]:
    """Each episode of a seed up to its end.

    Raises:
        DivergedError: an action is not finite. TaskError: an answer to a finite action is not.
    """
    played, reward = [], problem.reward
    for k in range(rolled.first.shape[0]):
        ends = np.flatnonzero(rolled.last[:, k] > 0)
        stop = int(ends[0]) + 1 if len(ends) else len(rolled.last)
        raw = np.asarray(rolled.raw[:stop, k], np.float64)
        obs = np.concatenate([rolled.first[None, k], rolled.obs[:stop, k]])
        actions, at = rolled.action[:stop, k], ("evaluation episode", k)
        for step in np.flatnonzero(~np.isfinite(actions).all(axis=1))[:1]:
            if (np.abs(obs[: step + 1]) <= TOO_LARGE).all():
                raise bad_action(seed, f"at step {step} of {at[0]} {k}", obs[step])
        learnt = np.asarray(reward(raw), np.float64)
        paid = np.isfinite(raw) & (np.abs(learnt) <= TOO_LARGE)
        if not ((np.abs(obs) <= TOO_LARGE).all() and paid.all()):
            name = problem.env_name
            require_finite(name, seed, at, obs[0])
            for step in range(stop):
                require_finite(name, seed, at, obs[step + 1], raw[step], step, learnt[step])
        played.append(
            Played(
                raw_return=float(raw.sum()),
                length=stop,
                success=bool(rolled.success[:stop, k].any()),
                terminated=bool(rolled.terminated[stop - 1, k] > 0),
                obs=obs,
                actions=actions,
                rewards=learnt,
            )
        )
    return played
