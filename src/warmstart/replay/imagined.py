"""Rows that a model of the world imagines: short ways from real states, reward less its doubt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.dynamics import largest_deviation
from warmstart.equations.endings import ENDINGS
from warmstart.errors import RecipeError, did_you_mean
from warmstart.ranges import BelowOne, Count, NotNegative
from warmstart.replay.faded import Faded
from warmstart.replay.rows import Layout, unfollowed
from warmstart.replay.sources import (
    Drawn,
    FromDataset,
    Remembers,
    Stores,
    Wanted,
    pick,
    plain,
)
from warmstart.state import key_for
from warmstart.types import Clock, Transition
from warmstart.values import register

SLAB = 2_000
"""Starts that are rolled out at a time."""


class ImaginedRows(NamedTuple):
    """What the source remembers."""

    rows: Array  # [M, W], a ring
    added: Array  # [] int32, rows ever imagined
    rounds: Array  # [] int32, the round in which the last ones were; -1 before the first
    real: Any  # what the source of real rows remembers


@register
@dataclass(frozen=True)
class Imagined(Remembers):
    """A small share of real rows, the rest imagined by the state's model and policy.

    Once a round `starts` real states are continued for at most `horizon` steps: an action of the
    policy, an elite drawn for each row, a draw of its Gaussian. The row's reward is the model's
    less `penalty` times its largest deviation (Yu et al. 2020, eq. 2 and algorithm 2). A row at
    which `ends` says so is the way's last. The rows of the last `keep` rounds are drawn from.

    Attributes:
        source: where real rows and the starts come from.
        share: share of real rows in a minibatch.
        starts, horizon, penalty: as above.
        every: length of a round, in updates or in environment steps, as `by` says.
        keep: rounds that the buffer holds.
        ends: "goal": where the imagined reward is above the model's `goal`, which is where a sparse
            task ends; else the name of a rule of `warmstart.equations.endings.ENDINGS`.

    Raises:
        RecipeError: an unknown rule, or numbers that imagine nothing.
    """

    reads_images: ClassVar[bool] = False

    source: FromDataset | Faded = field(default_factory=FromDataset)
    share: BelowOne = 0.05
    starts: Count = 50_000
    horizon: Count = 5
    penalty: NotNegative = 1.0
    every: Count = 1_000
    by: Literal["updates", "env_steps"] = "updates"
    keep: Count = 5
    ends: str = "goal"

    def __post_init__(self) -> None:
        if self.ends not in (rules := ("goal", *ENDINGS)):
            raise RecipeError(f"ends cannot be '{self.ends}'. {did_you_mean(self.ends, rules)}")

    def check(self, learner: Any, before: Any) -> None:
        """Rows are imagined by a model that was fitted before."""
        if not learner.has_model:
            raise RecipeError(
                f"source Imagined needs a model of the world, and {type(learner).__name__} has "
                "none; take replay and finetune from the same method, such as moore"
            )
        if before is None or not before.has_model:
            raise RecipeError(
                "source Imagined needs a model that a stage before has fitted; take pretrain from "
                "a method that has one, such as pretrain=mopo"
            )

    def init(self, key: Array, stores: Stores, layout: Layout) -> ImaginedRows:
        """An empty buffer."""
        places = self.keep * self.starts * self.horizon
        return ImaginedRows(
            jnp.zeros((places, layout.width), jnp.float32),
            jnp.int32(0),
            jnp.int32(-1),
            self.source.init(key, stores, layout),
        )

    def draw(
        self, key: Array, clock: Clock, stores: Stores, memory: ImaginedRows, want: Wanted
    ) -> Drawn:
        """Rows [U, B, W]; the first rows of every minibatch are the real ones."""
        counter = clock.updates if self.by == "updates" else clock.env_steps
        rounds = counter // self.every
        slabs = -(-self.starts // SLAB)

        def more(at: Array, memory: ImaginedRows) -> ImaginedRows:
            k = jax.random.fold_in(key_for(key, "imagine"), at)
            return self._imagine(k, at, clock, stores, memory, want)

        # A loop of no turns, not a branch: the buffer stays where it is.
        turns = jnp.where(rounds != memory.rounds, slabs, 0)
        memory = jax.lax.fori_loop(0, turns, more, memory)._replace(rounds=rounds)
        u, b = want.shape
        n = int(self.share * b + 1e-6)
        filled = jnp.minimum(memory.added, memory.rows.shape[0])
        rows = memory.rows[pick(key_for(key, "imagined"), filled, (u, b - n))]
        rows = unfollowed(rows, want.layout)
        if n:
            real = want._replace(shape=(u, n))
            drawn = self.source.draw(key_for(key, "real"), clock, stores, memory.real, real)
            rows = jnp.concatenate([drawn.rows, rows], axis=1)
            memory = memory._replace(real=drawn.memory)
        return plain(rows, memory)

    def _imagine(
        self,
        key: Array,
        at: Array,
        clock: Clock,
        stores: Stores,
        memory: ImaginedRows,
        want: Wanted,
    ) -> ImaginedRows:
        """One slab of ways joins the buffer."""
        count, layout = min(self.starts, SLAB), want.layout
        begin = want._replace(shape=(1, count))
        drawn = self.source.draw(key_for(key, "starts"), clock, stores, memory.real, begin)
        start = layout.unpack(drawn.rows[0])
        # The last slab is cut where `starts` is no multiple.
        alive = at * count + jnp.arange(count) < self.starts
        rows, kept = rollout(self, key_for(key, "ways"), stores.view, start, alive, layout)
        rows, kept = rows.reshape(-1, layout.stored.width), kept.reshape(-1)
        places = memory.rows.shape[0]
        order = (memory.added + jnp.cumsum(kept) - 1) % places
        new = memory.rows.at[jnp.where(kept, order, places)].set(rows, mode="drop")
        return ImaginedRows(new, memory.added + jnp.sum(kept), memory.rounds, drawn.memory)


def rollout(
    rule: Imagined, key: Array, view: Any, start: Transition, alive: Array, layout: Layout
) -> tuple[Array, Array]:
    """Rollouts from B states: rows [H, B, W], and which of them [H, B] come before their end.

    `view` looks at a state with a policy and a model. Imagined rows are as online as their start;
    those that are not finite are not kept, and end their rollout.
    """
    model = view.state.nets["model"]
    best = model.best()

    def step(now: tuple[Array, Array], h: Array) -> tuple[Any, tuple[Array, Array]]:
        obs, alive = now
        k = jax.random.fold_in(key, h)
        action = view.policy(obs).sample(key_for(k, "policy"))
        mean, log_var = model(obs, action)
        elite = best[jax.random.randint(key_for(k, "elite"), obs.shape[:1], 0, len(best))]
        own = jax.vmap(lambda x, e: x[e], in_axes=(1, 0))
        noise = jax.random.normal(key_for(k, "model"), mean.shape[1:])
        drawn = own(mean, elite) + jnp.exp(0.5 * own(log_var, elite)) * noise
        next_obs = obs + drawn[:, 1:]
        over = drawn[:, 0] > model.goal if rule.ends == "goal" else ENDINGS[rule.ends](next_obs)
        row = Transition(
            obs=obs,
            action=action,
            reward=drawn[:, 0] - rule.penalty * largest_deviation(log_var),
            mask=1.0 - over,
            next_obs=next_obs,
            last=jnp.maximum(over, h == rule.horizon - 1),
            t=start.t + h,
            return_to_go=jnp.full_like(start.t, -jnp.inf),
            online=start.online,
        )
        packed = layout.pack(row)
        sound = jnp.all(jnp.isfinite(jnp.where(jnp.isneginf(packed), 0.0, packed)), axis=-1)
        return (next_obs, alive & sound & ~over), (packed, alive & sound)

    return jax.lax.scan(step, (start.obs, alive), jnp.arange(rule.horizon))[1]
