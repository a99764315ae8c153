"""What a run measured of a stored policy, with how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy  # its parts are imported where they are first used

from warmstart.engine import Position
from warmstart.reports.statistics import bootstrap_interval
from warmstart.runs.folder import read_run
from warmstart.runs.records import read

FEWEST = 3
"""Seeds of which an interval says something."""


def measured(folder: Path, card: Mapping[str, Any]) -> dict[str, Any] | None:
    """The evaluation at the checkpoint of a card; None where there was none.

    `value`, `interval` (95 %, over episodes), `by` (how), `episodes`, `tag`, `success`,
    `return_mean`, `return_std`, and `seeds`: `values` by seed, `mean` and `interval` of the run's
    seeds at that moment, or None with fewer than three of them.
    """
    if not (folder / "run.json").exists():
        return None
    at = Position(**card["step"]).event("eval")
    moment = {name: getattr(at, name) for name in ("phase", "stage", "updates", "env_steps")}
    here = [
        record
        for record in read(folder)
        if record["kind"] == "eval"
        and record.get("tag") != "frozen"
        and all(record[name] == number for name, number in moment.items())
        and record["values"].get("score") is not None
        and record["values"].get("returns")
    ]
    best: dict[int, Any] = {}
    for record in here:  # of two evaluations of a moment the longer one
        known = best.get(record["seed"])
        if known is None or record["values"]["episodes"] > known["values"]["episodes"]:
            best[record["seed"]] = record
    found = best.get(card["seed"])
    if found is None:
        return None
    values = found["values"]
    return {
        "value": values["score"],
        **_over_episodes(values, read_run(folder)["task_facts"]),
        "tag": found["tag"],
        **{name: values[name] for name in ("success", "return_mean", "return_std")},
        "seeds": _over_seeds({seed: r["values"]["score"] for seed, r in best.items()}),
    }


def _over_episodes(values: Mapping[str, Any], task: Mapping[str, Any]) -> dict[str, Any]:
    count = len(values["returns"])
    if task["success"]:
        told = scipy.stats.binomtest(round(values["success"] * count), count).proportion_ci(
            method="wilson"
        )
        return _interval(100 * told.low, 100 * told.high, "Wilson", count)
    low, high = bootstrap_interval(np.array(values["returns"]), np.mean)
    if task["reference"] is not None:
        zero, hundred = task["reference"]
        low, high = (100 * (end - zero) / (hundred - zero) for end in (low, high))
    return _interval(low, high, "bootstrap over episodes", count)


def _interval(low: float, high: float, by: str, count: int) -> dict[str, Any]:
    return {"interval": [float(low), float(high)], "by": by, "episodes": count}


def _over_seeds(scores: Mapping[int, float]) -> dict[str, Any] | None:
    if len(scores) < FEWEST:
        return None
    held: Sequence[float] = list(scores.values())
    interval = bootstrap_interval(np.array(held), np.mean)
    by_seed = {str(seed): score for seed, score in sorted(scores.items())}
    return {"values": by_seed, "mean": float(np.mean(held)), "interval": list(interval)}
