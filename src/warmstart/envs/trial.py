"""An environment is tried out before a run begins."""

from __future__ import annotations

import numpy as np

from warmstart.engine.episodes import require_finite
from warmstart.envs.make import GymEnv
from warmstart.tasks import Task
from warmstart.types import HostEnv


def try_out(env: HostEnv, task: Task) -> None:
    """Reset and step once: what fails in somebody's own code shall fail before hours of learning.

    Raises:
        TaskError: it fails, or answers what nobody can learn from. Of a task that is scored by
            success an episode is played until the environment has said what that is.
    """
    name, at = f"environment {task.env_id}", ("trial episode", 0)
    require_finite(name, 0, at, env.reset(0))
    out = env.step(np.zeros(env.spec.action_dim, np.float32))
    require_finite(name, 0, at, out.obs, out.reward, 0, float(task.reward(out.reward)))
    steps = 1
    while (
        task.success
        and isinstance(env, GymEnv)
        and not env.knows_success
        and not (out.terminated or out.truncated or steps == env.spec.horizon)
    ):
        out, steps = env.step(np.zeros(env.spec.action_dim, np.float32)), steps + 1
