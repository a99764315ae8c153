"""Floor 2: an equation times a network, as frozen dataclasses with one call."""

from warmstart.parts.align import Align
from warmstart.parts.backup import PairedBackup, SampledBackup, SmoothedBackup, ValueBackup
from warmstart.parts.conservatism import CQL, NoConservatism
from warmstart.parts.constraint import BehaviourCloning, NoConstraint, TrustRegion
from warmstart.parts.controlled import ReturnControlled
from warmstart.parts.expansion import ExpansionRegression
from warmstart.parts.improvement import (
    AdvantageRegression,
    MaximiseQ,
    NoImprovement,
    PolicyAdvantage,
)
from warmstart.parts.model_fit import ModelFit, fitted
from warmstart.parts.value_fit import AlignedBaseline, Expectile, ToReturns, ValueFit
from warmstart.parts.weights import Fixed, Learned, Scheduled, Weight, temperature

__all__ = [
    "CQL",
    "AdvantageRegression",
    "Align",
    "AlignedBaseline",
    "BehaviourCloning",
    "ExpansionRegression",
    "Expectile",
    "Fixed",
    "Learned",
    "MaximiseQ",
    "ModelFit",
    "NoConservatism",
    "NoConstraint",
    "NoImprovement",
    "PairedBackup",
    "PolicyAdvantage",
    "ReturnControlled",
    "SampledBackup",
    "Scheduled",
    "SmoothedBackup",
    "ToReturns",
    "TrustRegion",
    "ValueBackup",
    "ValueFit",
    "Weight",
    "fitted",
    "temperature",
]
