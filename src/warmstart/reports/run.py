"""One run as the report sees it: its facts, its metric lines, its summary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from warmstart.errors import TaskError
from warmstart.files.durable import Damaged, read_json
from warmstart.runs.facts import odd_fact
from warmstart.runs.records import Record, read
from warmstart.runs.summary import SeedSummary, overall, summarise, warnings
from warmstart.tasks import Floor, Task, floor_of


@dataclass(frozen=True)
class LoadedRun:
    """A run folder, read. `facts` is `run.json`, {} where there is none (yet)."""

    folder: Path
    facts: dict[str, Any]
    records: list[Record]
    label: str

    @property
    def method(self) -> str:
        return str(self.facts.get("method") or self.folder.resolve().name)

    @property
    def task(self) -> str:
        return str(self.facts.get("task") or "")

    @property
    def warmup(self) -> int:
        return int(self.facts.get("warmup_steps") or 0)

    @property
    def physical(self) -> bool:
        """Whether its environment is one robot."""
        return bool((self.facts.get("task_facts") or {}).get("physical"))

    @cached_property
    def floor(self) -> Floor | None:
        """What a policy that has learnt nothing scores on its task, where that was measured."""
        return known_floor(self.facts)

    @cached_property
    def seeds(self) -> list[int]:
        """Every seed that the run has, or that its lines name."""
        named = {r["seed"] for r in self.records if r["seed"] is not None}
        return sorted(named | set(self.facts.get("seeds") or ()))

    @cached_property
    def summaries(self) -> list[SeedSummary]:
        return summarise(self.records)

    @cached_property
    def overall(self) -> dict[str, Any]:
        return overall(self.summaries)

    @cached_property
    def offline_updates(self) -> int:
        """Gradient steps of pre-training so far."""
        return max((r["updates"] for r in self.records if r["phase"] == "pretrain"), default=0)

    @cached_property
    def online_steps(self) -> int:
        """Environment steps of the online phase so far, of one seed."""
        return max((r["env_steps"] for r in self.records if r["phase"] == "online"), default=0)

    @cached_property
    def warnings(self) -> list[str]:
        """What the run said of itself, in its own words, each once."""
        return warnings(self.records)

    @property
    def status(self) -> str:
        """How far the run is, in words."""
        finished = self.overall["finished"]
        if finished and finished == len(self.seeds):
            return "finished"
        if finished:
            return f"{finished} of {len(self.seeds)} seeds finished"
        if any(r["phase"] == "online" for r in self.records):
            return f"online, {self.online_steps:,} environment steps so far"
        if self.records:
            return f"pre-training, {self.offline_updates:,} gradient steps so far"
        return "nothing measured yet"


def known_floor(facts: Mapping[str, Any]) -> Floor | None:
    """The floor of the task that `run.json` tells of; None where it was not measured."""
    try:
        return floor_of(Task.from_json(json.dumps(facts["task_facts"])))
    except (KeyError, TaskError):  # of another version
        return None


def load_runs(folders: Sequence[Path]) -> list[LoadedRun]:
    """Read run folders and give each a label of its own.

    Raises:
        RunError: a folder does not exist, or its files are damaged.
    """
    runs = []
    for folder in map(Path, folders):
        records = read(folder)
        path = folder / "run.json"
        facts = read_json(path) if path.exists() else {}
        if odd := odd_fact(facts) if isinstance(facts, dict) else "it holds no record":
            raise Damaged(f"'{path}' is damaged ({odd}). Restore it from a backup.")
        run = LoadedRun(folder, facts, records, "")
        runs.append(replace(run, label=run.method))
    if len({run.task for run in runs}) > 1:
        runs = [replace(run, label=f"{run.label}, {run.task}") for run in runs]
    count = Counter(run.label for run in runs)
    return [
        replace(run, label=f"{run.label} ({run.folder.resolve().name})")
        if count[run.label] > 1
        else run
        for run in runs
    ]
