"""Run, pre-train, fine-tune, resume, evaluate, report."""

from __future__ import annotations

import logging
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from warmstart.api.base import require_base
from warmstart.api.behind import not_taken_over
from warmstart.api.callbacks import Callback
from warmstart.api.declare import Declared, declare, declare_finetune
from warmstart.api.driver import Driver, Observer
from warmstart.api.extend import extend
from warmstart.api.given import known_words
from warmstart.api.idle import require_learning
from warmstart.api.numbers import names_for
from warmstart.api.own import code_named_by
from warmstart.api.policies import find_policies, stored
from warmstart.api.prepare import problem_of, require_data
from warmstart.api.python_values import given_again
from warmstart.api.reporting import floor as floor
from warmstart.api.reporting import report
from warmstart.api.result import Run
from warmstart.api.scales import scaled
from warmstart.api.schedules import usual_episodes
from warmstart.api.trackers import followed
from warmstart.api.watch import shown
from warmstart.engine.evaluator import Evaluator
from warmstart.engine.setup import Setup
from warmstart.errors import DivergedError, RunError, WarmstartError, typed
from warmstart.files.interrupts import as_interrupt
from warmstart.recipe import Recipe
from warmstart.runs.folder import as_folder, create_run, finish_run, is_finished, open_run, read_run
from warmstart.runs.records import mark, read
from warmstart.runs.summary import overall
from warmstart.user_code.trust import name_code, remember

RUNS = Path("runs")
LOG = logging.getLogger("warmstart")


def quiet(event: Any) -> None:
    """Show nothing."""


def run(
    method: str | Recipe,
    task: Any,
    *,
    seeds: Sequence[int] = (0,),
    root: Path | str = RUNS,
    name: str | None = None,
    observe: Observer | None = None,
    progress: bool = True,
    callbacks: Sequence[Callback] = (),
    log: Sequence[str] = (),
    **declared: Any,
) -> Run:
    """Pre-train, hand over, fine-tune, report. See `declare` for the further arguments.

    How it goes is shown on standard error, unless `progress` is False or `observe` is given, which
    then receives every event. `callbacks` are called at evaluations, episodes, checkpoints and at
    the end: see `Callback`. `log` names trackers that follow the run, "wandb" or "mlflow".

    Raises WarmstartError: the one message says what was wrong and what to do.
    """
    known_words("run", declared, declare, names_for(method))
    wanted = declare(method, task, seeds=seeds, **declared)
    with shown(observe, progress) as seen:
        return followed(lambda emit: start(wanted, root, name, "done", emit), seen, callbacks, log)


def pretrain(
    method: str | Recipe,
    task: Any,
    *,
    seeds: Sequence[int] = (0,),
    root: Path | str = RUNS,
    name: str | None = None,
    observe: Observer | None = None,
    progress: bool = True,
    callbacks: Sequence[Callback] = (),
    log: Sequence[str] = (),
    **declared: Any,
) -> Run:
    """The first half of a run: any number of `finetune` arms may branch from it."""
    known_words("pretrain", declared, declare, names_for(method))
    wanted = declare(method, task, seeds=seeds, **declared)
    if not wanted.recipe.pretrain:
        raise RunError(f"{method} has no pre-training; use `warmstart run {method}`")
    with shown(observe, progress) as seen:
        return followed(
            lambda emit: start(wanted, root, name, "pretrained", emit),
            seen,
            callbacks,
            log,
        )


def finetune(
    method: str,
    source: Path | str,
    *,
    root: Path | str = RUNS,
    name: str | None = None,
    allow_code: Sequence[str] = (),
    observe: Observer | None = None,
    progress: bool = True,
    callbacks: Sequence[Callback] = (),
    log: Sequence[str] = (),
    **declared: Any,
) -> Run:
    """An online arm on the stored pre-training of the run `source`, paired by seed.

    `allow_code` as in `resume`.
    """
    known_words("finetune", declared, declare_finetune, names_for(method))
    name_code(allow_code)
    folder = as_folder(source).expanduser().resolve()
    before = Declared.from_json(read_run(folder))
    if before.source is not None:
        raise RunError(
            f"the run in '{folder}' took its pre-training from {before.source} itself; "
            f"give --from {shlex.quote(before.source)}"
        )
    require_data(before, folder)
    wanted = declare_finetune(method, before, str(folder), **declared)
    with shown(observe, progress) as seen:
        if (missing := not_taken_over(wanted, before, str(source))) is not None:
            LOG.warning("%s", missing)
        return followed(lambda emit: start(wanted, root, name, "done", emit), seen, callbacks, log)


