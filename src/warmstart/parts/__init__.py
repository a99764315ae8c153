"""An equation times a network, as frozen dataclasses with one call."""

from warmstart.parts.align import Align
from warmstart.parts.backup import Backup, PairedBackup, SampledBackup, SmoothedBackup, ValueBackup
from warmstart.parts.conservatism import CQL, Conservatism, NoConservatism
from warmstart.parts.constraint import BehaviourCloning, Constraint, NoConstraint, TrustRegion
from warmstart.parts.controlled import ReturnControlled
from warmstart.parts.expansion import ExpansionRegression
from warmstart.parts.extra import Extra
from warmstart.parts.flow import Distilled, FlowCloning
from warmstart.parts.improvement import (
    AdvantageRegression,
    Improvement,
    MaximiseQ,
    NoImprovement,
    PolicyAdvantage,
)
from warmstart.parts.model_fit import ModelFit, fitted
from warmstart.parts.needs import Checks, need_baselines, need_density, need_value
from warmstart.parts.row_weight import CertainRows, EvenRows, RowWeight
from warmstart.parts.value_fit import AlignedBaseline, Expectile, ToReturns, ValueFit
from warmstart.parts.weights import Fixed, Learned, ReadsMetrics, Scheduled, Weight, temperature

__all__ = [
    "CQL",
    "AdvantageRegression",
    "Align",
    "AlignedBaseline",
    "Backup",
    "BehaviourCloning",
    "CertainRows",
    "Checks",
    "Conservatism",
    "Constraint",
    "Distilled",
    "EvenRows",
    "ExpansionRegression",
    "Expectile",
    "Extra",
    "Fixed",
    "FlowCloning",
    "Improvement",
    "Learned",
    "MaximiseQ",
    "ModelFit",
    "NoConservatism",
    "NoConstraint",
    "NoImprovement",
    "PairedBackup",
    "PolicyAdvantage",
    "ReadsMetrics",
    "ReturnControlled",
    "RowWeight",
    "SampledBackup",
    "Scheduled",
    "SmoothedBackup",
    "ToReturns",
    "TrustRegion",
    "ValueBackup",
    "ValueFit",
    "Weight",
    "fitted",
    "need_baselines",
    "need_density",
    "need_value",
    "temperature",
]
