"""Tasks by name: data, rewards, scores.

The simulators that are JAX programs stand in `jax_envs`: who lists tasks does not wait for JAX.
"""

from warmstart.tasks.catalogue import DEFAULT_TASK as DEFAULT_TASK
from warmstart.tasks.catalogue import PACKAGES as PACKAGES
from warmstart.tasks.catalogue import TASKS as TASKS
from warmstart.tasks.catalogue import Package as Package
from warmstart.tasks.catalogue import custom_task as custom_task
from warmstart.tasks.catalogue import get_task as get_task
from warmstart.tasks.catalogue import package_of as package_of
from warmstart.tasks.floors import Floor as Floor
from warmstart.tasks.floors import floor_of as floor_of
from warmstart.tasks.maps import GOAL_RADIUS as GOAL_RADIUS
from warmstart.tasks.maps import MAZES as MAZES
from warmstart.tasks.maps import Maze as Maze
from warmstart.tasks.maps import get_maze as get_maze
from warmstart.tasks.relabel import RewardKind as RewardKind
from warmstart.tasks.relabel import keep as keep
from warmstart.tasks.relabel import relabel as relabel
from warmstart.tasks.returns import RETURN_RULES as RETURN_RULES
from warmstart.tasks.returns import returns_to_go as returns_to_go
from warmstart.tasks.returns import rule_for as rule_for
from warmstart.tasks.reward import RewardTransform as RewardTransform
from warmstart.tasks.score import D4RL_REFERENCES as D4RL_REFERENCES
from warmstart.tasks.score import d4rl_reference as d4rl_reference
from warmstart.tasks.score import normalised_score as normalised_score
from warmstart.tasks.task import DataSource as DataSource
from warmstart.tasks.task import Task as Task
