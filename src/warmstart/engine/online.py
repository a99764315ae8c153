"""The online programs of one seed: an action, a lesson, and what the warm-up acts by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax

from warmstart.acting import Acting
from warmstart.engine.phases import Block, Carry, Learning, Observed, Owed
from warmstart.errors import RecipeError
from warmstart.learners import Learner, Pace, Steady, paced
from warmstart.recipe import Recipe, WarmUp
from warmstart.replay import Source, Stores, Wanted
from warmstart.replay.frames import see
from warmstart.replay.ring import Ring, close, push
from warmstart.replay.rows import Layout
from warmstart.state import State, key_for
from warmstart.types import Array, Clock, EpisodeEnd, Event, Spec, Step
from warmstart.views import View


@dataclass(frozen=True)
class Online:
    """The online programs of a recipe. It holds what they read and nothing else of the recipe, so
    that recipes which differ elsewhere share them."""

    learner: Learner
    source: Source
    acting: Acting
    pace: Pace
    warmup: WarmUp
    spec: Spec

    @classmethod
    def of(cls, recipe: Recipe, spec: Spec) -> Online:
        """The programs of this recipe in an environment."""
        learner, replay, pace = recipe.finetune.learner, recipe.replay, recipe.finetune.rhythm.pace
        return cls(learner, replay.source, recipe.acting, pace, replay.warmup, spec)

    @property
    def behind_warmup(self) -> Online:
        """The same without a warm-up, which acting alone reads."""
        return replace(self, warmup=WarmUp())

    @property
    def block(self) -> Block:
        """What learns."""
        return Block(self.learner, self.source, self.layout)

    @property
    def layout(self) -> Layout:
        """Rows of this environment."""
        return Layout.of(self.spec)

    def listening(self, key: Array, state: State) -> State:
        """An online state, with what the acting rule remembers and the warm-up acts by."""
        warmup, pretrained = self.warmup, state.pretrained
        if warmup.steps and warmup.by == "untrained":
            drawn = self.learner.init(key_for(key, "untrained"), self.spec)
            pretrained = {**pretrained, "untrained": drawn.nets["actor"]}
        signals = {**state.signals, **self.acting.signals()}
        return state.replace(signals=signals, pretrained=pretrained)

    def learn(
        self, key: Array, carry: Carry, dataset: Array, seen: Observed, clock: Clock, owed: Owed
    ) -> tuple[Carry, Array]:
        """Insert the row, learn what is owed; the carry, and the critic steps taken.

        `clock` says how many critic steps were taken before, and the row's environment step.
        """
        ring = self.insert(carry.ring, seen, owed.insert)
        state = self.notified(carry.state, seen, seen.ends * owed.insert > 0)
        learning = Learning(state, carry.source, carry.sums, carry.diverged)
        stores = Stores.of(dataset, ring)
        n = self.paced(key, clock, learning, stores, owed.updates)
        learning = self.block.learn(key_for(key, "online"), clock, learning, stores, n)
        return carry._replace(ring=ring, **learning._asdict()), n

    def insert(self, ring: Ring, seen: Observed, really: Array) -> Ring:
        """The ring with the row, and the returns-to-go of an episode that it ends."""
        frames, ring = ring.frames, push(ring, seen.row, really)
        if frames is not None:
            frames = see(frames, self.layout, seen.row, seen.pictures, ring.rows, ring.added)
        return jax.lax.cond(
            seen.ends * really > 0,
            lambda ring: self.close(ring, seen.bootstrap),
            lambda ring: ring,
            ring._replace(frames=None),  # large, and a branch would copy it
        )._replace(frames=frames)

    def close(self, ring: Ring, bootstrap: Array) -> Ring:
        """The ring with the returns-to-go of the episode whose last row is the newest."""
        discount, horizon = self.learner.discount, self.spec.horizon or 1000
        return close(ring, self.layout, discount, bootstrap, horizon)

    def paced(
        self, key: Array, clock: Clock, learning: Learning, stores: Stores, due: Array
    ) -> Array:
        """How many of the critic steps that are due the rhythm's pace lets us take."""
        pace, learner = self.pace, self.learner
        if isinstance(pace, Steady):
            return due
        k = jax.random.fold_in(jax.random.fold_in(key, clock.env_steps), clock.updates)
        want = Wanted((1, learner.batch), learner.finished_only, self.layout)
        source = self.source
        stores = stores._replace(view=learner.view(learning.state))
        drawn = source.draw(key_for(k, "pace batch"), clock, stores, learning.source, want)
        batch = stores.pictured(self.layout.unpack(drawn.rows[0]), self.layout)
        share = pace.share(stores.view, clock, batch)
        return paced(key_for(k, "pace"), share, due, learner.minibatches)

    def notified(self, state: State, seen: Observed, over: Array) -> State:
        """The state after the step, where it ended an episode (`over`) and somebody subscribes."""
        learner, acting = self.learner, self.acting
        if EpisodeEnd not in {*learner.subscribes, *acting.subscribes}:
            return state
        event = EpisodeEnd(seen.score, seen.length)
        return jax.lax.cond(over, lambda s: observe(learner, acting, s, event), lambda s: s, state)

    def act(
        self, key: Array, clock: Clock, state: State, memory: Any, step: Step
    ) -> tuple[Array, Any]:
        """The exploring action [A], through warm-up and the recipe's own acting, and the memory."""
        rule, warmup = self.acting, self.warmup
        k = key_for(jax.random.fold_in(key, clock.env_steps), "act")
        view = self.learner.view(state)

        def by(view: View) -> tuple[Array, Any]:
            action, after = rule(k, clock, view, memory, step, "explore")
            return action[0], after

        if warmup.steps == 0 or warmup.by in ("online", "base"):
            return by(view)  # a base acts on the host: see `Stepper.act`

        def warm() -> tuple[Array, Any]:
            if warmup.by == "policy":
                return by(frozen(view))
            if warmup.by == "untrained":
                return by(untrained(view))
            uniform = jax.random.uniform(k, (self.spec.action_dim,), minval=-1.0, maxval=1.0)
            return uniform, memory

        return jax.lax.cond(clock.env_steps < warmup.steps, warm, lambda: by(view))


def observe(learner: Learner, acting: Acting, state: State, event: Event) -> State:
    """The online state after something happened, for the learner and for the acting rule."""
    state = learner.observe(state, event)
    return state.replace(signals=acting.observe(state.signals, event))


def frozen(view: View) -> View:
    """The same view with the frozen pre-trained policy in the actor's place."""
    state = view.state
    if "actor" not in state.pretrained:
        raise RecipeError(
            "the pre-trained policy does not have the online networks' shapes and cannot act; "
            "set replay.warmup.by=online and do not evaluate it"
        )
    nets = {**state.nets, "actor": state.pretrained["actor"]}
    return replace(view, state=state.replace(nets=nets, stats=state.pretrained["stats"]))


def untrained(view: View) -> View:
    """The same view with the policy of before any training, and no other one to act."""
    state = view.state
    drawn = {**state.nets, "actor": state.pretrained["untrained"]}
    return replace(view, state=state.replace(nets=drawn), alone=True)
