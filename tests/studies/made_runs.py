"""A toy study, and what stands for its processes where nothing shall learn."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from warmstart.runs.folder import create_run, finish_run
from warmstart.studies.study import Arm, Pretraining, Study
from warmstart.studies.work import Work, plan
from warmstart.studies.worker import run_unit

STUDY = Study(
    "toy",
    "A toy.",
    {"pre": Pretraining("td3_bc", steps=100)},
    {"kept": Arm("td3_bc", "pre"), "free": Arm("td3_bc", "pre"), "alone": Arm("td3")},
    ("jax-pointmass",),
    "quick",
    300,
)


def planned(folder: Path, *arms: str, **fields) -> Work:
    work = plan(STUDY, "jax-pointmass", 0, arms, runs=folder / "runs", results=folder / "results")
    return dataclasses.replace(work, **fields)


class Runs:
    """Stands for processes: makes the folder of a finished run, or fails as it is told."""

    def __init__(self, fails: dict[str, int] | None = None, last: str = "it broke") -> None:
        self.fails, self.last = dict(fails or {}), last
        self.began: list[str] = []
        self.frozen: list[str] = []

    def __call__(self, command: list[str], log: Path) -> int:
        spec = json.loads(Path(command[-1]).read_text())
        folder = Path(spec["folder"])
        arm = folder.name.rpartition("-")[0]
        self.began.append(arm)
        if spec["schedule"]["frozen"]:
            self.frozen.append(arm)
        if arm in self.fails:
            log.write_text(f"Traceback\n  more\n{self.last}\n")
            return self.fails[arm]
        create_run(folder.parent, folder.name, {"method": spec["method"], "task": "t"})
        where = {
            "kind": "eval",
            "seed": spec["seed"],
            "stage": 0,
            "updates": 100,
            "env_steps": 0,
            "wall": 1,
        }
        tag = "pretrained" if spec["pretrains"] else "switch"
        phase = "pretrain" if spec["pretrains"] else "online"
        lines = [{**where, "phase": phase, "tag": tag, "values": {"score": 50.0}}]
        if spec["schedule"]["frozen"]:
            lines.append({**lines[0], "tag": "frozen", "values": {"score": 40.0}})
        (folder / "metrics.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
        finish_run(folder, {"wall_seconds": 3.0, "peak_memory_mb": 5.0})
        return 0


class Here:
    """Does a unit at the second poll; dies so often before it."""

    def __init__(self, dies: int = 0, fails: dict[str, int] | None = None) -> None:
        self.dies, self.fails = dies, fails
        self.submitted: list[str] = []
        self.states: dict[str, str] = {}
        self.works: dict[str, Work] = {}
        self.cancelled = False

    def submit(self, work: Work) -> None:
        self.submitted.append(work.name)
        self.works[work.name], self.states[work.name] = work, "running"

    def poll(self):
        before = dict(self.states)
        for name, state in before.items():
            if state == "running" and self.dies:
                self.dies -= 1
                self.states[name] = "failed"
            elif state == "running":
                run_unit(self.works[name], Runs(self.fails))
                self.states[name] = "done"
        return before

    def why(self, name: str) -> str:
        return "its node went away"

    def cancel(self) -> None:
        self.cancelled = True
