"""What a study will cost, from what its arms took before or from a timed probe.

A probe is the arm itself, short: a few hundred updates and steps. Their rates, read between two
metric lines once everything is compiled, are laid out over the arm's own numbers. Arms that do the
same work (networks, batches, rhythm, source of rows) are timed once.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.api import declare, declare_finetune
from warmstart.api.declare import Declared
from warmstart.engine.problem import DIP
from warmstart.errors import RunError
from warmstart.files.durable import make_folder, read_json, write_json_atomic
from warmstart.recipe import Recipe
from warmstart.runs.folder import is_finished
from warmstart.runs.records import Record, read
from warmstart.studies.fingerprint import digest
from warmstart.studies.store import Store
from warmstart.studies.study import Study
from warmstart.studies.work import Step, Work, plan, protocol_of
from warmstart.studies.worker import Stopped, run_unit
from warmstart.tasks import Task, get_task

PROBES = "probes.json"
UPDATES, STEPS, LOG = 400, 600, 100
LOOK = {
    "offline_every": 0, "online_every": 300, "early": (), "log_every": LOG, "episodes": 2,
    "fixed_episodes": 2, "films": False,
}  # fmt: skip


@dataclass(frozen=True)
class Rates:
    """Seconds of one core: to begin, for an update offline, a step online, an episode."""

    begin: float
    update: float
    step: float
    episode: float


@dataclass(frozen=True)
class Costs:
    """Seconds of each run by task and arm; `unknown` are (task, arm) that were never timed."""

    seconds: Mapping[str, Mapping[str, float]]
    unknown: tuple[tuple[str, str], ...]

    def hours(self, seeds: int) -> float:
        """Core-hours of so many seeds, without what is unknown."""
        return seeds * sum(s for arms in self.seconds.values() for s in arms.values()) / 3600


def predict(
    study: Study,
    arms: Sequence[str],
    results: Path | str,
    runs: Path | str,
    *,
    probe: bool = False,
    tell: Callable[[str], None] = print,
) -> Costs:
    """The cost of a study's arms and of the pre-trainings that they need.

    A finished result of the same arm, task and numbers says it best (the median of the seeds);
    else a probe that lies beside the results; with `probe` what is missing is timed now.
    """
    taken, _ = Store(results).read(study.name)
    path = Path(results) / PROBES
    known: dict[str, dict[str, float]] = _probes(path)
    seconds: dict[str, dict[str, float]] = {}
    unknown: list[tuple[str, str]] = []
    for task in study.tasks:
        work = plan(study, task, 0, arms, runs=runs, results=results)
        recipes = {s.arm: _recipe(work, s) for s in work.steps}
        found: dict[str, float] = {}
        for step in work.steps:
            like = [
                r.seconds
                for r in taken
                if (r.task, r.arm, r.declared) == (task, step.arm, step.declared)
            ]
            kind = _kind(task, recipes[step.arm], step)
            if like:
                found[step.arm] = statistics.median(like)
                continue
            if probe and kind not in known:
                tell(f"timing {step.arm} on {task}")
                rates = _time(study, task, step, recipes[step.arm], Path(runs))
                known[kind] = dataclasses.asdict(rates)
                make_folder(path.parent, "try again")
                write_json_atomic(path, known)
            if kind in known:
                rates = Rates(**known[kind])
                found[step.arm] = _reckon(rates, recipes[step.arm], step, study, task)
            else:
                unknown.append((task, step.arm))
        seconds[task] = found
    return Costs(seconds, tuple(unknown))


def _probes(path: Path) -> dict[str, dict[str, float]]:
    if not path.exists():
        return {}
    found = read_json(path)
    names = {f.name for f in dataclasses.fields(Rates)}
    return {k: v for k, v in found.items() if isinstance(v, dict) and v.keys() == names}


def _recipe(work: Work, step: Step) -> Recipe:
    """The step's recipe; of a branch with its source's pre-training."""
    task = Task.from_json(work.task)
    if step.source is None:
        return declare(
            step.method,
            task,
            preset=step.preset,
            changes=dict(step.changes),
            pretrain_steps=step.updates,
            steps=None if step.pretrains else work.online,
        ).recipe
    before = next(s for s in work.steps if s.arm == step.source)
    source = declare(
        before.method, task, preset=before.preset, changes=dict(before.changes),
        pretrain_steps=before.updates,
    )  # fmt: skip
    arm: Declared = declare_finetune(
        step.method, source, "", preset=step.preset, changes=dict(step.changes), steps=work.online
    )
    return arm.recipe


def _kind(task: str, recipe: Recipe, step: Step) -> str:
    """A name for runs that do the same work."""

    def size(learner: Any) -> Any:
        inner = getattr(learner, "learner", learner)  # what stands around one forwards little
        told = [type(learner).__name__, type(inner).__name__, str(getattr(learner, "chunk", None))]
        parts = ("policy", "critic", "value", "batch", "minibatches", "backup", "conservatism")
        return [*told, *(str(getattr(inner, part, None)) for part in parts)]

    work: list[Any] = [task, step.pretrains]
    if step.pretrains or step.source is None:
        work += [size(stage.learner) for stage in recipe.pretrain]
    if not step.pretrains:
        rhythm = recipe.finetune.rhythm
        work += [size(recipe.finetune.learner), rhythm.every, rhythm.updates]
        work += [type(recipe.replay.source).__name__, type(recipe.acting).__name__]
    return digest(work)


def _time(study: Study, task: str, step: Step, recipe: Recipe, runs: Path) -> Rates:
    """Run the step short, with the pre-training that it needs."""
    short = {
        name: dataclasses.replace(
            p,
            changes={**p.changes, **_stages(p.changes, p.method, study, task)},
            steps=UPDATES,
        )
        for name, p in study.pretrainings.items()
        if name in (step.arm, step.source)
    }
    arms, steps = {}, STEPS
    if not step.pretrains:
        arm = study.arms[step.arm]
        rhythm = recipe.finetune.rhythm
        changes = {**arm.changes}
        if recipe.replay.warmup.steps > LOG:
            changes["replay.warmup.steps"] = str(LOG)
        if rhythm.first > LOG:
            changes["finetune.rhythm.first"] = str(LOG)
        if getattr(recipe.finetune.learner, "actor_from", 0) > LOG:
            changes["finetune.learner.actor_from"] = str(LOG)
        steps = max(STEPS, 3 * rhythm.every)  # the first rollout compiles
        arms[step.arm] = dataclasses.replace(
            arm, changes=changes, pretrain_steps=None if arm.source else arm.pretrain_steps
        )
    probe = dataclasses.replace(
        study, name=f"probe-{study.name}", pretrainings=short, arms=arms, steps=steps,
        schedule=LOOK, tasks=(task,),
    )  # fmt: skip
    work = plan(probe, task, 0, runs=runs, results=runs / "probes")
    try:
        outcome = run_unit(work)
    except Stopped:
        raise KeyboardInterrupt("what was timed so far is kept") from None
    step = next(s for s in work.steps if s.arm == step.arm)
    folder = work.folder / step.folder
    if step.arm in outcome["failed"] or not is_finished(folder):
        raise RunError(f"the probe of {step.arm} failed: {outcome['failed'].get(step.arm)}")
    return _rates(read(folder), steps, 1 if step.pretrains else recipe.finetune.rhythm.every)


def _stages(changes: Mapping[str, str], method: str, study: Study, task: str) -> dict[str, str]:
    """Every stage of a pre-training but the last short; the last one's length is an argument."""
    stages = declare(method, task, preset=study.preset, changes=dict(changes)).recipe.pretrain
    return {f"pretrain.{i}.updates": str(LOG) for i in range(len(stages) - 1)}


