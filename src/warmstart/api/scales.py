"""Scales that a run on the user's own task takes from the data, where nobody gave any."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np

from warmstart.api.changes import normalised
from warmstart.api.declare import Declared
from warmstart.api.python_values import data_of
from warmstart.data.checks import Case, one_digit, scale
from warmstart.envs.make import make_env
from warmstart.types import Dataset

LOG = logging.getLogger("warmstart")


def scaled(declared: Declared) -> tuple[Declared, Dataset | None]:
    """The declaration with scales from the data, and the data where they had to be opened.

    Only on a task of the user's own whose data the method reads. Rewards: where none was given
    (`Task.scale_from_data`) and `data check` would warn of them. Observations: where no option
    names `normalise`, a column is large, and the learner can scale by the dataset's statistics. A
    fine-tuning scales as its pre-training did. What is chosen is said, and is in the command.
    """
    task, recipe = declared.task, declared.recipe
    if task.domain != "custom" or task.data is None or not recipe.needs_dataset:
        return declared, None
    if declared.source is not None:
        return declared, None
    dataset = _opened(declared)
    if not (np.isfinite(dataset.rewards).all() and np.isfinite(dataset.obs).all()):
        return declared, dataset  # which is refused, with the rows
    case = Case(dataset, None, task, recipe, short=True)
    if task.scale_from_data:
        for finding in scale.rewards(case):
            chosen = one_digit(finding.numbers["factor"])
            LOG.warning(
                "%s: they are learnt from times %g%s. --reward-scale says otherwise (1: as they "
                "are)",
                finding.what,
                chosen,
                ", --reward-bias with them" if task.reward.bias else "",
            )
            reward = dataclasses.replace(task.reward, scale=chosen, bias=chosen * task.reward.bias)
            task = dataclasses.replace(task, reward=reward, scale_from_data=False)
    changes = declared.changes
    for finding in scale.observations(case):
        before = recipe
        recipe, changes = normalised(recipe, changes, "dataset")
        if recipe != before:
            LOG.warning(
                "%s: observations are scaled by the data's mean and deviation. "
                "--set learner.normalise=none leaves them as they are",
                finding.what,
            )
    return dataclasses.replace(declared, task=task, recipe=recipe, changes=changes), dataset


def _opened(declared: Declared) -> Dataset:
    env = make_env(declared.task, given=declared.env)()
    try:
        return data_of(declared.task, declared.arrays, declared.data_seed, env=env)
    finally:
        env.close()
