"""Floor 8: the commands about logged data: make, info, check."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from warmstart.commands.exits import FOUND_ERRORS
from warmstart.commands.options import DataCheck, DataInfo, DataMake
from warmstart.edge.datasets import check, load, statistics
from warmstart.edge.environments import make_env
from warmstart.edge.makers import make
from warmstart.errors import TaskError
from warmstart.tasks import custom_task, get_task
from warmstart.types import Dataset


def data(given: DataMake | DataInfo | DataCheck) -> int:
    """Do it, and print what came out. Raises WarmstartError."""
    if isinstance(given, DataMake):
        return make_data(given)
    return info(given) if isinstance(given, DataInfo) else check_data(given)


def make_data(given: DataMake) -> int:
    """Make the task's data unless they are there, and say where they are."""
    task, console = get_task(given.task), Console()
    with Progress(console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task("episodes", total=None)
        folder = make(
            task,
            seed=given.seed,
            size=given.episodes,
            progress=lambda done, total: bars.update(bar, completed=done, total=total),
        )
    console.print(str(folder), soft_wrap=True, highlight=False, markup=False)
    return 0


def facts(dataset: Dataset) -> dict[str, Any]:
    """What `data info --json` prints; see docs/schema.md."""
    known = dataset.info
    return {
        "source": str(known.get("source", "")),
        "env_id": known.get("env_id"),
        "env_kwargs": dict(known.get("env_kwargs") or {}),
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
    found = facts(load(given.data))
    if given.json:
        print(json.dumps(_finite(found)))
        return 0
    shown = Table.grid(padding=(0, 2))
    for name, value in found.items():
        if isinstance(value, dict) and "mean" in value:
            value = "mean {mean:.4g}, from {min:.4g} to {max:.4g}".format(**value)
        shown.add_row(name.replace("_", " "), f"{value:,}" if type(value) is int else str(value))
    Console().print(shown, highlight=False, markup=False)
    return 0


def check_data(given: DataCheck) -> int:
    """Findings, the worst first; exit code 1 where one is an error."""
    spec = bounds = None
    if given.env is not None and given.task is not None:
        raise TaskError("both --env and --task are given; leave one of them away")
    if given.env is not None or given.task is not None:
        task = get_task(given.task) if given.task is not None else custom_task(given.env or "")
        env = make_env(task)()
        spec, bounds = env.spec, getattr(env, "action_box", None)
        env.close()
    findings = check(load(given.data, spec=spec, bounds=bounds), spec)
    errors = sum(finding.grade == "error" for finding in findings)
    if given.json:
        rows = [asdict(finding) for finding in findings]
        print(json.dumps({"data": given.data, "errors": errors, "findings": rows}))
    else:
        console = Console(highlight=False, markup=False)
        colours = {"error": "bold red", "warning": "yellow", "note": "dim"}
        for finding in findings:
            console.print(str(finding), style=colours[finding.grade], soft_wrap=True)
        console.print(f"{errors} errors" if errors else "nothing in the way of learning")
    return FOUND_ERRORS if errors else 0


def _finite(value: Any) -> Any:
    """The same with null for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value
