"""Introduces methods, engine and rooms; what Python users call."""

from warmstart.api.declare import Declared, declare, declare_finetune
from warmstart.api.driver import Interrupted
from warmstart.api.export import Exported, export
from warmstart.api.laws import Law, check
from warmstart.api.own import find_method, short_name
from warmstart.api.run import Run, evaluate, finetune, floor, pretrain, report, resume, run, start
from warmstart.policy.actor import NumpyPolicy
from warmstart.runs.find_policy import actor

__all__ = [
    "Declared",
    "Exported",
    "Interrupted",
    "Law",
    "NumpyPolicy",
    "Run",
    "actor",
    "check",
    "declare",
    "declare_finetune",
    "evaluate",
    "export",
    "find_method",
    "finetune",
    "floor",
    "pretrain",
    "report",
    "resume",
    "run",
    "short_name",
    "start",
]
