"""Floor 3: learners, a few pure functions over a state."""

from warmstart.learners.actor_critic import ActorCritic
from warmstart.learners.agents import Agents
from warmstart.learners.checks import check_learner, check_pace
from warmstart.learners.pace import ByDisagreement, Pace, Ramp, Steady, paced

Learner = ActorCritic | Agents

__all__ = [
    "ActorCritic",
    "Agents",
    "ByDisagreement",
    "Learner",
    "Pace",
    "Ramp",
    "Steady",
    "check_learner",
    "check_pace",
    "paced",
]
