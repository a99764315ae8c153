"""The learner's side of a link to a robot: learner."""

from __future__ import annotations

import dataclasses
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from warmstart.agent import Agent
from warmstart.agent.learner import Learner
from warmstart.api.driver import Interrupted
from warmstart.api.own import short_name
from warmstart.commands.act import bytes_of, token_of
from warmstart.commands.arguments import declared, task_of
from warmstart.commands.declaring import Declaring
from warmstart.commands.exits import STOPPED
from warmstart.commands.link_options import Learner as Options
from warmstart.commands.pairs import pairs
from warmstart.errors import DivergedError, RunError, typed
from warmstart.files.interrupts import Interrupts
from warmstart.runs.folder import read_run

AGAIN = ("preset", "set", "steps", "intervened_share", "root", "name", "method", "allow_code")
"""What may be said of a learner that goes on from a pre-training."""


def learn(given: Options) -> int:
    """Pre-train, hand over, listen until Ctrl-C. Raises WarmstartError."""
    token, limit = token_of(given.token), bytes_of(given.most_mb)
    if given.publish_every < 1:
        raise RunError(f"--publish-every {given.publish_every} cannot be used; give 1 or more")
    if given.keyfile is not None and given.certfile is None:
        raise RunError("--keyfile is the key of a certificate; give --certfile too")
    agent, folder = _agent(given)
    with agent:
        return _listens(agent, folder, given, token, limit)


def _listens(agent: Agent, folder: Path, given: Options, token: str, limit: int) -> int:
    """The learning."""
    again = typed("learner", folder)
    try:
        agent.pretrain()
    except Interrupted:
        print(f"stopped in its pre-training, and saved; go on with: {again}", file=sys.stderr)
        return STOPPED
    print(agent.hand_over(), flush=True)
    with Learner(
        agent,
        given.listen,
        token=token,
        certfile=given.certfile,
        keyfile=given.keyfile,
        publish_every=given.publish_every,
        limit=limit,
    ) as learner:
        print(
            f"listening on {learner.address} until Ctrl-C; after a stop go on with: {again}",
            flush=True,
        )
        try:
            told = _run(learner)
        except DivergedError as error:
            raise _from_here(error, folder, learner.report()["safe"]) from error
    print(f"steps    {told['steps']:,} learnt from\nupdates  {told['updates']:,}")
    return STOPPED


def _from_here(error: DivergedError, folder: Path, safe: int) -> DivergedError:
    """The error in the words of a command line, and how to go on from what is on disk."""
    rate = error.change.partition("=")[0].endswith(".lr")
    again = typed("learner", folder, *(["--set", error.change] if rate else []))
    text = error.happened + (f". {error.tries}" if error.tries else "")
    return DivergedError(
        f"{text}. The last good checkpoint, of step {safe:,} of the robot, is kept, and the actor "
        f"sends the steps since then again; go on: {again}",
        error.number,
    )


def _run(learner: Learner) -> dict[str, Any]:
    """Learn until Ctrl-C, which is heard between two lessons."""
    with Interrupts() as stop:
        while stop.requested is None:
            learner.run(seconds=0.2)
        return learner.report()


def _agent(given: Options) -> tuple[Agent, Path]:
    """A new agent, one from a pre-training, or the one that a folder has."""
    path = Path(given.method).expanduser()
    if (path / "run.json").is_file():
        if read_run(path).get("driven"):
            _leave_out(given, ("method", "allow_code", "set"), "the learner began")
            changes = dict(pairs(given.set, "--set"))
            opened = Agent.open(path, allow_code=given.allow_code, goes_on=True, changes=changes)
            return opened, path
        _leave_out(given, AGAIN, "it was pre-trained")
        folder = _folder(given, path.name)
        made = Agent.finetune(
            path,
            folder=folder,
            steps=given.steps,
            preset=given.preset,
            changes=dict(pairs(given.set, "--set")),
            intervened_share=given.intervened_share,
            allow_code=given.allow_code,
        )
        if read_run(path)["until"] == "done":
            print(
                f"begins on the pre-training of '{path}'; what that run learnt online afterwards "
                "is not taken over",
                flush=True,
            )
        return made, folder
    words, task = declared(given), task_of(given)
    (seed,) = words.pop("seeds")
    folder = _folder(given, f"{short_name(given.method)}-{task.name}")
    share = given.intervened_share
    return Agent(
        given.method, task, seed=seed, folder=folder, intervened_share=share, **words
    ), folder


def _folder(given: Options, stem: str) -> Path:
    now = datetime.now().astimezone()
    return given.root / (given.name or f"{stem}-learner-{now:%Y%m%d-%H%M%S}")


def _leave_out(given: Options, but: tuple[str, ...], when: str) -> None:
    """Refuse what a folder says itself. Raises RunError."""
    own = {field.name for field in dataclasses.fields(Declaring)} | {
        "seed", "steps", "intervened_share", "root", "name",
    }  # fmt: skip
    for field in dataclasses.fields(Options):
        if field.name in own - {*but} and getattr(given, field.name) != field.default:
            option = "TASK" if field.name == "task" else "--" + field.name.replace("_", "-")
            raise RunError(f"{option} was settled when {when}; leave it out")
