"""Floor 8: introduces methods, engine and edge; what Python users call."""

from warmstart.api.declare import Declared, declare, declare_finetune
from warmstart.api.drive import Interrupted
from warmstart.api.run import Run, evaluate, finetune, pretrain, report, resume, run

__all__ = [
    "Declared",
    "Interrupted",
    "Run",
    "declare",
    "declare_finetune",
    "evaluate",
    "finetune",
    "pretrain",
    "report",
    "resume",
    "run",
]
