"""`data convert`: any layout to our own folder or to Minari."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from rich.console import Console

from warmstart.commands.arguments import environment_of, source_of
from warmstart.commands.options import DataConvert
from warmstart.commands.pairs import env_kwargs
from warmstart.data import content_hash, export_minari, load_source, save_folder
from warmstart.envs.make import make_env
from warmstart.errors import DataError, RecipeError
from warmstart.tasks import DataSource, custom_task
from warmstart.types import Dataset


def convert(given: DataConvert) -> int:
    """Read, write, and say where it lies now. Raises WarmstartError."""
    if (given.out is None) == (given.minari is None):
        raise DataError("say where it goes, with either --out FOLDER or --minari ID")
    if given.env_arg and given.env is None:
        raise RecipeError("--env-arg describes an environment; give --env too, or leave it out")
    source, bounds = source_of(given.data, given), None
    if given.env is None:
        dataset = load_source(source)
        if source.action_box is not None:
            low, high = np.asarray(source.action_box, np.float32).T
            width = dataset.actions.shape[1]
            bounds = np.broadcast_to(low, width), np.broadcast_to(high, width)
    else:
        kwargs = env_kwargs(given.env_arg)
        named = environment_of(given.env, kwargs)
        env = make_env(custom_task(named, kwargs))()
        try:
            dataset, bounds = load_source(source, env), getattr(env, "action_box", None)
        finally:
            env.close()
        told = {**dataset.info, "env_id": named, "env_kwargs": kwargs}
        dataset = dataclasses.replace(dataset, info=told)
    if given.minari is not None:
        place = export_minari(dataset, given.minari, bounds=bounds)
    else:
        place = _folder(dataset, source, given.out or Path())
    Console().print(str(place), soft_wrap=True, highlight=False, markup=False)
    return 0


def _folder(dataset: Dataset, source: DataSource, out: Path) -> Path:
    recipe = {
        "converted": dataclasses.asdict(source),
        "env_id": dataset.info.get("env_id"),
        "env_kwargs": dict(dataset.info.get("env_kwargs") or {}),
        "rows": content_hash(dataset),
    }
    return save_folder(dataset, out, recipe)
