"""Floor 8: the policy of a run, for use outside of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import jax

from warmstart.api.declare import Declared
from warmstart.api.drive import Driver
from warmstart.api.problem import problem_of
from warmstart.edge.actor import NumpyActor
from warmstart.edge.runs import as_folder, read_run
from warmstart.errors import RunError


def actor(
    folder: Path | str,
    seed: int | None = None,
    which: Literal["latest", "best"] = "latest",
) -> NumpyActor:
    """The learnt policy of one seed of a run, in NumPy: `actor(obs) -> action`.

    It is the policy itself, without the run's acting rule: where a method chooses between two
    policies or looks for the best of several actions (PEX, JSRL, O3F), that is not part of it.

    Args:
        folder: of the run.
        seed: one of the run's; None: its first.
        which: the newest checkpoint, or the one with the best evaluation.

    Raises:
        RunError, TaskError: no such run or seed, or no checkpoint yet.
        RecipeError: a policy that has no form in NumPy.
    """
    folder = as_folder(folder)
    declared = Declared.from_json(read_run(folder))
    seed = declared.seeds[0] if seed is None else seed
    if seed not in declared.seeds:
        raise RunError(f"the run in '{folder}' has no seed {seed}; choose of {declared.seeds}")
    driver = Driver(folder, declared, problem_of(declared, examine=False))
    try:
        driver.load(which)
        trainer = driver.trainer
        learner = trainer.carries.learner(trainer.position)
        index = declared.seeds.index(seed)
        state = jax.tree.map(lambda x: x[index], trainer.state.host())
        return NumpyActor(learner.view(state))
    finally:
        driver.close()
