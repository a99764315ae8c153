"""A task around the user's own environment and data."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from warmstart.errors import TaskError, did_you_mean
from warmstart.tasks.reward import RewardTransform
from warmstart.tasks.task import DataSource, Task


def custom_task(
    env_id: str,
    env_kwargs: Mapping[str, Any] | None = None,
    data_path: str | None = None,
    *,
    name: str | None = None,
    reward_scale: float | None = None,
    reward_bias: float = 0.0,
    discount: float = 0.99,
    horizon: int = 0,
    return_rule: str = "finite",
    success: bool = False,
    success_when: str = "",
    reference: tuple[float, float] | None = None,
    preset: str = "locomotion",
    at_once: int = 20,
    physical: bool = False,
    **unknown: Any,
) -> Task:
    """A task of the user's own: an installed Gymnasium environment and a dataset file.

    Args:
        env_id: id in the installed Gymnasium registry, looked up when the environment is made; of
            one's own as `my_env.py:MyArm-v0` or `my_package:MyArm-v0`, which is code and is run.
        env_kwargs: plain keyword arguments of the environment.
        data_path: dataset file, folder or Minari id; None: online learning only.
        name: default: the id in lower case.
        reward_scale: learner's reward = scale * raw + bias. None: 1, and where the method does not
            bear the data's rewards as they are, a run takes a scale from them.
        reward_bias: the bias of that.
        discount: per step.
        horizon: time limit in steps; 0: the limit that the environment declares.
        return_rule: see `Task`, as of all that follow.
        success: score by success rate.
        success_when: a task with such a rule is scored by success rate.
        reference: raw returns (low, high) that mean 0 and 100.
        preset: whose numbers a method takes if nobody says.
        at_once: simulators that are open side by side, for a seed.
        physical: there is only one of it.

    Raises:
        TaskError: an id or keyword arguments that are none; `unknown` ones.
    """
    for word in unknown:
        known = inspect.signature(custom_task).parameters.keys() - {"unknown"}
        hint = "Data are named by data_path." if word == "data" else did_you_mean(word, known)
        raise TaskError(f"custom_task takes no argument '{word}'. {hint}")
    if not isinstance(env_id, str):
        raise TaskError(
            f"an environment is named by its id, not {env_id!r}; give custom_task('Hopper-v5'), or "
            "my_env.py:MyArm-v0 for one of your own"
        )
    if not isinstance(env_kwargs, Mapping | None):
        raise TaskError(
            f"keyword arguments of an environment are a dict, not {env_kwargs!r}; give "
            "env_kwargs={'name': value}"
        )
    return Task(
        name=name or env_id.rpartition(":")[2].lower(),
        domain="custom",
        description=f"Your own environment {env_id}.",
        preset=preset,
        horizon=horizon,
        env_id=env_id,
        env_kwargs=dict(env_kwargs or {}),
        data=DataSource(path=data_path) if data_path else None,
        discount=discount,
        reward=RewardTransform(1.0 if reward_scale is None else reward_scale, reward_bias),
        scale_from_data=reward_scale is None,
        return_rule=return_rule,
        success=success or bool(success_when),
        success_when=success_when,
        reference=reference,
        at_once=at_once,
        physical=physical,
    )