def resume(
    folder: Path | str,
    *,
    steps: int | None = None,
    env: Any = None,
    data: Any = None,
    policy: Any = None,
    allow_code: Sequence[str] = (),
    observe: Observer | None = None,
    progress: bool = True,
    callbacks: Sequence[Callback] = (),
    log: Sequence[str] = (),
) -> Run:
    """Go on with an interrupted or killed run, as if nothing had happened.

    With `steps` a run, finished or not, is declared with so many online steps in all: see
    `warmstart.api.extend`. `env`, `data` and `policy` as they were handed in at first.
    `allow_code`: Python files and modules that the run names and that may run; those of the runs
    that you began on this machine may, as long as they are what they were.

    Raises UntrustedCode for any other file or module that the run names, and WarmstartError.
    """
    name_code(allow_code)
    path = as_folder(folder)
    if read_run(path).get("driven"):
        raise RunError(
            f"the agent in '{path}' is stepped by a program of yours; go on there with "
            f"warmstart.Agent.open({str(path)!r})"
        )
    with shown(observe, progress) as seen:
        if steps is not None:
            longer, problem = extend(path, steps, env, data, policy)
            return followed(
                lambda emit: _drive(path, longer, "done", emit, problem),
                seen,
                callbacks,
                log,
            )
        config = open_run(path)
        declared = given_again(Declared.from_json(config), env, data, policy)
        require_data(declared, path)
        until = config["until"]
        return followed(lambda emit: _drive(path, declared, until, emit), seen, callbacks, log)


def start(
    declared: Declared,
    root: Path | str,
    name: str | None,
    until: Literal["pretrained", "done"],
    observe: Observer = quiet,
) -> Run:
    """Make the folder of a declared run, and run it."""
    require_learning(declared, until)
    require_base(declared)
    declared, dataset = scaled(declared)
    problem = problem_of(declared, dataset=dataset)  # refused before there is a folder
    folder = create_run(as_folder(root), name, declared.to_json(until))
    remember(code_named_by(declared.method, declared.task, declared.policy))
    try:
        return _drive(folder, declared, until, observe, problem)
    except WarmstartError:
        own = [record for record in read(folder) if "carried" not in record]
        begun = any(record["updates"] or record["env_steps"] for record in own)
        if not begun and not any((folder / "checkpoints").glob("*")):
            shutil.rmtree(folder, ignore_errors=True)  # refused before anything was learnt
        raise


def _drive(
    folder: Path,
    declared: Declared,
    until: Literal["pretrained", "done"],
    observe: Observer,
    problem: Any = None,
) -> Run:
    try:
        with as_interrupt():
            driver = Driver(folder, declared, problem)
            try:
                _learn(driver, until, observe)
            finally:
                driver.close()
            page, summary = report([folder])
            finish_run(folder, {**overall(summary), "metrics": mark(folder)})
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"what was saved is whole; go on with: {typed('resume', folder)}"
        ) from None
    return Run(folder, declared, summary, page)


def _learn(driver: Driver, until: Literal["pretrained", "done"], observe: Observer) -> None:
    """All that a run learns, and the films of it."""
    folder, declared = driver.folder, driver.declared
    facts = {"folder": folder, "declared": declared, "disk_bytes": driver.disk_bytes()}
    observe(driver.trainer.position.event("begin", facts))
    try:
        driver.go(until, observe)
    except DivergedError:
        report([folder])  # what led to it, for people
        raise
    films = declared.schedule.films and not declared.task.physical and declared.env is None
    if until == "done" and films:
        from warmstart.api.films import make_films  # Matplotlib, needed at the end alone

        make_films(driver)


def evaluate(
    folder: Path | str,
    *,
    episodes: int | None = None,
    which: Literal["latest", "best"] = "latest",
    mark: int = 0,
    env: Any = None,
    policy: Any = None,
    allow_code: Sequence[str] = (),
) -> dict[int, Mapping[str, Any]]:
    """Evaluate the stored policies of a run: seed -> score, success, returns, lengths.

    It needs the environment alone, not the data, and acts by the run's own rule.
    `episodes` None: as many as usual at the phase boundaries, 100 or on a robot 10.
    `mark` 0 are the fixed episodes of the phase boundaries; any other number other episodes.
    `env`, `policy` and `allow_code` as in `resume`.

    Raises:
        UntrustedCode: the run names a file or module that may not run.
        RunError: no such run, no policy yet, or a damaged one.
        TaskError: the environment cannot be opened, or fails.
    """
    name_code(allow_code)
    path = as_folder(folder)
    declared = given_again(Declared.from_json(read_run(path)), env, None, policy)
    found = find_policies(path, declared.seeds, which)
    problem = problem_of(declared, data=False)
    at, learner, states = stored(path, found, declared, problem.spec)
    setup = Setup.of(declared.recipe, problem, declared.seeds)
    evaluator = Evaluator(setup)
    try:
        episodes = usual_episodes(declared.task) if episodes is None else episodes
        try:
            played = evaluator.play(at, learner, setup.seeds.place(states), episodes, mark)
        except DivergedError as error:
            raise DivergedError(
                f"{error}; evaluate another checkpoint (--best, in Python which='best'), or train "
                "again with smaller learning rates",
                error.number,
            ) from error
        return {seed: evaluator.scores(played[i]) for i, seed in enumerate(declared.seeds)}
    finally:
        evaluator.close()


def finished(folder: Path | str) -> bool:
    """Whether the run in a folder came to its end."""
    return is_finished(as_folder(folder))
