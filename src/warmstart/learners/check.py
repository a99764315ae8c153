"""Floor 3: the contradictions that an actor-critic refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warmstart.errors import RecipeError
from warmstart.parts import (
    CQL,
    AdvantageRegression,
    BehaviourCloning,
    ExpansionRegression,
    Learned,
    PolicyAdvantage,
    SampledBackup,
    TrustRegion,
)

if TYPE_CHECKING:
    from warmstart.learners.actor_critic import ActorCritic


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
                "set policy.kind=gaussian"
            )
    backup = learner.backup
    if isinstance(backup, SampledBackup) and backup.entropy and backup.actions > 1:
        raise RecipeError(
            "an entropy backup and the maximum over several actions exclude each other; "
            "set backup.entropy=false or backup.actions=1"
        )
    needs_value = (AdvantageRegression, ExpansionRegression)
    if isinstance(learner.improvement, needs_value) and learner.value is None:
        raise RecipeError(
            f"improvement {type(learner.improvement).__name__} needs a state value, and this "
            "learner has none; set value=ValueSpec and value_fit=Expectile"
        )
    by_value = isinstance(learner.conservatism, CQL) and learner.conservatism.reference == "value"
    if by_value and (learner.value is None or learner.value.members):
        raise RecipeError(
            "conservatism.reference=value needs a state value, and this learner has none; "
            "set value=ValueSpec and value_fit=ToReturns"
        )
    if learner.align is not None and (learner.normalise != "none" or kind != "squashed"):
        raise RecipeError(
            "align needs a squashed Gaussian and observations as they are; "
            "set normalise=none, or align=none"
        )
    if isinstance(learner.constraint, TrustRegion) and not learner.target_actor:
        raise RecipeError(
            "constraint TrustRegion holds the actor to its slow copy; set target_actor=true"
        )
    if learner.minibatches < 1 or learner.batch < 1:
        raise RecipeError("batch and minibatches must be at least 1")
