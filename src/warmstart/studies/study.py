"""A study as a value: arms x tasks x seeds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from warmstart.errors import RunError, did_you_mean

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+=-]*")


@dataclass(frozen=True)
class Pretraining:
    """What is learnt from the data once for each task and seed, and branched from.

    Attributes:
        method: a name, or `my_method.py:recipe`.
        changes: what `--set` takes, name or path -> value.
        preset: whose numbers; None: the study's.
        steps: gradient steps of pre-training; None: the method's own.
    """

    method: str
    changes: Mapping[str, str] = field(default_factory=dict)
    preset: str | None = None
    steps: int | None = None


@dataclass(frozen=True)
class Arm:
    """One way to go on from a pre-training, or to learn without one.

    Attributes:
        method: a name, or `my_method.py:recipe`.
        source: name of the pre-training it branches from; None: it runs alone.
        changes, preset: as of a pre-training.
        pretrain_steps: of an arm that runs alone and pre-trains by itself; None: the method's own.
        policy: a base policy of an arm that runs alone, as `--policy` takes it.
    """

    method: str
    source: str | None = None
    changes: Mapping[str, str] = field(default_factory=dict)
    preset: str | None = None
    pretrain_steps: int | None = None
    policy: str | None = None


@dataclass(frozen=True)
class Study:
    """Arms on tasks with seeds; the claims it carries name it.

    Attributes:
        name: what the command line calls it.
        about: one sentence.
        pretrainings, arms: by name.
        tasks: names from the catalogue; `run --tasks` takes others.
        preset: whose numbers everything starts from; None: the task's.
        steps: online steps of each arm; None: each method's own.
        schedule: changes of the evaluation schedule, see `warmstart.engine.Schedule`.
        holdout: share of whole logged episodes that no arm trains on.

    Raises:
        RunError: an arm of a pre-training that is not there, one that branches and has a base
            policy, or a name that no file can have.
    """

    name: str
    about: str
    pretrainings: Mapping[str, Pretraining]
    arms: Mapping[str, Arm]
    tasks: tuple[str, ...]
    preset: str | None = None
    steps: int | None = 50_000
    schedule: Mapping[str, Any] = field(default_factory=dict)
    holdout: float = 0.1

    def __post_init__(self) -> None:
        for name in (self.name, *self.pretrainings, *self.arms):
            if not _NAME.fullmatch(name):
                raise RunError(
                    f"'{name}' names a study or an arm, and files: use letters, digits and _.+=-"
                )
        for name, arm in self.arms.items():
            if arm.source is not None and arm.source not in self.pretrainings:
                hint = did_you_mean(arm.source, self.pretrainings)
                raise RunError(
                    f"arm '{name}' branches from '{arm.source}', which this study does not "
                    f"pre-train. {hint}"
                )
            if arm.source is not None and arm.policy is not None:
                raise RunError(
                    f"arm '{name}' branches from '{arm.source}' and names a policy; leave its "
                    "source out, since a base policy belongs to a run from its beginning"
                )
        both = self.arms.keys() & self.pretrainings.keys()
        if both:
            raise RunError(
                f"'{min(both)}' is an arm and a pre-training of study '{self.name}'; rename one"
            )

    @property
    def everything(self) -> tuple[str, ...]:
        """Whatever has a result: pre-trainings and arms."""
        return (*self.pretrainings, *self.arms)

    def chosen(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """These in the study's order; none: all. Raises RunError for an unknown one."""
        for name in names:
            if name not in self.everything:
                raise RunError(
                    f"study '{self.name}' has no arm '{name}'. "
                    f"{did_you_mean(name, self.everything)}"
                )
        return tuple(name for name in self.everything if not names or name in names)
