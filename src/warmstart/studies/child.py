"""One run of a unit of work, in a process of its own: `python -m ... child SPEC`.

The specification is JSON that a worker has just written: what to do, with which numbers.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

STOPPED, WRONG = 130, 2
"""The exit codes of `warmstart run`."""
WATCH_SECONDS = 1.0
PROGRESS_SECONDS = 2.0


def main(argv: list[str]) -> int:
    """Do it; the exit code is that of `warmstart run`, and what went wrong one line on stderr."""
    spec = json.loads(Path(argv[0]).read_text())
    end_with(os.getppid())
    from warmstart.api import Interrupted
    from warmstart.errors import WarmstartError

    try:
        do(spec)
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        return STOPPED
    except WarmstartError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return WRONG
    return 0


def do(spec: dict[str, Any]) -> None:
    """Begin the run, or go on with it."""
    from warmstart.api import finetune, pretrain, resume, run
    from warmstart.runs.folder import read_run
    from warmstart.tasks import Task

    method = spec["method"]
    _allow({**spec["task_code"], **_of_method(method, spec["code"])})
    _same(spec["policy"], spec["policy_sha256"])
    folder, tell = Path(spec["folder"]), Tell(Path(spec["progress"]))
    Path(spec["device"]).write_text(_device())
    if (folder / "run.json").exists():
        read_run(folder)
        resume(folder, observe=tell)
        return
    given = {
        "root": folder.parent,
        "name": folder.name,
        "observe": tell,
        "preset": spec["preset"],
        "changes": spec["changes"],
        "schedule": spec["schedule"],
    }
    if spec["source"] is not None:
        finetune(method, spec["source"], steps=spec["online"], **given)
        return
    task = Task.from_json(spec["task"])
    given |= {"seeds": (spec["seed"],), "holdout": spec["holdout"]}
    if spec["pretrains"]:
        pretrain(method, task, pretrain_steps=spec["updates"], **given)
    else:
        given["policy"] = spec["policy"]
        run(method, task, steps=spec["online"], pretrain_steps=spec["updates"], **given)


def _of_method(method: str, code: str | None) -> dict[str, str]:
    return {} if code is None else {method.rpartition(":")[0]: code}


def _allow(hashes: dict[str, str]) -> None:
    """The files and modules of the study may run here, if they are what they were when it began.

    Raises RunError where one is not.
    """
    from warmstart.errors import RunError
    from warmstart.user_code.trust import fingerprint, name_code

    for code, mark in hashes.items():
        if not (fingerprint(code) or mark).startswith(mark):
            raise RunError(
                f"'{code}' has changed since the study began, or is another one here; start the "
                "study again, whose arms of that file are then run again"
            )
    name_code(hashes)


def _same(policy: str | None, mark: str | None) -> None:
    """Refuse (RunError) a base policy that is not here, or is another one than was planned with."""
    from warmstart.api.base import digest_of, named_policy
    from warmstart.errors import RunError

    named_policy(policy)
    if digest_of(policy) != mark:
        raise RunError(
            f"the policy '{policy}' has changed since the study began, or is another one here; "
            "start the study again, whose arms of that policy are then run again"
        )


def _device() -> str:
    """The accelerator's name, or "cpu"."""
    import jax

    device = jax.devices()[0]
    return "cpu" if device.platform == "cpu" else device.device_kind


class Tell:
    """Writes how far the run is to a small file, now and then."""

    def __init__(self, path: Path) -> None:
        self.path: Path = path
        self._said = 0.0

    def __call__(self, event: Any) -> None:
        """Take an event of the run."""
        if event.kind != "progress" or time.monotonic() - self._said < PROGRESS_SECONDS:
            return
        self._said = time.monotonic()
        values = {
            "phase": event.phase,
            "done": event.values["done"],
            "total": event.values["total"],
        }
        new = self.path.with_suffix(".new")
        try:
            new.write_text(json.dumps(values))
            os.replace(new, self.path)
        except OSError:  # a full disk stops the run by itself, where it saves
            new.unlink(missing_ok=True)


def end_with(parent: int) -> None:
    """Save and stop when the parent process is gone: whoever takes over goes on from there."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
