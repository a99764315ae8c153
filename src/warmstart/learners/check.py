"""Floor 3: the contradictions that an actor-critic refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from warmstart.errors import RecipeError
from warmstart.learners.learner import LooksAhead
from warmstart.parts import (
    CQL,
    AdvantageRegression,
    AlignedBaseline,
    BehaviourCloning,
    ExpansionRegression,
    Expectile,
    Learned,
    MaximiseQ,
    PolicyAdvantage,
    SampledBackup,
    ToReturns,
    TrustRegion,
)

if TYPE_CHECKING:
    from warmstart.learners.actor_critic import ActorCritic
    from warmstart.learners.learner import Learner

NEED_VALUE = (AdvantageRegression, ExpansionRegression)
"""Improvements that read one state value."""


def check(learner: ActorCritic) -> None:
    """Raise RecipeError where a learner's parts do not fit its networks."""
    kind = learner.policy_kind
    if kind == "deterministic":
        wrong = [
            name
            for name, bad in (
                ("conservatism CQL", isinstance(learner.conservatism, CQL)),
                (
                    f"improvement {type(learner.improvement).__name__}",
                    isinstance(
                        learner.improvement,
                        AdvantageRegression | PolicyAdvantage | ExpansionRegression,
                    ),
                ),
                ("cloning by likelihood", learner.cloning > 0),
                ("a learned temperature", isinstance(learner.temperature, Learned)),
                (
                    "the 'nll' cloning loss",
                    isinstance(learner.constraint, BehaviourCloning)
                    and learner.constraint.kind == "nll",
                ),
            )
            if bad
        ]
        if wrong:
            raise RecipeError(
                f"{wrong[0]} needs a stochastic policy, and this one is deterministic; "
                "set learner.policy.kind=gaussian"
            )
    if learner.cloning and not isinstance(learner.improvement, MaximiseQ):
        raise RecipeError(
            "cloning is for an actor that climbs its critics afterwards; set "
            "learner.improvement=MaximiseQ or learner.cloning=0"
        )
    backup = learner.backup
    if isinstance(backup, SampledBackup) and backup.entropy and backup.actions > 1:
        raise RecipeError(
            "an entropy backup and the maximum over several actions exclude each other; "
            "set learner.backup.entropy=false or learner.backup.actions=1"
        )
    if isinstance(learner.improvement, NEED_VALUE) and learner.value is None:
        raise RecipeError(
            f"improvement {type(learner.improvement).__name__} needs a state value, and this "
            "learner has none; set learner.value=ValueSpec and learner.value_fit=Expectile"
        )
    _check_value_fit(learner)
    by_value = isinstance(learner.conservatism, CQL) and learner.conservatism.reference == "value"
    if by_value and (learner.value is None or learner.value.members):
        raise RecipeError(
            "conservatism.reference=value needs a state value, and this learner has none; "
            "set learner.value=ValueSpec and learner.value_fit=ToReturns"
        )
    if learner.align is not None and (learner.normalise != "none" or kind != "squashed"):
        raise RecipeError(
            "align needs a squashed Gaussian and observations as they are; "
            "set learner.normalise=none, or learner.align=none"
        )
    if isinstance(learner.constraint, TrustRegion) and not learner.target_actor:
        raise RecipeError(
            "constraint TrustRegion holds the actor to its slow copy; set learner.target_actor=true"
        )
    for path, weight in _weights(learner).items():
        if isinstance(weight, Learned):
            weight.optimiser.check_steady(f"learner.{path}.optimiser")


def _weights(learner: ActorCritic) -> dict[str, object]:
    """What may be a learned weight, by its path."""
    found: dict[str, object] = {"temperature": learner.temperature}
    for name in ("conservatism", "constraint"):
        found[f"{name}.weight"] = getattr(getattr(learner, name), "weight", None)
    return found


def check_ahead(online: Learner, preload: str) -> None:
    """Raise RecipeError where the actions that were logged next cannot be read off the ring."""
    reads = isinstance(online, LooksAhead) and online.reads_next_action
    if reads and preload == "random":
        raise RecipeError(
            "replay.preload.kind=random puts rows into the ring without the ones behind them, and "
            "the critics' penalty reads the action that was logged next; set "
            "replay.preload.kind=all, or finetune.learner.backup.penalty=0"
        )


def check_each(learners: Mapping[str, Learner]) -> None:
    """Raise RecipeError where one of a recipe's learners, by their paths, does not fit itself.

    Advice for `learner.` is meant for all of them; where one alone is wrong it names that one.
    """
    wrong: list[tuple[str, str]] = []
    for where, learner in learners.items():
        try:
            learner.check()
        except RecipeError as error:
            wrong.append((where, str(error)))
    if not wrong:
        return
    where, said = wrong[0]
    if len(wrong) == 1 and not hasattr(learners[where], "learner"):  # it stands around another
        said = re.sub(r"(?<![\w.])learner\.", f"{where}.learner.", said)
    raise RecipeError(said)


def _check_value_fit(learner: ActorCritic) -> None:
    """Raise RecipeError where a fit, or an actor, finds another value network than it needs."""
    fit, value = learner.value_fit, learner.value
    if fit is not None and value is None:
        raise RecipeError(
            f"value_fit={type(fit).__name__} has no network to fit; set "
            "learner.value=ValueSpec, or learner.value_fit=none"
        )
    if value is None:
        return
    improvement = learner.improvement
    if isinstance(fit, AlignedBaseline) and isinstance(improvement, NEED_VALUE):
        raise RecipeError(
            "value_fit=AlignedBaseline fits an ensemble of baselines, and "
            f"{type(improvement).__name__} reads one state value; set learner.value_fit=Expectile"
        )
    if isinstance(fit, AlignedBaseline) and not value.members:
        raise RecipeError(
            "value_fit=AlignedBaseline fits an ensemble of baselines, and this value is one "
            f"network; set learner.value.members={learner.critic.members if learner.critic else 2}"
        )
    single = (Expectile, ToReturns, *NEED_VALUE)
    reader = next((part for part in (fit, improvement) if isinstance(part, single)), None)
    if value.members and reader is not None:
        raise RecipeError(
            f"{type(reader).__name__} needs one state value, and this one is an ensemble of "
            f"{value.members} baselines; set learner.value.members=0"
        )
