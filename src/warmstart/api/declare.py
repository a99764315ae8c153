"""One declared run: method, task, seeds and numbers, resolved and writable as JSON."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from warmstart.api.base import digest_of, named_policy
from warmstart.api.behind import refuse_of_pretraining
from warmstart.api.changes import normalised
from warmstart.api.given import check_seeds, known_words
from warmstart.api.in_words import crossing, describe, schedule_words, task_words
from warmstart.api.numbers import joined, names_for, recipe_of
from warmstart.api.own import (
    absolute_task,
    code_named_by,
    find_method,
    short_name,
    the_users,
)
from warmstart.api.python_values import handed_in
from warmstart.api.reading import Until, declared_by
from warmstart.api.schedules import schedule_for
from warmstart.data.checks import check_ignored
from warmstart.engine import Schedule
from warmstart.envs.given import MARK, Handed
from warmstart.errors import RecipeError, RunError, did_you_mean
from warmstart.ranges import BelowOne, Whole, require_fields
from warmstart.recipe import Recipe
from warmstart.tasks import Task
from warmstart.user_code.trust import name_code
from warmstart.values import as_text

HOLDOUT = 0.05


@dataclass(frozen=True)
class Declared:
    """Everything that decides a run. Equal declarations give equal results on one machine.

    Attributes:
        method: name in the table of methods, or `/path/file.py:function`.
        preset: whose numbers the recipe started from.
        changes: what `--set` changed, name or path -> value as given.
        holdout: share of whole episodes kept for measurement alone.
        source: folder of the run whose pre-training this one continues, or None.
        ignore: names of errors in the data that shall not stop the run.
        env, arrays: an environment and data that were handed in from Python, as
            `api.python_values` says; run.json names them, and whoever goes on with the run hands
            them in again.
        policy, policy_sha256: a base policy by its name, and what it was when the run began.
        base: the function, where it was handed in.
    """

    method: str
    preset: str
    recipe: Recipe
    task: Task
    seeds: tuple[int, ...]
    schedule: Schedule
    changes: tuple[tuple[str, str], ...] = ()
    holdout: BelowOne = HOLDOUT
    data_seed: Whole = 0
    source: str | None = None
    ignore: tuple[str, ...] = ()
    env: Handed | None = field(default=None, compare=False, repr=False)
    arrays: Any = field(default=None, compare=False, repr=False)
    policy: str | None = None
    policy_sha256: str | None = None
    base: Any = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        require_fields(self, RunError)

    def to_json(self, until: Until = "done") -> dict[str, Any]:
        """What run.json holds of it, for a run that goes as far as `until`."""
        warmup = self.recipe.replay.warmup
        words = (self.method, self.recipe, self.preset, self.changes, self.source, self.ignore)
        return {
            "method": short_name(self.method),
            "method_source": self.method,
            "preset": self.preset,
            "task": self.task.name,
            "task_facts": json.loads(self.task.to_json()),
            "recipe": self.recipe.to_json(),
            "describe": describe(*words, self.policy),
            "handover": [row._asdict() for row in crossing(self.recipe)],
            "seeds": list(self.seeds),
            "schedule": dataclasses.asdict(self.schedule),
            "changes": [list(change) for change in self.changes],
            "holdout": self.holdout,
            "data_seed": self.data_seed,
            "source": self.source,
            "ignore": list(self.ignore),
            "policy": self.policy,
            "policy_sha256": self.policy_sha256,
            "warmup_steps": warmup.steps,
            "score_label": score_label(self.task),
            "command": self.command(until),
            "until": until,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Declared:
        """The inverse of `to_json`.

        Raises:
            RunError: a record that lacks something.
            UntrustedCode: it names a file or module that may not run: `warmstart.user_code.trust`.
        """
        return declared_by(data, cls)

    def command(self, until: Until = "done") -> str | None:
        """The command line that repeats the run, as far as `until`.

        None: the task was made in Python, with what no option of the command line says, or
        something of it was handed in.
        """
        given = (self.env, self.arrays, self.base)
        if self.method.startswith(MARK) or any(one is not None for one in given):
            return None
        name = "finetune" if self.source else "run" if until == "done" else "pretrain"
        words = ["warmstart", name, self.method]
        if self.source:
            words += ["--from", self.source, "--preset", self.preset]
        else:
            named = task_words(self.task)
            if named is None:
                return None
            words += [*named, "--seeds", ",".join(map(str, self.seeds))]
            if self.preset != default_preset(self.method, self.task):
                words += ["--preset", self.preset]
            words += ["--holdout", str(self.holdout)] if self.holdout != HOLDOUT else []
            words += ["--data-seed", str(self.data_seed)] if self.data_seed else []
            words += [w for name in self.ignore for w in ("--ignore", name)]
            words += ["--policy", self.policy] if self.policy else []
        words += [w for path, value in self.changes for w in ("--set", f"{path}={value}")]
        usual = schedule_for(self.recipe, self.task, None)
        return shlex.join([*words, *schedule_words(self.schedule, usual, name)])


def declare(
    method: str | Recipe,
    task: Any,
    *,
    data: Any = None,
    seeds: Sequence[int] = (0,),
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
    pretrain_steps: int | None = None,
    steps: int | None = None,
    holdout: float = HOLDOUT,
    data_seed: int = 0,
    schedule: Mapping[str, Any] | None = None,
    ignore: Sequence[str] = (),
    policy: Any = None,
    **facts: Any,
) -> Declared:
    """Resolve a method on a task.

    `method` is a name, `my_method.py:recipe` or a Recipe; `task` a task or its name, or an
    environment: its id, the object, a factory of such, or its two spaces; `data` what is learnt
    from in place of the task's own: a path, a Dataset or arrays (`warmstart.api.python_values`);
    `facts` are numbers of the method, by the names of its `Config` (`expectile=0.9`), and what the
    task else says (horizon, discount, success and others).
    `changes` are the same names, or paths (`{"finetune.learner.batch": 64}`), with their values.
    Precedence: paths, then names, then the method's preset, then the task. A change of one of the
    five answers to the name of a method takes that answer from it. `pretrain_steps` and `steps` are
    the updates of pre-training (of its last stage, where that is another method's) and the online
    environment steps.
    `ignore` names errors of `warmstart data check` that shall not stop the run.
    `policy` is a base policy that the method starts from: a function from an observation (flat,
    float32) to an action in the environment's units, `my_arm.py:policy`, an ONNX file, or a run.

    Raises:
        RunError: a name in `ignore` that is no finding, or one that cannot be ignored.
        RecipeError: unknown method, preset or field, or answers that contradict each other.
        TaskError: unknown task.
    """
    made = method if isinstance(method, Recipe) else None
    if made is not None:
        method = f"{MARK}{made.name}"
    if not isinstance(method, str):
        raise RecipeError(
            f"a method is a name, my_method.py:recipe or a Recipe, not {method!r}; give one"
        )
    known = names_for(made or method)
    numbers = {name: facts.pop(name) for name in known if name in facts}
    lengths = {"pretrain_steps": pretrain_steps, "steps": steps}
    lengths = {name: length for name, length in lengths.items() if length is not None}
    numbers |= lengths
    task, env, arrays = handed_in(task, data, facts)
    method, task = the_users(method), absolute_task(task)
    policy, base = named_policy(policy)
    name_code(code_named_by(method, task, policy))
    module = find_method(method)
    if preset is None:
        preset = default_preset(method, task)
    elif preset not in module.PRESETS:
        hint = did_you_mean(preset, module.PRESETS)
        raise RecipeError(f"{short_name(method)} has no preset '{preset}'. {hint}")
    given = joined(changes, numbers)
    recipe = recipe_of(method, module, made, preset, given, task.discount, lengths)
    looks, seeds = schedule_for(recipe, task, schedule), check_seeds(seeds)
    if task.physical and len(seeds) > 1:
        raise RunError(
            f"one robot, or one environment object, learns for one seed at a time, not for "
            f"{len(seeds)}; give one, such as --seeds 0, and run again for the next, or hand in a "
            "factory of simulators"
        )
    return Declared(
        method=method,
        preset=preset,
        recipe=recipe,
        task=task,
        seeds=seeds,
        schedule=looks,
        changes=tuple((path, as_text(value)) for path, value in given.items()),
        holdout=holdout,
        data_seed=data_seed,
        ignore=check_ignored(ignore),
        env=env,
        arrays=arrays,
        policy=policy,
        policy_sha256=digest_of(policy),
        base=base,
    )


def declare_finetune(
    method: str,
    source: Declared,
    folder: str,
    *,
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
    steps: int | None = None,
    schedule: Mapping[str, Any] | None = None,
    **numbers: Any,
) -> Declared:
    """An online arm on the pre-training of the run in `folder`, paired by seed.

    `numbers`: of the method, as of `declare`.
    Where nobody says how observations are scaled, they are as in that pre-training.

    Raises RecipeError, beside what `declare` raises, for a number of pre-training alone.
    """
    known_words("finetune", numbers, declare_finetune, names_for(method))
    arm = declare(
        method,
        source.task,
        seeds=source.seeds,
        preset=preset or (source.preset if source.preset in find_method(method).PRESETS else None),
        changes=joined(changes, numbers),
        steps=steps,
        holdout=source.holdout,
        data_seed=source.data_seed,
        schedule=schedule,
        ignore=source.ignore,
        policy=source.base or source.policy,
    )
    if not source.recipe.pretrain:
        raise RunError(
            f"the run in '{folder}' has no pre-training to go on from ({source.method} learns "
            "online only); give a run of a method that pre-trains"
        )
    refuse_of_pretraining(arm, source, folder)
    before = getattr(source.recipe.pretrain[-1].learner, "normalise", "none")
    recipe, said = normalised(arm.recipe, arm.changes, before)
    recipe = dataclasses.replace(recipe, pretrain=source.recipe.pretrain)
    try:
        crossing(recipe)
    except RecipeError as error:
        given, theirs = dict(said), [w for w in source.changes if w[0].startswith("nets.")]
        lacks = " ".join(f"--set {p}={shlex.quote(v)}" for p, v in theirs if given.get(p) != v)
        if not lacks:
            raise
        raise RecipeError(
            f"{error}. Or take the networks that '{folder}' was pre-trained with: {lacks}"
        ) from error
    looks = schedule_for(recipe, source.task, schedule)
    return dataclasses.replace(arm, recipe=recipe, source=folder, schedule=looks, changes=said)


def score_label(task: Task) -> str:
    """What the score of a run on this task measures."""
    if task.success:
        return "success rate (%)"
    return "return" if task.reference is None else "normalised score"


def default_preset(method: str, task: Task) -> str:
    """Whose numbers a method takes on a task if nobody says."""
    known = find_method(method).PRESETS
    return next((name for name in (task.preset, "paper") if name in known), next(iter(known)))
