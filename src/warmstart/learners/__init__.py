"""Floor 3: learners, a few pure functions over a state."""

from warmstart.learners.actor_critic import ActorCritic
from warmstart.learners.agents import Agents
from warmstart.learners.learner import Learner, Metrics

__all__ = ["ActorCritic", "Agents", "Learner", "Metrics"]
