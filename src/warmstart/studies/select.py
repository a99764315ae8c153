"""A study by name or from a file of the user's own, and parts of it."""

from __future__ import annotations

import dataclasses

from warmstart.api.own import is_file, load_file
from warmstart.errors import RunError, did_you_mean
from warmstart.studies.bundles import find_study
from warmstart.studies.study import Study
from warmstart.tasks import get_task
from warmstart.user_code.trust import name_code, whole_name


def selected(name: str, tasks: str | None = None, steps: int | None = None) -> Study:
    """A study with other tasks or steps.

    Raises:
        RunError: an unknown study, or a number of steps that cannot be.
        RecipeError: a file of the user's own that cannot be run.
        TaskError: an unknown task.
    """
    study = own_study(name) if is_file(name) else find_study(name)
    if tasks is not None:
        study = dataclasses.replace(study, tasks=listed(tasks))
        if not study.tasks:
            raise RunError("--tasks names none; give names with commas, or leave it out")
    for task in study.tasks:
        get_task(task)
    if steps is not None:
        if steps < 1:
            raise RunError(f"--steps {steps} cannot be used; give 1 or more")
        study = dataclasses.replace(study, steps=steps)
    return study


def own_study(name: str) -> Study:
    """`my_study.py:STUDY`; without a name behind the colon `STUDY`."""
    file, _, wanted = name.partition(":")
    wanted = wanted or "STUDY"
    name_code([file])
    module = load_file(whole_name(file))
    found = getattr(module, wanted, None)
    if not isinstance(found, Study):
        known = [k for k, v in vars(module).items() if isinstance(v, Study)]
        hint = did_you_mean(wanted, known) if known else "Define STUDY = Study(...)."
        raise RunError(f"'{file}' has no study '{wanted}'. {hint}")
    return found


def listed(text: str | None) -> tuple[str, ...]:
    """`a,b` as names, each once."""
    if text is None:
        return ()
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
