"""Does a unit of work: `python -m warmstart.studies.worker UNIT.json [CORE,CORE...]`.

Every run is a process of its own. What has a result is not done again, what was begun is resumed,
and a run that fails costs the arms that need it and no other.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from warmstart.errors import RunError, WarmstartError
from warmstart.files.durable import make_folder, write_json_atomic
from warmstart.files.machine import instruction_set
from warmstart.runs.folder import RunLock, is_finished
from warmstart.studies.child import STOPPED, end_with
from warmstart.studies.fingerprint import file_digest, numerics
from warmstart.studies.harvest import harvest
from warmstart.studies.result import Result
from warmstart.studies.store import Store, plain
from warmstart.studies.work import Step, Work

OUTCOME = "outcome.json"
PROGRESS = "progress.json"
HELD_TRIES, HELD_SECONDS = 12, 5.0
"""A run that a dying process still holds is tried again for a minute."""

Run = Callable[[list[str], Path], int]
"""Runs a command with its output to a file, and gives its exit code."""


class Stopped(Exception):
    """The unit was asked to stop; what was running has saved itself."""


def run_unit(work: Work, run: Run | None = None) -> dict[str, Any]:
    """Do what a unit lacks.

    Returns `done` (results as JSON, of this call), `failed` (arm -> one sentence).

    Raises:
        RunError: other numerics than planned, or another process does this unit.
        Stopped: it was asked to.
    """
    if numerics() != work.numerics:
        raise RunError(
            f"the unit was planned with numerics {work.numerics}, and this machine has "
            f"{numerics()}; install the same versions everywhere"
        )
    folder, store = work.folder, Store(work.results)
    make_folder(folder, "run the study again")
    with RunLock(folder), Processes() as processes:
        runner = run or processes.run
        found, _ = store.read(work.study)
        mine = [r for r in found if r.task == json.loads(work.task)["name"]]
        done: list[dict[str, Any]] = []
        failed: dict[str, str] = {}
        lacks = work.lacks(mine)
        names = {s.arm: s for s in work.steps}
        isa = instruction_set()
        has_frozen = {
            r.pretraining
            for r in mine
            if r.frozen
            and (r.seed, r.protocol, r.numerics, r.isa)
            == (work.seed, work.protocol, work.numerics, isa)
        }
        for number, step in enumerate(lacks):
            _tell(folder, {"arm": step.arm, "done": number, "of": len(lacks), "failed": failed})
            source = names[step.source] if step.source is not None else None
            if source is not None and source.arm in failed:
                failed[step.arm] = f"its pre-training {source.arm} failed"
                continue
            schedule = dict(work.schedule)
            schedule["frozen"] = step.source is not None and step.source not in has_frozen
            try:
                result = _one(work, step, source, schedule, runner)
                if not any(_same(result, r) for r in mine):
                    store.add(result)
                    done.append(result.to_json())
            except WarmstartError as error:
                failed[step.arm] = " ".join(str(error).split())
                continue
            if result.frozen:
                has_frozen.add(result.pretraining)
        _tell(folder, {"arm": None, "done": len(lacks), "of": len(lacks), "failed": failed})
    return {"done": done, "failed": failed}


def _tell(folder: Path, values: dict[str, Any]) -> None:
    """How far the unit is; a full disk is told by the run that it stops."""
    with contextlib.suppress(RunError):
        write_json_atomic(folder / OUTCOME, values)


def _same(new: Result, old: Result) -> bool:
    """Whether a pre-training that was run again, because an arm needs it, says nothing new."""
    names = ("arm", "seed", "declared", "protocol", "numerics", "isa", "pretrained")
    return all(getattr(new, name) == getattr(old, name) for name in names)


def _one(work: Work, step: Step, source: Step | None, schedule: dict[str, Any], run: Run) -> Result:
    """Run a step to its end and read it."""
    folder = work.folder / step.folder
    start = None if source is None else work.folder / source.folder
    if not is_finished(folder):
        spec = work.folder / f"{plain(step.arm)}.spec.json"
        write_json_atomic(
            spec,
            {
                "folder": str(folder), "device": str(work.folder / step.device),
                "progress": str(work.folder / PROGRESS),
                "method": _here(work, step), "code": step.code,
                "task_code": dict(work.code), "preset": step.preset,
                "changes": dict(step.changes), "schedule": schedule, "task": work.task,
                "seed": work.seed, "holdout": work.holdout, "online": work.online,
                "updates": step.updates, "pretrains": step.pretrains,
                "policy": step.policy, "policy_sha256": step.policy_sha256,
                "source": None if start is None else str(start),
            },
        )  # fmt: skip
        _to_the_end(step, spec, work.folder / f"{plain(step.arm)}.log", run)
    return harvest(work, step, folder, start)


def _to_the_end(step: Step, spec: Path, log: Path, run: Run) -> None:
    command = [sys.executable, "-P", "-m", "warmstart.studies.child", str(spec)]
    tries = HELD_TRIES
    while True:
        code, tries = run(command, log), tries - 1
        if code == STOPPED:
            raise Stopped
        if code == 0:
            return
        last = _last_line(log)
        if "is being written by" not in last or not tries:
            break
        time.sleep(HELD_SECONDS)
    if code < 0:
        last = f"its process was killed by {signal.Signals(-code).name}; run the study again"
    raise RunError(f"{step.arm}: {last or f'exit code {code}'} (log: {log})")


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].strip() if lines else ""


def _here(work: Work, step: Step) -> str:
    """The step's method; a file of the user's own that this machine lacks is put beside the runs.

    The text came with the unit, and its hash with the step.
    """
    if step.code is None:
        return step.method
    file, _, function = step.method.rpartition(":")
    if Path(file).is_file() and file_digest(Path(file)) == step.code:
        return step.method
    copy = work.folder / "methods" / step.code / Path(file).name
    make_folder(copy.parent, "run the study again")
    copy.write_text(work.files[file])
    if file_digest(copy) != step.code:
        raise RunError(f"the text of '{file}' did not arrive whole; run the study again")
    return f"{copy}:{function}"


class Processes:
    """Runs children one after the other; passes on the wish to stop."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Processes:
        with contextlib.suppress(ValueError):  # not the main thread: there nobody sends signals
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, frame: Any) -> None:
        del number, frame
        self.asked: bool = True
        if self.child is not None:
            self.child.send_signal(signal.SIGINT)

    def run(self, command: list[str], log: Path) -> int:
        """The exit code; `STOPPED` also where it was asked to stop before it began."""
        if self.asked:
            return STOPPED
        with log.open("wb") as out:
            self.child = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
            code = self.child.wait()
        self.child = None
        return STOPPED if self.asked else code


def main(argv: list[str]) -> int:
    """Do the unit in a file; 0 where nothing failed, 1 where an arm did, 130 where stopped."""
    if len(argv) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core) for core in argv[1].split(",")})
    end_with(os.getppid())
    try:
        outcome = run_unit(Work.from_json(Path(argv[0]).read_text()))
    except Stopped:
        return STOPPED
    except WarmstartError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    return 1 if outcome["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
