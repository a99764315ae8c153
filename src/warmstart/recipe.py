"""A method is five answers, and a recipe is where they stand together."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from warmstart import values
from warmstart.acting import Acting, Sampled
from warmstart.errors import RecipeError
from warmstart.handover import Handover
from warmstart.learners import (
    ActorCritic,
    Agents,
    Learner,
    LearnerWrapper,
    Pace,
    Steady,
    check_ahead,
    check_chunks,
    check_each,
    check_sources,
)
from warmstart.parts import Checks
from warmstart.ranges import Count, Whole
from warmstart.replay import FromDataset, FromRing, Newest, Source
from warmstart.values import register


@register
@dataclass(frozen=True)
class Stage:
    """One stage of pre-training: a learner, where its rows come from, and for how many updates."""

    learner: Learner
    updates: Count = 1_000_000
    source: Source = FromDataset()


@register
@dataclass(frozen=True)
class WarmUp:
    """Environment steps before the first online update.

    `by`: "policy" acts with the frozen pre-trained policy (WSRL), "online" with the online
    learner as it stands, "untrained" with its policy as it was drawn before any training,
    "random" with uniform actions (SAC, REDQ), "base" with a policy of somebody else's that the run
    is given.
    """

    steps: Whole = 0
    by: Literal["policy", "online", "untrained", "random", "base"] = "online"


@register
@dataclass(frozen=True)
class Preload:
    """Dataset rows that the ring holds before the first online step.

    `kind`: "none", "all", "random" (`count` rows with replacement), "last" (`count` rows) or
    "top" (the `count` episodes of highest return, the lowest of them first to go).
    """

    kind: Literal["none", "all", "random", "last", "top"] = "none"
    count: Whole = 0


@register
@dataclass(frozen=True)
class Replay:
    """What an online batch is made of."""

    source: Source = FromRing()
    warmup: WarmUp = WarmUp()
    preload: Preload = Preload()
    capacity: Count = 1_000_000


@register
@dataclass(frozen=True)
class Rhythm:
    """The cadence of learning: after `every` environment steps, `updates` critic steps.

    With `every = 0` a block is one whole episode, and `updates` then counts for each row of it
    (Cal-QL: a trajectory, then its length) or, with `per="episode"`, for the episode (ODT).
    `first` multiplies the first block (Off2On). `pace` leaves some of the updates out, by
    schedule (`Ramp`) or by the critics' disagreement (`ByDisagreement`).
    """

    every: Whole = 1
    updates: Whole = 1
    first: Count = 1
    per: Literal["row", "episode"] = "row"
    pace: Pace = Steady()


@register
@dataclass(frozen=True)
class Finetune:
    """What learns online, in what rhythm, for how many steps; 0 `anneal_steps` are all of them."""

    learner: Learner = field(default_factory=ActorCritic)
    rhythm: Rhythm = Rhythm()
    steps: Whole = 500_000
    anneal_steps: Whole = 0


@register
@dataclass(frozen=True)
class Recipe:
    """The five answers of a method. RecipeError where two of them contradict each other."""

    name: str
    pretrain: tuple[Stage, ...] = ()
    handover: Handover = Handover()
    replay: Replay = Replay()
    acting: Acting = Sampled()
    finetune: Finetune = field(default_factory=Finetune)

    def __post_init__(self) -> None:
        online, rhythm, warmup = self.finetune.learner, self.finetune.rhythm, self.replay.warmup
        if rhythm.updates % online.minibatches:
            raise RecipeError(
                f"finetune.rhythm.updates = {rhythm.updates} is no multiple of the learner's "
                f"{online.minibatches} minibatches; "
                f"set finetune.learner.minibatches={rhythm.updates}"
            )
        if isinstance(rhythm.pace, Checks):
            rhythm.pace.check(online)
        if warmup.by == "policy" and warmup.steps and not self.pretrain:
            raise RecipeError(
                "a warm-up by the pre-trained policy needs a pre-training; "
                "set replay.warmup.by=random or replay.warmup.by=online"
            )
        if self.replay.preload.kind in ("random", "last", "top") and self.replay.preload.count < 1:
            raise RecipeError(
                f"replay.preload.kind={self.replay.preload.kind} needs replay.preload.count >= 1; "
                "set replay.preload.count=1000"
            )
        source = self.replay.source
        if source.logged and (preload := self.replay.preload.kind) != "none":
            raise RecipeError(
                f"replay.source={type(source).__name__} draws logged rows from the dataset, and "
                f"replay.preload.kind={preload} puts them among the online rows too, so that a "
                "batch would hold more of them than the source says; set replay.preload.kind=none "
                "or replay.source=FromRing"
            )
        self._check_acting()
        if getattr(online, "on_policy", False):
            self._check_rollout()
        check_ahead(online, self.replay.preload.kind)
        phases = [*((stage.learner, stage.source) for stage in self.pretrain), (online, source)]
        check_sources(phases)
        offline = {f"pretrain.{i}": stage.learner for i, stage in enumerate(self.pretrain)}
        check_each({**offline, "finetune": online})
        check_chunks({**offline, "finetune": online}, self.acting, self.replay.capacity)
        for learner, given in phases:
            if learner.windows != (len(given.axes(1, 1)) == 3):
                takes = "windows of an episode" if learner.windows else "single rows"
                raise RecipeError(
                    f"{type(learner).__name__} learns from {takes}, and source "
                    f"{type(given).__name__} draws something else; take replay and finetune from "
                    "the same method"
                )
            if learner.normalise != online.normalise:
                alike = len({stage.learner.normalise for stage in self.pretrain}) == 1
                where = "finetune.learner" if alike else "learner"
                raise RecipeError(
                    f"observations are scaled by normalise={learner.normalise} in pre-training "
                    f"and by normalise={online.normalise} online: the networks would see other "
                    f"numbers; set {where}.normalise={learner.normalise}"
                )

    def _check_acting(self) -> None:
        """Raise RecipeError where an acting rule lacks what it acts by."""
        online, rule = self.finetune.learner, self.acting
        if getattr(rule, "acts_on", "observation") != online.acts_on:
            needs, other = (
                ("the steps before", "Desired")
                if online.acts_on == "context"
                else ("one observation", "Sampled")
            )
            raise RecipeError(
                f"acting={type(rule).__name__} does not show the policy what it acts on, {needs}; "
                f"set acting={other}"
            )
        beside = getattr(getattr(online, "policy", None), "beside_base", False)
        if getattr(rule, "needs_base", False) and not beside:
            raise RecipeError(
                f"acting={type(rule).__name__} goes from a base policy to its correction, and this "
                "policy corrects none; set acting=Sampled"
            )
        if beside and online.normalise != "none":
            raise RecipeError(
                "a correction sees the base's action behind the observation, as it is executed; "
                "set learner.normalise=none"
            )
        frozen = getattr(getattr(online, "policy", None), "freezes", False)
        if frozen and self.pretrain and self.handover.moments == "keep":
            raise RecipeError(
                "the generator stands still online, and moments of its pre-training would move it; "
                "set handover.moments=fresh"
            )
        reads = getattr(rule, "reads", ())
        if "pretrained" in reads and not self.pretrain:
            raise RecipeError(
                f"acting={type(rule).__name__} lets the frozen pre-trained policy act, and nothing "
                "is pre-trained; take pretrain from another method, such as pretrain=iql"
            )
        if "critic" in reads and online.critic is None:
            raise RecipeError(
                f"acting={type(rule).__name__} chooses by value, and this learner has no critics; "
                "set acting=Sampled"
            )
        improvement = getattr(online, "improvement", None)
        if getattr(improvement, "needs_pretrained", False) and not self.pretrain:
            raise RecipeError(
                f"{type(improvement).__name__} expands a pre-trained policy, and nothing is "
                "pre-trained; take pretrain from another method, such as pretrain=iql"
            )

    def _check_rollout(self) -> None:
        """Raise RecipeError where an on-policy learner would not learn from its own draws once."""
        rhythm, replay, rule = self.finetune.rhythm, self.replay, type(self.acting).__name__
        name = type(self.finetune.learner).__name__
        if not isinstance(replay.source, Newest):
            raise RecipeError(
                f"{name} learns from its newest rollout in the order of time, and source "
                f"{type(replay.source).__name__} draws something else; set replay.source=Newest"
            )
        rows = replay.source.rows
        if rhythm.every != rows:
            raise RecipeError(
                f"{name} learns from a rollout of {rows} rows (replay.source.rows) after every "
                f"{rhythm.every} steps, and each row is to be learnt from once; set "
                f"finetune.rhythm.every={rows}"
            )
        if rhythm.updates > 1 or rhythm.first > 1 or not isinstance(rhythm.pace, Steady):
            raise RecipeError(
                f"{name} learns from a rollout once, and its passes over it are "
                "finetune.learner.epochs; set finetune.rhythm.updates=1, finetune.rhythm.first=1 "
                "and finetune.rhythm.pace=Steady"
            )
        if replay.capacity < rows:
            raise RecipeError(
                f"replay.capacity={replay.capacity} holds no rollout of {rows} rows; set "
                f"replay.capacity={rows}"
            )
        if replay.warmup.steps % rows:
            raise RecipeError(
                f"a warm-up of {replay.warmup.steps} steps ends inside a rollout of {rows}, part "
                f"of which another policy would have acted; set replay.warmup.steps="
                f"{max(1, round(replay.warmup.steps / rows)) * rows} or 0"
            )
        if self.finetune.learner.normalise == "running":
            raise RecipeError(
                f"running statistics would move between an action and the update that learns from "
                f"it, and {name} compares the probabilities of both; set learner.normalise=dataset"
            )
        if rule != "Sampled":
            raise RecipeError(
                f"{name} learns from draws of its own policy, and acting={rule} does something "
                "else; set acting=Sampled"
            )

    def with_(self, path: str, value: Any) -> Recipe:
        """A copy with one field changed; text is read as the field's type.

        `learner.PATH` changes that field of every learner that has it, and `nets.PATH` that of
        every network of every learner: `learner.normalise=running`, `nets.kind=simba`.
        """
        head, _, rest = path.partition(".")
        if head not in ("learner", "nets") or not rest:
            return values.with_(self, path, value)
        stages, finetune = everywhere(self.pretrain, self.finetune, path, value)
        return dataclasses.replace(self, pretrain=stages, finetune=finetune)

    def with_discount(self, discount: float) -> Recipe:
        """A copy in which every learner has the task's discount."""
        stages = tuple(
            dataclasses.replace(s, learner=s.learner.with_discount(discount)) for s in self.pretrain
        )
        online = self.finetune.learner.with_discount(discount)
        finetune = dataclasses.replace(self.finetune, learner=online)
        return dataclasses.replace(self, pretrain=stages, finetune=finetune)

    @property
    def needs_dataset(self) -> bool:
        """Whether any answer reads the dataset."""
        return (
            bool(self.pretrain)
            or self.finetune.learner.normalise == "dataset"
            or self.replay.source.reads_dataset
            or self.replay.preload.kind != "none"
        )

    @property
    def subscribes(self) -> frozenset[Any]:
        """The events that change what is learnt or done: see `types.Listener`.

        With `Evaluated` among them the evaluation schedule is part of the method.
        """
        return frozenset({*self.finetune.learner.subscribes, *self.acting.subscribes})

    @property
    def reads_returns(self) -> bool:
        """Whether the online learner reads the returns-to-go of its rows."""
        return self.finetune.learner.reads_returns

    def to_json(self) -> Any:
        """Nested plain values."""
        return values.to_json(self)

    @staticmethod
    def from_json(data: Any) -> Recipe:
        """The inverse of `to_json`."""
        recipe = values.from_json(data)
        if not isinstance(recipe, Recipe):
            raise RecipeError("this JSON is no recipe; write one with Recipe.to_json()")
        return recipe


