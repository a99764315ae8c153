"""A run watches its own health, and says in a sentence where a sign of it is bad.

Each sign is a number that a learner reports anyway, or that a look at the run measures. It has to
stand in two lines in a row of one seed, so that a beginning is no alarm, and is said once.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from warmstart.api.declare import Declared
from warmstart.api.idle import remarks
from warmstart.engine import Position, Problem, RunEvent
from warmstart.learners import ActorCritic, unwrapped
from warmstart.parts import Learned, NoConservatism
from warmstart.replay import Layout

TWICE = 2
"""Lines in a row in which a sign has to stand."""
WEIGHT_SHARE = 0.05
"""Of the largest advantage weight: with a greater mean, many a weight is cut off there."""
DEAD = 0.8
"""Share of the policy's last hidden units that give zero on every row."""
BEYOND = 0.1
"""Of the range of possible returns: so far may mean Q stand outside of it."""
LEAST_ENTROPY = -6.0
"""Per action dimension, in nats: a policy that hardly draws any more."""


class Returns(NamedTuple):
    """The lowest and the highest return that a policy can have from anywhere."""

    low: float
    high: float


class Signs:
    """What there is to say of a run's events.

    Args:
        declared, problem: of the run.
        known: what `state` gave in an earlier process, or None.
    """

    def __init__(
        self, declared: Declared, problem: Problem, known: Mapping[str, Any] | None = None
    ) -> None:
        self.declared: Declared = declared
        self.problem: Problem = problem
        known = known or {"said": [], "seen": {}, "rewards": {}}
        self._said = {(name, seed) for name, seed in known["said"]}
        self._seen: dict[str, int] = dict(known["seen"])
        # A conservative pre-training leaves critics that stand low; that is no fault of theirs.
        self._before = [stage.learner for stage in declared.recipe.pretrain]
        self._rewards: dict[str, list[float]] = dict(known["rewards"])
        self._of = ""

    def state(self) -> dict[str, Any]:
        """What a checkpoint remembers, as JSON holds it."""
        said = sorted(self._said, key=str)
        return {"said": [list(pair) for pair in said], "seen": self._seen, "rewards": self._rewards}

    @cached_property
    def _logged(self) -> list[float]:
        rows, layout = self.problem.rows, Layout.of(self.problem.spec)
        if rows is None or not len(rows):
            return []
        rewards = rows[:, layout.scalars]
        return [float(rewards.min()), float(rewards.max())]

    def begin(self, at: Position) -> Iterator[RunEvent]:
        """What is to be said before anything is learnt."""
        for name, text in remarks(self.declared, self.problem):
            if (name, None) not in self._said:
                self._said.add((name, None))
                yield at.event("warning", {"name": name, "text": text})

    def see(self, event: RunEvent) -> Iterator[RunEvent]:
        """What is to be said of an event."""
        if event.seed is None:
            return
        self._of = str(event.seed)  # each seed has seen rewards of its own
        if event.kind == "diagnose" and "reward_max" in event.values:
            known = self._rewards.get(self._of) or self._logged
            both = [*known, event.values["reward_min"], event.values["reward_max"]]
            self._rewards[self._of] = [min(both), max(both)]
        for name, text in self._found(event).items():
            count = f"{name} {event.kind} {event.phase} {event.seed}"
            self._seen[count] = self._seen.get(count, 0) + 1 if text else 0
            last = name == "nothing-learnt"
            if (
                text
                and (last or self._seen[count] >= TWICE)
                and (name, event.seed) not in self._said
            ):
                self._said.add((name, event.seed))
                values = {"name": name, "text": text}
                yield dataclasses.replace(event, kind="warning", values=values, tag=None)

    def _found(self, event: RunEvent) -> dict[str, str]:
        """Every sign that an event can tell of: a sentence, or "" where it is well."""
        values, online = event.values, event.phase == "online"
        learner = self._learner(event)
        if event.kind == "train":
            return {
                **self._weights(values, learner, online),
                **self._entropy(values, learner, online),
                **self._gap(values, learner, online),
                **self._values(values.get("q_mean"), values, learner, online),
            }
        if event.kind == "diagnose":
            q = values.get("q_online", values.get("q_offline"))
            return {
                **self._dead(values, online),
                **self._values(q, values, learner, online),
            }
        if event.kind == "eval" and event.tag == "final":
            return self._nothing(event)
        return {}

    def _learner(self, event: RunEvent) -> Any:
        """The actor-critic that learns, or None where it is another kind of learner."""
        recipe = self.declared.recipe
        learner: Any = recipe.finetune.learner
        if event.phase == "pretrain":
            learner = recipe.pretrain[event.stage].learner
        inner = unwrapped(learner)
        return inner if isinstance(inner, ActorCritic) else None

    def _weights(self, values: dict[str, Any], learner: Any, online: bool) -> dict[str, str]:
        mean = values.get("advantage_weight")
        part = getattr(learner, "improvement", None)
        clip = getattr(part, "clip", None)
        if mean is None or clip is None or getattr(part, "form", "exp") != "exp":
            return {}
        if mean < WEIGHT_SHARE * clip:
            return {"saturated-weights": ""}
        path = "beta" if hasattr(part, "beta") else "temperature"
        now = getattr(part, path)
        to = now / 10 if path == "beta" else now * 10
        return {
            "saturated-weights": f"The mean advantage weight is {mean:.3g}, and the largest "
            f"possible one {clip:g}: many are cut off there, so that good and bad actions count "
            "alike. Advantages are large for this method: try "
            + self._smaller(online, f"--set learner.improvement.{path}={to:g}")
        }

    def _entropy(self, values: dict[str, Any], learner: Any, online: bool) -> dict[str, str]:
        entropy = values.get("entropy")
        if entropy is None or not isinstance(getattr(learner, "temperature", None), Learned):
            return {}
        numbers = self.problem.spec.action_dim * self.declared.recipe.finetune.learner.chunk
        if entropy > LEAST_ENTROPY * numbers:
            return {"entropy-floor": ""}
        init = getattr(learner.temperature, "init", 1.0)
        return {
            "entropy-floor": f"The policy's entropy is {entropy:.3g}, with "
            f"{numbers} actions: it hardly draws any more and explores "
            "nothing. The values outweigh the entropy: try "
            + self._smaller(online, f"--set learner.temperature.init={10 * init:g}")
        }

    def _gap(self, values: dict[str, Any], learner: Any, online: bool) -> dict[str, str]:
        gap, bounds = values.get("conservative_gap"), self._returns(learner)
        if gap is None or bounds is None:
            return {}
        width = bounds.high - bounds.low
        if abs(gap) <= width or width == 0.0:
            return {"conservative-gap": ""}
        weight = learner.conservatism.weight
        path, now = ("init", weight.init) if isinstance(weight, Learned) else ("value", None)
        now = getattr(weight, "value", now)
        change = f"--set learner.conservatism.weight.{path}={now / 5:g}" if now else ""
        return {
            "conservative-gap": f"The conservative gap is {gap:.3g}, more than all returns that "
            f"are possible lie apart ({width:.3g}): the penalty runs off with the critics. Try "
            + (change or self._smaller(online, _lower_rate(learner)))
            + "."
        }

    def _values(
        self, q: float | None, values: dict[str, Any], learner: Any, online: bool
    ) -> dict[str, str]:
        bounds = self._returns(learner)
        if q is None or bounds is None or learner.align is not None:
            return {}
        soft = abs(values.get("temperature", 0.0) * values.get("entropy", 0.0))
        slack = BEYOND * (bounds.high - bounds.low) + soft / (1.0 - learner.discount)
        pushed = any(map(_is_pushed, (learner, *self._before)))
        if q <= bounds.high + slack and (pushed or q >= bounds.low - slack):
            return {"q-beyond-returns": ""}
        high = q > bounds.high
        most = f"at most {bounds.high:.3g}" if high else f"at least {bounds.low:.3g}"
        return {
            "q-beyond-returns": f"Mean Q is {q:.3g}, and with these rewards a return is {most}: "
            "the critics have lost hold. Try " + self._calmer(learner, online)
        }

    def _dead(self, values: dict[str, Any], online: bool) -> dict[str, str]:
        share = max(values.get("dead_units_offline", 0.0), values.get("dead_units_online", 0.0))
        if share < DEAD:
            return {"dead-units": ""}
        learner = self.declared.recipe.finetune.learner
        if not online:
            learner = self.declared.recipe.pretrain[0].learner
        return {
            "dead-units": f"{100 * share:.0f} % of the policy's last hidden units give zero "
            "everywhere and learn no more. Try " + self._calmer(unwrapped(learner), online)
        }

    def _nothing(self, event: RunEvent) -> dict[str, str]:
        finetune = self.declared.recipe.finetune
        if event.updates or not finetune.steps or not finetune.rhythm.updates:
            return {}
        return {
            "nothing-learnt": f"No update was made in the {finetune.steps:,} online steps: no "
            "episode ended in time for one. The policy is that of before; give more --steps, or "
            "--set finetune.rhythm.every=1 --set finetune.learner.finished_only=false."
        }

    def _returns(self, learner: Any) -> Returns | None:
        if learner is None or learner.critic is None or learner.discount >= 1.0:
            return None
        known = self._rewards.get(self._of) or self._logged
        if not known:
            return None
        low, high = known
        for_ever = 1.0 / (1.0 - learner.discount)
        return Returns(min(low, low * for_ever), max(high, high * for_ever))

    def _smaller(self, online: bool, otherwise: str) -> str:
        """The option that makes rewards smaller, where the environment is the user's own and they
        are not small already."""
        task = self.declared.task
        pretrained = online and self.declared.recipe.pretrain
        rows, layout = self.problem.rows, Layout.of(self.problem.spec)
        if task.domain != "custom" or pretrained or rows is None:
            return f"{otherwise}."
        spread, now = float(np.std(rows[:, layout.scalars])), task.reward.scale
        scale = reward_scale(spread, now) if spread else now
        return f"--reward-scale {scale:g}." if scale < abs(now) else f"{otherwise}."

    def _calmer(self, learner: Any, online: bool) -> str:
        """Scaled observations where they are not, or else shorter steps."""
        pretrained = online and self.declared.recipe.pretrain
        if learner.normalise == "none" and not pretrained:
            kind = "dataset" if self.problem.rows is not None else "running"
            return f"--set learner.normalise={kind}."
        return f"{_lower_rate(learner)}."


def reward_scale(spread: float, now: float = 1.0) -> float:
    """A scale by which rewards of this standard deviation become about a quarter, one digit.

    That is where the rewards lie for which the numbers of the papers were chosen.
    """
    scale = 0.25 * abs(now) / spread
    digits = -math.floor(math.log10(scale))
    return round(scale, digits)


def _is_pushed(learner: Any) -> bool:
    """Whether a conservative term pushes the critics down."""
    inner = unwrapped(learner)
    return not isinstance(getattr(inner, "conservatism", NoConservatism()), NoConservatism)


def _lower_rate(learner: Any) -> str:
    name = next(n for n in ("critic_optimiser", "optimiser") if hasattr(learner, n))
    return f"--set learner.{name}.lr={getattr(learner, name).lr / 3:.1g}"
