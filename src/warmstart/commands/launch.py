"""The commands that learn: run, pretrain, finetune, resume."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from warmstart import api
from warmstart.api.behind import of_pretraining
from warmstart.api.declare import Declared
from warmstart.api.watch import Watcher, closing
from warmstart.commands.arguments import declared, task_of
from warmstart.commands.exits import STOPPED
from warmstart.commands.options import Finetune, Pretrain, Resume, Run


def launch(given: Run | Pretrain | Finetune | Resume) -> int:
    """Run to the end, showing how it goes; the exit code. Raises WarmstartError."""
    try:
        return watched(given)
    except api.Interrupted as stop:
        print(stop, file=sys.stderr)
        return STOPPED


def watched(given: Run | Pretrain | Finetune | Resume) -> int:
    """The same, where being stopped is an exception."""
    console = Console()
    with Watcher(console) as watcher:
        if isinstance(given, Resume):
            allowed = given.allow_code
            done = api.resume(
                given.run,
                steps=given.steps,
                allow_code=allowed,
                observe=watcher,
                log=given.log,
            )
        else:
            where: dict[str, Any] = {"root": given.root, "name": given.name}
            where |= {"observe": watcher, "log": given.log}
            if isinstance(given, Finetune):
                where["allow_code"] = given.allow_code
                done = api.finetune(given.method, given.source, **where, **declared(given))
            else:
                begin = api.run if isinstance(given, Run) else api.pretrain
                done = begin(given.method, task_of(given), **where, **declared(given))
    closing(done, console)
    if isinstance(given, Pretrain):
        watcher.say(f"go on with: {online_of(done.declared, done.folder)}")
    return 0


def online_of(pretraining: Declared, folder: Path | str) -> str:
    """The command that goes on online, with the changes that are not of pre-training alone: the
    online learner's networks have to be those that were trained."""
    words = ["warmstart", "finetune", pretraining.method, "--from", str(folder)]
    for path, value in pretraining.changes:
        if not of_pretraining(pretraining, path):
            words += ["--set", f"{path}={value}"]
    return shlex.join(words)
