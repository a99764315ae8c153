"""Where a run stands, in plain numbers, and what happened on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Phase = Literal["pretrain", "switch", "online", "done"]


@dataclass(frozen=True)
class RunEvent:
    """Something that happened, for one seed (`seed` is its name) or for all (None).

    Kinds "train", "eval", "diagnose", "episode" and "phase" are metric lines, and so is "warning",
    which whoever drives the run adds; "progress" is for
    people; at "safe" the run may be left, and `values["boundary"]` marks where it
    has to be saved: at the end of a phase, before a robot's last evaluation, where one failed.
    """

    kind: str
    phase: str
    stage: int
    updates: int
    env_steps: int
    values: dict[str, Any]
    seed: int | None = None
    tag: str | None = None


@dataclass
class Position:
    """Where a run stands.

    `looked` and `logged` are the counters of the last evaluation and metric line, so that none
    comes twice. The lists have a number for each seed: critic steps owed and done, blocks of
    learning begun, episodes finished. `recent` are (return, length, success) of a robot's training
    episodes since the last evaluation, `earlier` those of the last one that had any.
    """

    phase: Phase = "pretrain"
    stage: int = 0
    updates: int = 0
    env_steps: int = 0
    looked: int = -1
    logged: int = -1
    owed: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    recent: list[list[float]] = field(default_factory=list)
    earlier: list[list[float]] = field(default_factory=list)

    @classmethod
    def start(cls, seeds: int, phase: Phase) -> Position:
        """The beginning."""
        zeros = [0] * seeds
        return cls(phase, owed=zeros[:], done=zeros[:], blocks=zeros[:], closed=zeros[:])

    @classmethod
    def stored(cls, numbers: Mapping[str, Any]) -> Position:
        """What was written down, also by a version that used other words."""
        words = {"lived": "recent", "told": "earlier"}
        return cls(**{words.get(name, name): value for name, value in numbers.items()})

    @property
    def counter(self) -> int:
        """Updates in pre-training, environment steps online."""
        return self.env_steps if self.phase in ("online", "done") else self.updates

    def enter(self, phase: Phase, stage: int) -> None:
        """Begin a phase or stage: its counters are zero."""
        self.phase, self.stage, self.updates, self.looked, self.logged = phase, stage, 0, -1, -1

    def event(
        self,
        kind: str,
        values: dict[str, Any] | None = None,
        seed: int | None = None,
        tag: str | None = None,
    ) -> RunEvent:
        """An event here and now."""
        phase = "pretrain" if self.phase in ("pretrain", "switch") else "online"
        return RunEvent(
            kind, phase, self.stage, self.updates, self.env_steps, values or {}, seed, tag
        )
