"""An agent that belongs to its user: pre-trained, handed over, and driven step by step."""

from warmstart.agent.agent import Agent
from warmstart.agent.handover_table import HandoverTable
from warmstart.agent.learner import Learner

__all__ = ["Agent", "HandoverTable", "Learner"]
