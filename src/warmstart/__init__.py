"""Offline-to-online reinforcement learning: start good from logged data, get better online."""

from warmstart.api import Declared as Declared
from warmstart.api import Interrupted as Interrupted
from warmstart.api import Run as Run
from warmstart.api import declare as declare
from warmstart.api import evaluate as evaluate
from warmstart.api import finetune as finetune
from warmstart.api import pretrain as pretrain
from warmstart.api import report as report
from warmstart.api import resume as resume
from warmstart.api import run as run
from warmstart.errors import WarmstartError as WarmstartError
from warmstart.methods import METHODS as METHODS
from warmstart.recipe import Recipe as Recipe
from warmstart.tasks import TASKS as TASKS
from warmstart.tasks import Task as Task
from warmstart.tasks import custom_task as custom_task
