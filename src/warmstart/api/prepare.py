"""What a declared run learns from: its environment, its dataset as rows, its numbers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from warmstart.api.base import base_of, stands_on_base
from warmstart.api.declare import Declared
from warmstart.api.idle import require_chunks
from warmstart.api.images import require_memory, require_sight
from warmstart.api.python_values import data_of
from warmstart.data.checks import require_clean
from warmstart.data.images import with_cameras
from warmstart.engine import Problem
from warmstart.engine.training_rows import held_out_words, mean_score, prepare, set_apart
from warmstart.envs.interface import plain_interface
from warmstart.envs.jax_envs import jax_env_of
from warmstart.envs.make import make_env
from warmstart.envs.trial import try_out
from warmstart.errors import DataError, TaskError
from warmstart.policy.base import BasePolicy, Beside, beside, beside_rows
from warmstart.tasks import rule_for
from warmstart.types import Dataset, HostEnv, MakeEnv, Spec

LOG = logging.getLogger("warmstart")
MAKING_SECONDS = 5.0
"""Between two words on data that are being made."""


def problem_of(
    declared: Declared,
    examine: bool = True,
    data: bool = True,
    dataset: Dataset | None = None,
    trial: bool = True,
) -> Problem:
    """The task's environment, and its dataset as rows (where the recipe reads one).

    The data are examined in short: warnings go to the log, an error that is not ignored by name
    is raised. `examine` False leaves that out, for looking at a run that is there already, and
    `data` False the data, for acting alone. `dataset` is the task's where it is open already.
    `trial` False: the environment is looked at and neither reset nor stepped.

    Raises RunError for chunks of actions that are longer than every episode.
    """
    task, recipe = declared.task, declared.recipe
    native = None if declared.policy else jax_env_of(task, declared.env)
    make = make_env(task, given=declared.env)
    env = make()
    rows = held_out = own = frames = base = None
    interface = getattr(env, "interface", None) or plain_interface(env.spec)
    discount = recipe.finetune.learner.discount
    failure = float(task.reward(0.0))
    try:
        if not env.spec.horizon:
            raise TaskError(
                f"environment {task.env_id} declares no time limit, so that an episode might never "
                "end; give one in steps, with --horizon N (in Python horizon=N)"
            )
        require_memory(recipe, env.spec, len(declared.seeds))
        # A robot does not move before its run begins.
        if trial and native is None and not task.physical:
            try_out(env, task)
        if data and (recipe.needs_dataset or task.data is not None):
            if task.data is None:
                raise TaskError(
                    f"{declared.method} learns from logged data, and task '{task.name}' has none; "
                    "pass --data with a file, a folder or a Minari id (in Python data=, arrays too)"
                )
            if dataset is None:
                tell = _making(task.name)
                dataset = data_of(task, declared.arrays, declared.data_seed, tell, env)
            if examine:
                for finding in require_clean(dataset, env, task, declared.ignore, recipe):
                    LOG.warning("data %s", finding)
            dataset = with_cameras(dataset, env.spec.cameras)
            own, frames = mean_score(dataset, task), dataset.frames
            base = base_of(declared, env, interface, dataset, trial)
            if base is not None and stands_on_base(recipe):
                # Rows that nobody learns from are only measured on, where they are held out.
                asked = None if recipe.needs_dataset else set_apart(dataset, declared.holdout)
                dataset = beside_rows(dataset, base, asked, declared.policy_sha256)
            prepared = prepare(dataset, task, discount, declared.holdout)
            rows, held_out, failure = prepared
            if examine and len(held_out):
                words, warn = held_out_words(prepared, dataset, declared.holdout)
                LOG.log(logging.WARNING if warn else logging.INFO, "%s", words)
            if not recipe.needs_dataset:
                rows = None
        else:
            base = base_of(declared, env, interface, None, trial)
    finally:
        env.close()
    spec, acts = env.spec, base
    if base is not None and stands_on_base(recipe):
        make, spec, acts = partial(_beside, make, base), beside(spec), partial(_last, env.spec)
    score = None if task.success else task.reference
    if score is None and not task.success:
        score = (0.0, 100.0)  # raw returns, as they are
    rule = rule_for(discount, task.return_rule)
    problem = Problem(
        spec,
        make,
        task.reward,
        rule,
        failure,
        score,
        rows,
        held_out,
        native,
        1 if task.physical else task.at_once,
        task.physical,
        interface,
        f"environment {task.env_id or task.jax_env}",
        own,
        frames,
        acts,
    )
    require_sight(recipe, problem)
    if examine:
        require_chunks(declared, problem)
    return problem


def _beside(make: MakeEnv, base: BasePolicy) -> HostEnv:
    return Beside(make(), base)


def _last(spec: Spec, obs: np.ndarray) -> np.ndarray:
    """The base's actions [N, A], which stand last in observations [N, O + A]."""
    return obs[:, -spec.action_dim :]


def require_data(declared: Declared, folder: Path) -> None:
    """Refuse (DataError) to go on with a run whose file or folder of data is gone."""
    data = declared.task.data
    path = None if data is None or data.path is None else Path(data.path)
    if path is not None and path.is_absolute() and not path.exists():
        raise DataError(
            f"the data of the run in '{folder}' are no longer at '{path}'; put them back there (a "
            "link will do) to go on learning: only `warmstart evaluate`, `warmstart report` and "
            "warmstart.actor do without them"
        )


def _making(name: str) -> Callable[[int, int], None]:
    """A progress that speaks now and then, where making the data takes long."""
    said = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said >= MAKING_SECONDS:
            said = time.monotonic()
            LOG.info("making the data of %s: %s of %s", name, f"{done:,}", f"{total:,}")

    return tell