def _rates(records: Sequence[Record], steps: int = STEPS, every: int = 1) -> Rates:
    """Seconds a thing, between metric lines behind the first ones, which compile.

    Two lines are compared that lie at least `every` steps apart: whole rollouts cost the same.
    """

    def slope(phase: str, counter: str) -> float:
        lines = [r for r in records if r["kind"] == "train" and r["phase"] == phase]
        apart = max(1, every) if phase == "online" else 1
        lines = [r for r in lines[1:] if r[counter] >= apart]
        gaps = []
        for number, a in enumerate(lines):
            b = next((r for r in lines[number:] if r[counter] - a[counter] >= apart), None)
            if b is not None:
                gaps.append((b["wall"] - a["wall"]) / (b[counter] - a[counter]))
        return statistics.median(gaps) if gaps else 0.0

    online = [r for r in records if r["phase"] == "online" or r.get("tag") == "pretrained"]
    looks = [r for r in online if r["kind"] == "eval" and r.get("tag") != "frozen"]
    episode = 0.0
    if looks:
        # Lines that a look writes bear one time: those before it are earlier.
        before = [r["wall"] for r in records if r["wall"] < looks[-1]["wall"]]
        episode = max(0.0, looks[-1]["wall"] - max(before, default=0.0)) / 2
    update, step = slope("pretrain", "updates"), slope("online", "env_steps")
    wall = max(r["wall"] for r in records)
    begin = max(1.0, wall - UPDATES * update - steps * step)
    return Rates(round(begin, 3), update, step, episode)


def _reckon(rates: Rates, recipe: Recipe, step: Step, study: Study, task: str) -> float:
    """Seconds of the whole run."""
    schedule = protocol_of(study, get_task(task))
    each, fixed = schedule["episodes"], schedule["fixed_episodes"]
    every = schedule.get("online_every", 5_000)
    updates = steps = episodes = 0
    if recipe.pretrain and (step.pretrains or step.source is None):
        updates = sum(stage.updates for stage in recipe.pretrain)
        episodes += 3 * each + fixed
    if not step.pretrains:
        steps = recipe.finetune.steps
        looks = {at for at in schedule.get("early", DIP) if at < steps}
        looks |= set(range(0, steps, every)) if every else set()
        switch = 0 in looks and bool(recipe.pretrain)
        episodes += (len(looks) - switch) * each + (1 + switch) * fixed
    return rates.begin + updates * rates.update + steps * rates.step + episodes * rates.episode
