"""Simulators that are JAX programs run wholly inside the compiled chunk.

The same order of events as the host loop (act, step, insert, learn) and the same reset seeds, so
that the two are one program in two places; only the number of host calls differs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from warmstart.engine.diverged import bad_action, diverged
from warmstart.engine.episodes import TRAIN, Ended, episode_seed
from warmstart.engine.phases import Carry, Observed, Owed
from warmstart.engine.position import Position
from warmstart.engine.seed_batch import SeedBatch
from warmstart.engine.seeds import Program
from warmstart.engine.setup import OnlineLoop, Setup
from warmstart.errors import TaskError, WarmstartError
from warmstart.types import TOO_LARGE, Clock, JaxEnv, Step, Transition

LARGEST_CHUNK = 250
"""Environment steps of one call."""


class World(NamedTuple):
    """One seed's simulator between two steps, and what its open episode has seen."""

    env: Any
    obs: Array  # [O]
    last_reward: Array
    t: Array  # step in the episode
    raw_return: Array
    success: Array
    failed: Array  # every reward so far was the failing one
    episodes: Array  # finished since the chunk began
    done: Array  # critic steps
    blocks: Array  # blocks of learning begun


class StepReport(NamedTuple):
    """What one step reports to the host."""

    ends: Array
    raw_return: Array
    length: Array
    success: Array
    acted: Array  # 1 where the action was finite, and so was every loss before it
    answered: Array  # 1 where the observation and the reward were finite, and not too large
    shown: Array  # 1 where the observation that was acted on was


