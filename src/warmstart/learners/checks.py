"""Floor 3: what a learner's parts need of its networks, and of each other."""

from __future__ import annotations

from warmstart.errors import RecipeError
from warmstart.learners.actor_critic import ActorCritic
from warmstart.learners.agents import Agents
from warmstart.learners.pace import ByDisagreement, Pace, Ramp
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


def check_pace(pace: Pace, online: ActorCritic | Agents) -> None:
    """Raise RecipeError where a pace has no share, or nothing to go by."""
    shares = {"least": getattr(pace, "least", 1.0)}
    if isinstance(pace, Ramp):
        shares = {"start": pace.start, "end": pace.end}
    for name, share in shares.items():
        if not 0.0 <= share <= 1.0:
            raise RecipeError(f"finetune.rhythm.pace.{name} must be in [0, 1], not {share}")
    if isinstance(pace, ByDisagreement):
        critic = getattr(online, "critic", None)
        if critic is None or critic.members < 2:
            raise RecipeError(
                "finetune.rhythm.pace=ByDisagreement needs at least two critics; "
                "set finetune.learner.critic.members=2, or pace=Ramp"
            )


def check_learner(learner: ActorCritic | Agents) -> None:
    """Raise RecipeError where a learner's parts do not fit its networks."""
    if isinstance(learner, Agents):
        check_learner(learner.learner)
        return
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
