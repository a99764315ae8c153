"""Floor 3: learners, a few pure functions over a state."""

from warmstart.learners.actor_critic import ActorCritic
from warmstart.learners.agents import Agents
from warmstart.learners.learner import Learner, Metrics
from warmstart.learners.pace import ByDisagreement, Pace, Ramp, Steady, check_pace, paced
from warmstart.learners.sequence import SequenceCloning

__all__ = [
    "ActorCritic",
    "Agents",
    "ByDisagreement",
    "Learner",
    "Metrics",
    "Pace",
    "Ramp",
    "SequenceCloning",
    "Steady",
    "check_pace",
    "paced",
]