class JaxRunner(OnlineLoop):
    """The online loop of a JAX simulator; the counterpart of `HostRunner`."""

    failed: WarmstartError | None = None

    def __init__(self, setup: Setup, dataset: Any, position: Position) -> None:
        super().__init__(setup, dataset, position)
        assert self.problem.jax_env is not None
        self.env: JaxEnv = self.problem.jax_env
        compiled = self.seeds.compile
        self.program: Program = compiled(self.chunk, shared=(4, 6), donate=(1, 2, 3))
        begin = compiled(self.begin)
        numbers = [episode_seed(name, TRAIN, 0) for name in self.names]
        self.world: SeedBatch = begin(np.array(numbers, np.uint32))

    def begin(self, seed: Array) -> World:
        """The world at the start of the run."""
        env, obs = self.env.reset(jax.random.key(seed))
        zero, count = jnp.float32(0.0), jnp.int32(0)
        return World(env, obs, zero, count, zero, zero, jnp.float32(1.0), count, count, count)

    def stand(self, position: Position) -> None:
        """Go on from another position."""
        self.at = position

    def advance(
        self, carry: SeedBatch, memory: SeedBatch, steps: int
    ) -> tuple[SeedBatch, SeedBatch, list[tuple[int, Ended]]]:
        """At most `steps` environment steps of every seed; (env step, episode) for each end."""
        at = self.at
        n = min(steps, LARGEST_CHUNK)
        resets = np.array(
            [
                [episode_seed(name, TRAIN, closed + 1 + k) for k in range(LARGEST_CHUNK)]
                for name, closed in zip(self.names, at.closed, strict=True)
            ],
            np.uint32,
        )
        counts = np.array([at.env_steps, n, self.budget], np.int32)
        out = self.program(self.keys, carry, memory, self.world, self.dataset, resets, counts)
        carry, memory, self.world, seen = out.parts()
        report = seen.host()
        if not (report.acted * report.answered * report.shown)[:, :n].all():
            self._stop(carry, report, n)
            return carry, memory, []
        ended = []
        for k, i in np.argwhere(report.ends[:, :n].T > 0):
            episode = Ended(
                int(i),
                float(report.raw_return[i, k]),
                int(report.length[i, k]),
                bool(report.success[i, k]),
                0.0,
            )
            ended.append((at.env_steps + int(k) + 1, episode))
            at.closed[i] += 1
        at.env_steps += n
        at.done = [int(d) for d in self.world.get(lambda w: w.done).host()]
        at.updates = max(at.done)
        return carry, memory, ended

    def _stop(self, carry: SeedBatch, report: StepReport, n: int) -> None:
        """Stand at the first step of the chunk with a number that is not finite; say whose."""
        good = (report.acted * report.answered * report.shown)[:, :n] > 0
        k = int(np.argmin(good.all(axis=0)))
        i = int(np.argmin(good[:, k]))
        at, where = self.at, f"environment step {self.at.env_steps + k:,}"
        at.env_steps += k
        at.done = [int(d) for d in self.world.get(lambda w: w.done).host()]
        reset = not report.shown[i, k]  # what a step answers is looked at when it does
        if reset or report.acted[i, k]:
            name = f"{self.problem.env_name} of seed {self.names[i]}"
            when = f"at the reset before {where}" if reset else f"at {where}"
            self.failed = TaskError(
                f"{name} returned a number that is not finite, or beyond {TOO_LARGE:g}, {when}"
                f"{'' if reset else ', though the action was finite'}; fix the environment, its "
                "time step or the reward's scale"
            )
            return
        at_start = np.zeros(self.problem.spec.obs_dim, np.float32)
        self.failed = diverged(carry, self.names, at) or bad_action(
            self.names[i], f"at {where}", at_start
        )

    def catch_up(self, carry: SeedBatch) -> SeedBatch:
        """Nothing is ever pending."""
        return carry

    def close(self) -> None:
        """Nothing to close."""

    def chunk(
        self,
        key: Array,
        carry: Carry,
        memory: Any,
        world: World,
        dataset: Array,
        resets: Array,
        counts: Array,
    ) -> tuple[Carry, Any, World, StepReport]:
        """counts[1] steps of one seed, from environment step counts[0] of counts[2]."""
        zeros = StepReport(*(jnp.zeros(LARGEST_CHUNK) for _ in StepReport._fields))
        world = world._replace(episodes=jnp.int32(0))

        def body(k: Array, loop: Any) -> Any:
            carry, memory, world, report = loop
            carry, memory, world, now = self.step(
                key, carry, memory, world, dataset, resets, counts[0] + k, counts[2]
            )
            report = jax.tree.map(lambda all_, one: all_.at[k].set(one), report, now)
            return carry, memory, world, report

        return jax.lax.fori_loop(0, counts[1], body, (carry, memory, world, zeros))

    def step(
        self,
        key: Array,
        carry: Carry,
        memory: Any,
        world: World,
        dataset: Array,
        resets: Array,
        env_steps: Array,
        budget: Array,
    ) -> tuple[Carry, Any, World, StepReport]:
        """Act, step, insert, learn; reset where the episode ended."""
        p, zero = self.problem, jnp.float32(0.0)
        first = (world.t == 0).astype(jnp.float32)
        seen = Step(world.obs[None], world.last_reward[None], first[None])
        clock = Clock(world.done, env_steps, budget)
        action, memory = self.online.act(key, clock, carry.state, memory, seen)
        env, obs, raw, terminated, truncated, success = self.env.step(world.env, action)
        reward = jnp.float32(p.reward(raw))
        last = jnp.maximum(jnp.float32(terminated), jnp.float32(truncated))
        row = Transition(
            world.obs,
            action,
            reward,
            1.0 - jnp.float32(terminated),
            obs,
            last,
            jnp.float32(world.t),
            jnp.float32(-jnp.inf),
            jnp.float32(1.0),
        )
        raw_return = world.raw_return + raw
        success = jnp.maximum(world.success, jnp.float32(success))
        failed = world.failed * (reward <= p.failure_reward)
        lesson = Observed(
            self.online.layout.pack(row),
            last,
            self.bootstrap(reward, failed, terminated),
            jnp.float32(p.fraction(raw_return, success)),
            jnp.float32(world.t + 1),
        )
        due, blocks = self.due(world, carry, env_steps + 1, last)
        clock = Clock(world.done, env_steps + 1, budget)
        learnt, n = self.online.learn(key, carry, dataset, lesson, clock, Owed(jnp.int32(1), due))
        acted = jnp.all(jnp.isfinite(action)) & (carry.diverged == 0)
        paid = jnp.isfinite(raw) & (jnp.abs(reward) <= TOO_LARGE)
        answered = jnp.all(jnp.abs(obs) <= TOO_LARGE) & paid
        report = StepReport(
            last,
            raw_return,
            jnp.float32(world.t + 1),
            success,
            jnp.float32(acted),
            jnp.float32(answered),
            jnp.float32(jnp.all(jnp.abs(world.obs) <= TOO_LARGE)),
        )
        begun, start = self.env.reset(jax.random.key(resets[world.episodes]))
        ends = last > 0

        def pick(new: Any, old: Any) -> Any:
            return jax.tree.map(lambda a, b: jnp.where(ends, a, b), new, old)

        world = World(
            env=pick(begun, env),
            obs=pick(start, obs),
            last_reward=pick(zero, reward),
            t=pick(jnp.int32(0), world.t + 1),
            raw_return=pick(zero, raw_return),
            success=pick(zero, success),
            failed=pick(jnp.float32(1.0), failed),
            episodes=world.episodes + ends,
            done=world.done + n,
            blocks=blocks,
        )
        return learnt, memory, world, report

    def bootstrap(self, reward: Array, failed: Array, terminated: Array) -> Array:
        """The bootstrap return after the last row; see `Episodes`."""
        rule = self.problem.return_rule
        for_ever = reward / (1.0 - self.recipe.finetune.learner.discount)
        if rule == "finite":
            return jnp.float32(0.0)
        given = (1.0 - jnp.float32(terminated)) * (1.0 if rule == "infinite" else failed)
        return jnp.where(given > 0, for_ever, 0.0)

    def due(self, world: World, carry: Carry, now: Array, last: Array) -> tuple[Array, Array]:
        """Critic steps due after environment step `now`, and the blocks begun."""
        rhythm, warmup = self.recipe.finetune.rhythm, self.recipe.replay.warmup.steps
        first = jnp.where(world.blocks == 0, rhythm.first, 1)
        if rhythm.every == 0:
            here = (last > 0) & (now > warmup)
            n = rhythm.updates * (world.t + 1 if rhythm.per == "row" else 1) * first
        else:
            here = (now % rhythm.every == 0) & (now > warmup)
            if self.recipe.finetune.learner.finished_only:
                here = here & ((carry.ring.closed > 0) | (last > 0))
            n = rhythm.updates * first
        return jnp.where(here, n, 0).astype(jnp.int32), world.blocks + here.astype(jnp.int32)
