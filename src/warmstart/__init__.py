"""Offline-to-online reinforcement learning: start good from logged data, get better online."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from warmstart.agent import Agent as Agent
    from warmstart.agent import Learner as Learner
    from warmstart.api import Declared as Declared
    from warmstart.api import Interrupted as Interrupted
    from warmstart.api import Run as Run
    from warmstart.api import check as check
    from warmstart.api import evaluate as evaluate
    from warmstart.api import export as export
    from warmstart.api import finetune as finetune
    from warmstart.api import pretrain as pretrain
    from warmstart.api import report as report
    from warmstart.api import resume as resume
    from warmstart.api.callbacks import Callback as Callback
    from warmstart.api.declare import declare as declare
    from warmstart.api.run import run as run
    from warmstart.data.python import Dataset as Dataset
    from warmstart.data.recorder import Recorder as Recorder
    from warmstart.errors import WarmstartError as WarmstartError
    from warmstart.link.actor import Actor as Actor
    from warmstart.methods import METHODS as METHODS
    from warmstart.policy.actor import NumpyPolicy as NumpyPolicy
    from warmstart.policy.actor import load_policy as load_policy
    from warmstart.policy.hub import from_hub as from_hub
    from warmstart.policy.hub import push_to_hub as push_to_hub
    from warmstart.policy.server import serve as serve
    from warmstart.recipe import Recipe as Recipe
    from warmstart.runs.find_policy import actor as actor
    from warmstart.studies.compare import compare as compare
    from warmstart.tasks import TASKS as TASKS
    from warmstart.tasks import Task as Task
    from warmstart.tasks import custom_task as custom_task
    from warmstart.types import Spec as Spec

# Looked up when first used, so that `warmstart --help` does not wait for JAX.
_HOMES = {
    "Agent": "warmstart.agent",
    "Dataset": "warmstart.data.python",
    "Declared": "warmstart.api",
    "Interrupted": "warmstart.api",
    "Run": "warmstart.api",
    "Callback": "warmstart.api.callbacks",
    "Actor": "warmstart.link.actor",
    "Learner": "warmstart.agent",
    "NumpyPolicy": "warmstart.policy.actor",
    "actor": "warmstart.runs.find_policy",
    "check": "warmstart.api",
    "declare": "warmstart.api",
    "evaluate": "warmstart.api",
    "export": "warmstart.api",
    "finetune": "warmstart.api",
    "from_hub": "warmstart.policy.hub",
    "load_policy": "warmstart.policy.actor",
    "pretrain": "warmstart.api",
    "push_to_hub": "warmstart.policy.hub",
    "report": "warmstart.api",
    "resume": "warmstart.api",
    "run": "warmstart.api",
    "serve": "warmstart.policy.server",
    "Recorder": "warmstart.data.recorder",
    "WarmstartError": "warmstart.errors",
    "METHODS": "warmstart.methods",
    "Recipe": "warmstart.recipe",
    "TASKS": "warmstart.tasks",
    "Task": "warmstart.tasks",
    "compare": "warmstart.studies.compare",
    "custom_task": "warmstart.tasks",
    "Spec": "warmstart.types",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'warmstart' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
