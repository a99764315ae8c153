"""Whose steps lie in an actor's folder, and which learner they belong to."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from warmstart.files.durable import Damaged, sealed, unsealed, write_json_atomic
from warmstart.link.acting import WarmUp
from warmstart.link.frames import UNREADABLE, Frame, Refused, Torn

NAME, KIND, FORMAT = "actor.json", "warmstart actor", 1


@dataclass(frozen=True)
class Identity:
    """What an actor's folder remembers from its first talk with a learner on.

    Attributes:
        log: a name of its own that this log of steps has.
        run: the `id` of the learner's folder; None: no learner was heard yet.
        method: the learner's.
        horizon: steps of an episode at most.
        warmup: who takes the first steps.
        ends_at_success: whether success ends an episode, as the learner's task has it.
        learns: whether steps are learnt from there; else a served policy acts as in evaluation,
            and steps stay here.
    """

    log: str
    run: str | None = None
    method: str = ""
    horizon: int = 0
    warmup: WarmUp = WarmUp()
    ends_at_success: bool = False
    learns: bool = True

    @classmethod
    def read(cls, folder: Path) -> Identity:
        """What the folder says; a new one where it says nothing.

        Raises:
            Damaged: the record is not what was written.
            RunError: another version wrote it.
        """
        path = folder / NAME
        if not path.exists():
            return cls(uuid4().hex)
        advice = "Restore it from a backup, or go on with another folder."
        record = unsealed(path, advice, "format", (FORMAT,))
        try:
            if record.pop("kind") != KIND:
                raise ValueError("it is another file")
            record.pop("format")
            record.pop("recipe", None)  # of before: the numbers of a learner may change
            return cls(**{**record, "warmup": WarmUp(**record["warmup"])})
        except (KeyError, TypeError, ValueError) as error:
            raise Damaged(f"'{path}' is damaged ({error!r}). {advice}") from error

    def write(self, folder: Path) -> None:
        """Put it into the folder. Raises RunError."""
        record = {"kind": KIND, "format": FORMAT, **dataclasses.asdict(self)}
        write_json_atomic(folder / NAME, sealed(record), "start the actor again")

    def welcomed(self, frame: Frame) -> Identity:
        """What it becomes by a learner's welcome.

        Raises:
            Refused: the steps here belong to another learner.
            Torn: it is no welcome.
        """
        told = frame.told
        try:
            said = dataclasses.replace(
                self,
                run=str(told["run"]),
                method=str(told["method"]),
                horizon=int(told["horizon"]),
                warmup=WarmUp(int(told["warmup"]["steps"]), str(told["warmup"]["by"])),
                ends_at_success=bool(told["ends_at_success"]),
                learns=bool(told["learns"]),
            )
        except UNREADABLE as error:
            raise Torn(f"the learner's welcome cannot be read ({error!r})") from error
        if self.run not in (None, said.run):
            raise Refused(other_learner(self.method, said.method))
        return said

    def told(self) -> dict[str, Any]:
        """What a learner has to know of it."""
        return {"log": self.log, "run": self.run, "method": self.method}


def other_learner(here: str, there: str) -> str:
    """The sentence on steps that belong to another learner."""
    return (
        f"the steps in this actor's folder belong to another learner ({here}) than the one that "
        f"listens here ({there}); start the right learner, or give the actor a new --folder"
    )
