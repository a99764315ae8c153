"""Learners, a few pure functions over a state."""

from warmstart.learners.actor_critic import ActorCritic
from warmstart.learners.agents import Agents
from warmstart.learners.base import BaseLearner
from warmstart.learners.chunked import Chunked
from warmstart.learners.compatibility import check_ahead, check_chunks, check_each, check_sources
from warmstart.learners.dynamics_fit import DynamicsFit
from warmstart.learners.learner import Grouped, Learner, LooksAhead, Metrics, Prepares
from warmstart.learners.model_based import ModelBased, Refit
from warmstart.learners.on_policy import PPO
from warmstart.learners.pace import ByDisagreement, Pace, Ramp, Steady, paced
from warmstart.learners.sequence_cloning import SequenceCloning
from warmstart.learners.wrapper import LearnerWrapper, unwrapped

__all__ = [
    "PPO",
    "ActorCritic",
    "Agents",
    "BaseLearner",
    "ByDisagreement",
    "Chunked",
    "DynamicsFit",
    "Grouped",
    "Learner",
    "LearnerWrapper",
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
    "check_chunks",
    "check_each",
    "check_sources",
    "paced",
    "unwrapped",
]