def everywhere(
    pretrain: tuple[Stage, ...], finetune: Finetune, path: str, value: Any
) -> tuple[tuple[Stage, ...], Finetune]:
    """Both answers with the field of all their learners at `path` (`learner.PATH`, `nets.PATH`)."""
    head, _, rest = path.partition(".")
    each = (f"{net}.net.{rest}" for net in ("policy", "critic", "value"))
    inner = (rest,) if head == "learner" else tuple(each)
    stages = tuple(
        dataclasses.replace(stage, learner=_changed(stage.learner, inner, value, path))
        for stage in pretrain
    )
    online = _changed(finetune.learner, inner, value, path)
    if not any(_has(one.learner, inner) for one in (*pretrain, finetune)):
        values.get(online, inner[0])  # raises, with the nearest name
    return stages, dataclasses.replace(finetune, learner=online)


def _changed(learner: Any, inner: tuple[str, ...], value: Any, path: str) -> Any:
    """A learner, and the one inside it, with every field of `inner` that it has changed."""
    if isinstance(learner, LearnerWrapper):
        own = _changed(learner.learner, inner, value, path)
        learner = dataclasses.replace(learner, learner=own)
    if isinstance(learner, Agents):
        return learner
    for one in inner:
        if _has_own(learner, one):
            learner = values.with_(learner, one, value, path)
    return learner


def _has(learner: Any, inner: tuple[str, ...]) -> bool:
    """Whether a learner, or the one inside it, has one of these fields."""
    if isinstance(learner, LearnerWrapper) and _has(learner.learner, inner):
        return True
    return not isinstance(learner, Agents) and any(_has_own(learner, one) for one in inner)


def _has_own(learner: Any, path: str) -> bool:
    try:
        values.get(learner, path)
    except RecipeError:
        return False
    return True
