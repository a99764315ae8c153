"""Floor 3: learners, a few pure functions over a state."""

from warmstart.learners.actor_critic import ActorCritic
from warmstart.learners.agents import Agents
from warmstart.learners.around import Around
from warmstart.learners.check import check_ahead, check_each
from warmstart.learners.check_model import check_model
from warmstart.learners.dynamics_fit import DynamicsFit
from warmstart.learners.learner import Grouped, Learner, LooksAhead, Metrics, Prepares
from warmstart.learners.model_based import ModelBased, Refit
from warmstart.learners.pace import ByDisagreement, Pace, Ramp, Steady, check_pace, paced
from warmstart.learners.sequence import SequenceCloning

__all__ = [
    "ActorCritic",
    "Agents",
    "Around",
    "ByDisagreement",
    "DynamicsFit",
    "Grouped",
    "Learner",
    "LooksAhead",
    "Metrics",
    "ModelBased",
    "Pace",
    "Prepares",
    "Ramp",
    "Refit",
    "SequenceCloning",
    "Steady",
    "check_ahead",
    "check_each",
    "check_model",
    "check_pace",
    "paced",
]
