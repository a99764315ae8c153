"""The commands about logged data: make, info, check, convert."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from warmstart.commands.arguments import source_of
from warmstart.commands.convert import convert
from warmstart.commands.data_check import check_data
from warmstart.commands.exits import STOPPED
from warmstart.commands.options import DataCheck, DataConvert, DataInfo, DataMake
from warmstart.data import load_source, statistics
from warmstart.data.makers import TRAINING, compare_versions, make
from warmstart.data.manifest import read_manifest
from warmstart.errors import TaskError
from warmstart.tasks import Task, get_task
from warmstart.types import Dataset


def data(given: DataMake | DataInfo | DataCheck | DataConvert) -> int:
    """Do it, and print what came out. Raises WarmstartError."""
    if isinstance(given, DataMake):
        return make_data(given)
    if isinstance(given, DataConvert):
        return convert(given)
    return info(given) if isinstance(given, DataInfo) else check_data(given)


def make_data(given: DataMake) -> int:
    """Make the task's data unless they are there, and say where they are."""
    task, console = get_task(given.task), Console()
    if task.data is not None and task.data.maker == TRAINING:
        return _train(given, task, console)
    rows = None if given.size is None else round(given.size)
    with Progress(console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task(task.name, total=None)
        folder = make(
            task,
            seed=given.seed,
            size=given.episodes,
            rows=rows,
            progress=lambda done, total: bars.update(bar, completed=done, total=total),
        )
    for sentence in compare_versions(folder):
        print(sentence, file=sys.stderr)
    return _tell(folder, console)


def _train(given: DataMake, task: Task, console: Console) -> int:
    """Data that are a learner's own buffer: train it again."""
    from warmstart.api import Interrupted
    from warmstart.api.train_behaviour import make_replay
    from warmstart.api.watch import Watcher

    if given.episodes is not None or given.size is not None or given.seed:
        raise TaskError(
            f"'{task.name}' is one training's buffer: its size and seed are those of the shipped "
            "policy. Leave --size, --episodes and --seed out."
        )
    try:
        with Watcher(console) as watcher:
            return _tell(make_replay(task, observe=watcher), console)
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        return STOPPED


def _tell(folder: Path, console: Console) -> int:
    """What was made, and where it is."""
    found = read_manifest(folder)["statistics"]
    words = [f"{found['rows']:,} rows in {found['episodes']:,} episodes"]
    if "return" in found:
        words.append("mean return {mean:,.4g}".format(**found["return"]))
    if found.get("success_rate"):
        words.append(f"successes {found['success_rate']:.0%}")
    if found.get("diversity") is not None:
        words.append(f"diversity {found['diversity']:.3f}")
    console.print(", ".join(words), highlight=False)
    console.print(str(folder), soft_wrap=True, highlight=False, markup=False)
    return 0


def facts(dataset: Dataset) -> dict[str, Any]:
    """What `data info --json` prints; see docs/schema.md."""
    known = dataset.info
    return {
        "source": str(known.get("source", "")),
        "env_id": known.get("env_id"),
        "env_kwargs": dict(known.get("env_kwargs") or {}),
        "parts": known.get("parts"),
        "columns": dict(known.get("columns") or {}),
        "success_partly": known.get("success_partly"),
        "obs_dim": dataset.obs.shape[1],
        "action_dim": dataset.actions.shape[1],
        "terminated": int(np.sum(dataset.terminated)),
        "truncated": int(np.sum(dataset.ends & ~dataset.terminated)),
        "reward": {
            "mean": float(np.mean(dataset.rewards, dtype=np.float64)) if len(dataset) else None,
            "min": float(np.min(dataset.rewards)) if len(dataset) else None,
            "max": float(np.max(dataset.rewards)) if len(dataset) else None,
        },
        **statistics(dataset),
    }


def info(given: DataInfo) -> int:
    """Sizes and statistics of a dataset."""
    found = facts(load_source(source_of(given.data, given)))
    if given.json:
        print(json.dumps(_finite(found)))
        return 0
    shown = Table.grid(padding=(0, 2))
    made_of = {f"{role} from": ", ".join(names) for role, names in found.pop("columns").items()}
    for name, value in {**found, **made_of}.items():
        if value is None or (isinstance(value, dict) and value.get("mean", 0) is None):
            continue
        if isinstance(value, dict) and "mean" in value:
            value = "mean {mean:.4g}, from {min:.4g} to {max:.4g}".format(**value)
        elif name == "success_partly":
            name, value = "success known", "of {told:,} of {episodes:,} episodes".format(**value)
        shown.add_row(name.replace("_", " "), f"{value:,}" if type(value) is int else str(value))
    Console().print(shown, highlight=False, markup=False)
    return 0


def _finite(value: Any) -> Any:
    """The same with null for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value
