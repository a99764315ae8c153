"""How an agent begins in a folder of its own, and goes on in it."""

from __future__ import annotations

import dataclasses
import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warmstart.agent.live import Live
from warmstart.api.base import stands_on_base
from warmstart.api.behind import not_taken_over
from warmstart.api.changes import changed
from warmstart.api.declare import Declared, declare_finetune
from warmstart.api.driver import Driver
from warmstart.api.own import code_named_by
from warmstart.api.prepare import problem_of, require_data
from warmstart.api.python_values import given_again
from warmstart.api.reread import take_over
from warmstart.engine import Problem
from warmstart.errors import RecipeError, RunError, WarmstartError, typed
from warmstart.files.durable import sealed, write_json_atomic
from warmstart.replay import Intervened
from warmstart.runs.folder import create_run, read_run
from warmstart.runs.records import MetricWriter
from warmstart.user_code.trust import remember
from warmstart.values import as_text

LOG = logging.getLogger("warmstart")


def start_folder(declared: Declared, problem: Problem, folder: Path) -> Live:
    """An agent that keeps a new folder. Raises RunError."""
    folder = Path(os.path.abspath(folder))
    create_run(folder.parent, folder.name, {**declared.to_json(), "driven": True})
    remember(code_named_by(declared.method, declared.task))
    live = Live(declared, problem, Driver(folder, declared, problem, driven=True))
    try:
        _begin(live, live.attach())
    except WarmstartError:
        shutil.rmtree(folder, ignore_errors=True)  # refused before anything was learnt
        raise
    return live


def _begin(live: Live, recorder: MetricWriter) -> None:
    """Stand where nothing was saved yet: at the start, or on another run's pre-training."""
    assert live.driver is not None
    if live.declared.source is not None:
        take_over(live.driver, Path(live.declared.source), recorder)


def on_pretraining(source: Path, method: str | None, words: Mapping[str, Any]) -> Declared:
    """What an agent on the pre-training of a run declares.

    Raises RunError where that has several seeds, or took its pre-training from another run itself.
    """
    folder = source.expanduser().resolve()
    before = Declared.from_json(read_run(folder))
    if len(before.seeds) > 1:
        seeds = ",".join(map(str, before.seeds))
        raise RunError(
            f"the run in '{folder}' has the seeds {seeds}, and an agent is one; pre-train with "
            "--seeds 0 alone"
        )
    if before.source is not None:
        raise RunError(
            f"the run in '{folder}' took its pre-training from '{before.source}' itself; give that"
        )
    require_data(before, folder)
    wanted = declare_finetune(method or before.method, before, str(folder), **words)
    if (missing := not_taken_over(wanted, before, str(source))) is not None:
        LOG.warning("%s", missing)
    return wanted


def keeping_intervened(declared: Declared, share: float | None) -> Declared:
    """The same with a share of each batch for rows in which a human acted.

    Raises RecipeError where the method's batches cannot be shared so.
    """
    if share is None:
        return declared
    replay = declared.recipe.replay
    source = Intervened(share, replay.source)
    recipe = dataclasses.replace(declared.recipe, replay=dataclasses.replace(replay, source=source))
    return dataclasses.replace(declared, recipe=recipe)


def open_folder(
    folder: Path,
    env: Any,
    data: Any,
    goes_on: bool = False,
    changes: Mapping[str, Any] | None = None,
) -> Live:
    """The agent that keeps a folder, at its last checkpoint; an episode that was open then is
    broken off, unless it `goes_on`. With `changes` it learns by these numbers from there on.

    Raises RunError where it is a run of `warmstart run`; TaskError, DataError for what is missing;
    RecipeError for changes of something else.
    """
    config = read_run(folder)
    if not config.get("driven"):
        raise RunError(
            f"the run in '{folder}' steps its environments itself; go on with: "
            f"{typed('resume', folder)}"
        )
    declared = given_again(Declared.from_json(config), env, data)
    declared = _learning_by(declared, changes or {})
    require_data(declared, folder)
    problem = problem_of(declared, examine=False, trial=False)
    problem = dataclasses.replace(problem, physical=True)
    driver = Driver(folder, declared, problem, driven=True)
    live = Live(declared, problem, driver)
    recorder = live.attach()
    if not driver.restored(recorder):
        _begin(live, recorder)
    if changes:  # they fit what was restored
        write_json_atomic(folder / "run.json", sealed({**config, **declared.to_json()}))
    if live.is_open and not goes_on:
        LOG.info("The agent's open episode ends where it stood at the last checkpoint.")
        live.break_off()
    return live


def _learning_by(declared: Declared, changes: Mapping[str, Any]) -> Declared:
    """The same with other numbers of the online learner, path -> value."""
    before = declared.recipe
    made = dataclasses.replace(changed(before, changes), pretrain=before.pretrain)
    rest = dataclasses.replace(made.finetune, learner=before.finetune.learner)
    if dataclasses.replace(made, finetune=rest) != before:
        raise RecipeError(
            "of an agent that has begun only numbers of the online learner may change, such as "
            "learner.critic_optimiser.lr; for the others begin a new one"
        )
    given = {path: as_text(value) for path, value in changes.items()}
    told = {**dict(declared.changes), **given}
    return dataclasses.replace(declared, recipe=made, changes=tuple(told.items()))


def unseen(declared: Declared) -> Declared:
    """Without evaluations of its own: the caller evaluates.

    Raises RunError where a base policy would act beside it.
    """
    if declared.policy is not None or stands_on_base(declared.recipe):
        raise RunError(
            "an agent is stepped by a program of yours, and no base policy acts or is corrected "
            "there; take ws.run for that"
        )
    looks = dataclasses.replace(
        declared.schedule,
        fixed_episodes=0,
        offline_every=0,
        online_every=0,
        early=(),
        diagnose_every=0,
        frozen=False,
        films=False,
        compare=False,
    )
    return dataclasses.replace(declared, schedule=looks)
