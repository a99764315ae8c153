"""Floor 2: an equation times a network, as frozen dataclasses with one call."""

from warmstart.parts.backup import SampledBackup, SmoothedBackup, ValueBackup
from warmstart.parts.conservatism import CQL, NoConservatism
from warmstart.parts.constraint import BehaviourCloning, NoConstraint
from warmstart.parts.improvement import AdvantageRegression, MaximiseQ, NoImprovement
from warmstart.parts.value_fit import Expectile
from warmstart.parts.weights import Fixed, Learned, Scheduled, Weight, temperature

__all__ = [
    "CQL",
    "AdvantageRegression",
    "BehaviourCloning",
    "Expectile",
    "Fixed",
    "Learned",
    "MaximiseQ",
    "NoConservatism",
    "NoConstraint",
    "NoImprovement",
    "SampledBackup",
    "Scheduled",
    "SmoothedBackup",
    "ValueBackup",
    "Weight",
    "temperature",
]
