"""A unit of work: one task, one seed, its pre-trainings and all their arms."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warmstart.api import declare, declare_finetune, find_method
from warmstart.api.declare import Declared
from warmstart.api.own import is_file, the_users
from warmstart.engine.problem import Schedule
from warmstart.errors import RunError
from warmstart.files.machine import git_commit, instruction_set
from warmstart.studies.fingerprint import digest, file_digest, numerics
from warmstart.studies.result import Result
from warmstart.studies.store import plain
from warmstart.studies.study import Arm, Pretraining, Study
from warmstart.tasks import Task, get_task
from warmstart.user_code.trust import code_of, fingerprint

EVERY = 10_000
"""Online steps between two evaluations, behind the early ones."""
SLOW = ("manipulation", "dexterity")
"""Domains in which an episode takes seconds."""


@dataclass(frozen=True)
class Step:
    """One run of a unit.

    Attributes:
        arm: name of the arm or pre-training.
        method: a name, or `/path/file.py:function`.
        source: name of the pre-training whose run it goes on from; None: it begins from nothing.
        pretrains: it is a pre-training, and ends before the switch.
        updates: gradient steps of pre-training; None: the method's own.
        declared: hash of its recipe.
        code: hash of the user's own file, or None.
        policy, policy_sha256: a base policy by its path, and what it was when the unit was planned.
    """

    arm: str
    method: str
    source: str | None
    pretrains: bool
    preset: str | None
    changes: Mapping[str, str]
    updates: int | None
    declared: str
    code: str | None = None
    policy: str | None = None
    policy_sha256: str | None = None

    @property
    def folder(self) -> str:
        """Name of its run folder: other numbers, another folder."""
        return f"{self.arm}-{self.declared[:8]}"

    @property
    def device(self) -> str:
        """Name of the file beside it that says on what it ran."""
        return f"{self.folder}.device"


@dataclass(frozen=True)
class Work:
    """A unit of work as a worker on any machine can do it: plain values alone.

    Attributes:
        steps: its runs, pre-trainings before the arms that branch from them.
        task: the task as JSON text.
        online: environment steps of every arm; None: each method's own.
        schedule: of every run, see `warmstart.engine.Schedule`.
        protocol: see `Result`.
        numerics: of the process that planned it; a worker with others refuses.
        runs, results: folders.
        files: the text of each file of the user's own, by its path.
        commit: of the checkout that planned it.
        code: hash of each file or module of the user's own that opens the task's environment, by
            its path or name: a worker runs no other.
    """

    study: str
    task: str
    seed: int
    steps: tuple[Step, ...]
    online: int | None
    schedule: Mapping[str, Any]
    holdout: float
    protocol: str
    numerics: str
    runs: str
    results: str
    files: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    code: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people read of it."""
        return f"{json.loads(self.task)['name']}, seed {self.seed}"

    @property
    def folder(self) -> Path:
        """Where its run folders stand."""
        task = plain(json.loads(self.task)["name"])
        mark = f"seed-{self.seed}-{self.protocol[:8]}"
        return Path(self.runs).absolute() / self.study / task / mark

    def to_json(self) -> str:
        """JSON text."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Work:
        """The inverse of `to_json`."""
        data = json.loads(text)
        return cls(**{**data, "steps": tuple(Step(**step) for step in data["steps"])})

    def lacks(self, found: Sequence[Result], isa: str | None = None) -> tuple[Step, ...]:
        """The runs that have no result yet, and the pre-trainings that they need.

        Only arms of one instruction set can be compared: results of another machine count where
        that machine did the whole unit, else those of this one alone (`isa`; None: looked up).
        A pre-training counts as needed while one arm of it is missing: its folder may be gone.
        """
        there: dict[str, set[tuple[str, str]]] = {}
        for r in found:
            if (r.protocol, r.seed, r.numerics) == (self.protocol, self.seed, self.numerics):
                there.setdefault(r.isa, set()).add((r.arm, r.declared))
        mine = there.get(instruction_set() if isa is None else isa, set())
        if any(all((s.arm, s.declared) in done for s in self.steps) for done in there.values()):
            return ()
        arms = [s for s in self.steps if (s.arm, s.declared) not in mine]
        needed = {s.source for s in arms if s.source is not None}
        return tuple(s for s in self.steps if s in arms or (s.pretrains and s.arm in needed))


def protocol_of(study: Study, task: Task) -> dict[str, Any]:
    """When and how often to look: dense after the switch, every 10,000 steps later.

    50 episodes for a success rate, 20 for a return, 10 where an episode takes seconds; the score
    before the switch and at the end on 100, or 50.
    """
    slow = task.domain in SLOW
    usual = {
        "episodes": 10 if slow else 50 if task.success else 20,
        "fixed_episodes": 50 if slow else 100,
        "films": False,
    }
    if study.steps is not None:
        usual["online_every"] = min(EVERY, study.steps)  # one beyond the end would be refused
    return {**usual, **study.schedule}


def plan(
    study: Study,
    task: str | Task,
    seed: int,
    arms: Sequence[str] = (),
    *,
    runs: Path | str,
    results: Path | str,
    diagnose_every: int = 0,
) -> Work:
    """A unit of work, with every run declared once so that what cannot be is refused here.

    Raises:
        RunError, RecipeError, TaskError: an unknown arm, method, preset, path or task.
    """
    task = get_task(task) if isinstance(task, str) else task
    chosen = study.chosen(tuple(arms))
    schedule = protocol_of(study, task)
    if diagnose_every:
        schedule["diagnose_every"] = diagnose_every
    Schedule.of(schedule)
    files: dict[str, str] = {}
    own = {code: fingerprint(code) for code in code_of(task.env_id, task.env_kwargs)}
    hashes = {code: mark for code, mark in own.items() if mark is not None}
    steps: list[Step] = []
    wanted = {study.arms[n].source for n in chosen if n in study.arms} | {*chosen}
    before: dict[str, Declared] = {}
    for name, given in study.pretrainings.items():
        if name in wanted:
            before[name] = _declared(study, task, given, None, schedule)
            steps.append(_step(name, given, before[name], files))
    for name in chosen:
        if name in study.arms:
            arm = study.arms[name]
            source = None if arm.source is None else before[arm.source]
            steps.append(_step(name, arm, _declared(study, task, arm, source, schedule), files))
    shared = {
        "task": json.loads(task.to_json()), "steps": study.steps, "schedule": schedule,
        "holdout": study.holdout,
    }  # fmt: skip
    return Work(
        study.name, task.to_json(), seed, tuple(steps), study.steps, schedule, study.holdout,
        digest(shared), numerics(), str(Path(runs).absolute()), str(Path(results).absolute()),
        files, git_commit(), hashes,
    )  # fmt: skip


def _declared(
    study: Study,
    task: Task,
    given: Arm | Pretraining,
    source: Declared | None,
    schedule: Mapping[str, Any],
) -> Declared:
    """The run as it will be declared; its recipe is what is hashed."""
    preset = preset_of(study, given)
    changes = dict(given.changes)
    if source is not None:
        assert isinstance(given, Arm)
        if given.pretrain_steps is not None:
            raise RunError("an arm that branches has no pre-training of its own to lengthen")
        return declare_finetune(
            given.method,
            source,
            "",
            preset=preset,
            changes=changes,
            steps=study.steps,
            schedule=schedule,
        )
    if isinstance(given, Pretraining):
        made = declare(
            given.method,
            task,
            preset=preset,
            changes=changes,
            pretrain_steps=given.steps,
            schedule=schedule,
        )
        if not made.recipe.pretrain:
            raise RunError(f"{given.method} has no pre-training to branch from; name another one")
        return made
    return declare(
        given.method,
        task,
        preset=preset,
        changes=changes,
        steps=study.steps,
        pretrain_steps=given.pretrain_steps,
        schedule=schedule,
        policy=given.policy,
    )


def preset_of(study: Study, given: Arm | Pretraining) -> str | None:
    """Whose numbers: the arm's own, else the study's where the method has them."""
    if given.preset is not None:
        return given.preset
    known = find_method(the_users(given.method)).PRESETS
    return study.preset if study.preset in known else None


def _step(name: str, given: Arm | Pretraining, declared: Declared, files: dict[str, str]) -> Step:
    method, code = the_users(given.method), None
    if is_file(method):
        path = Path(method.rpartition(":")[0])
        code = file_digest(path)
        files[str(path)] = path.read_text()
    said = [declared.recipe.to_json(), code]
    if declared.policy is not None:  # an arm's that runs alone: nothing else may have one
        said.append(declared.policy_sha256)
    return Step(
        name,
        method,
        None if isinstance(given, Pretraining) else given.source,
        isinstance(given, Pretraining),
        declared.preset,
        dict(given.changes),
        given.steps if isinstance(given, Pretraining) else given.pretrain_steps,
        digest(said),
        code,
        declared.policy,
        declared.policy_sha256,
    )
