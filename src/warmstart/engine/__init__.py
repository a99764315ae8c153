"""Phases, the host loop, and the seed axis."""

from warmstart.engine.position import Position, RunEvent
from warmstart.engine.problem import DIP, Problem, Schedule
from warmstart.engine.trainer import Trainer

__all__ = ["DIP", "Position", "Problem", "RunEvent", "Schedule", "Trainer"]
