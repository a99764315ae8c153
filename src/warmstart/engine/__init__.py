"""Floor 6: phases, the host loop, and the seed axis."""

from warmstart.engine.position import Event, Position
from warmstart.engine.problem import DIP, Problem, Schedule
from warmstart.engine.trainer import Trainer

__all__ = ["DIP", "Event", "Position", "Problem", "Schedule", "Trainer"]
