"""Floor 3: learners, a few pure functions over a state."""

from warmstart.learners.actor_critic import ActorCritic

__all__ = ["ActorCritic"]
