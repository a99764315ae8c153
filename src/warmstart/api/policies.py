"""The policy folders of a run, one for each seed: written at checkpoints, read to act."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import jax
import numpy as np

from warmstart.api.base import carried_base
from warmstart.api.declare import Declared, score_label
from warmstart.api.own import short_name
from warmstart.engine import Position, Problem, RunEvent
from warmstart.engine.carry import learner_at
from warmstart.errors import RecipeError, RunError, typed
from warmstart.files.machine import versions
from warmstart.learners import Learner
from warmstart.policy.describe import StoredLearner, acting_part, holds_own, stored_learner
from warmstart.policy.folder import CARD, Stored, policy_in, read_policy, write_policy
from warmstart.runs.find_policy import anothers, find_policy
from warmstart.state import State
from warmstart.types import Spec

Stacked = tuple[Position, StoredLearner, State]
"""Where the run stood, what looks at a state, and the states [S, ...] of all seeds."""

LOG = logging.getLogger("warmstart")


class Policies:
    """Writes the policy of every seed as it stands, for whoever acts later.

    Of networks that cannot be kept there is no folder, which the log says once.
    """

    def __init__(
        self, folder: Path, declared: Declared, problem: Problem, run: str | None = None
    ) -> None:
        assert problem.interface is not None
        self.folder: Path = folder
        self.declared: Declared = declared
        self._interface = problem.interface
        self._writes = True
        self._scores: dict[int | None, tuple[tuple[Any, ...], float]] = {}
        self._facts = {**facts_of(declared), "run": run}
        self._base = carried_base(declared)

    def scored(self, event: RunEvent) -> None:
        """Remember what an evaluation said of a seed, for the card of that moment."""
        self._scores[event.seed] = _moment(event), event.values["score"]

    def write(
        self, learner: Learner, at: Position, state: State, best: bool, missing: bool = False
    ) -> None:
        """Put down `policies/seed-N/latest`, and with `best` also `best`.

        Args:
            learner: of the position's phase.
            at: where the run stands.
            state: leaves [S, ...] on the host.
            best: whether this is the run's best checkpoint so far.
            missing: leave those alone that lie there already, with their scores.

        Raises:
            RunError: it cannot be written.
        """
        if not self._writes or learner.policy_kind == "none":
            return
        step = step_of(at)
        facts = {
            **self._facts,
            **self._interface,
            "step": step,
            "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        for i, seed in enumerate(self.declared.seeds):
            view = learner.view(jax.tree.map(lambda x, i=i: x[i], state))
            try:
                part, tensors = acting_part(view, self.declared.recipe.acting)
            except RecipeError as error:
                self._writes = False
                LOG.warning("This run writes no policy folder: %s", error)
                return
            when, score = self._scores.get(seed, ((), None))
            score = score if when == _moment(at.event("safe")) else None
            card, files = {**facts, "seed": seed, "score": score, **part}, {}
            if self._base is not None:
                told, more, files = self._base
                card, tensors = {**card, "base": told}, {**tensors, **more}
            for which in ("latest", "best") if best else ("latest",):
                path = policy_in(self.folder, seed, which)
                if not (missing and _holds(path, card)):
                    write_policy(path, card, tensors, files=files)


def facts_of(declared: Declared) -> dict[str, Any]:
    """What every card of a run says."""
    task = declared.task
    return {
        "method": short_name(declared.method),
        "preset": declared.preset,
        "task": task.name,
        "score_label": score_label(task),
        "reward": {"scale": task.reward.scale, "bias": task.reward.bias},
        "versions": versions(),
    }


def step_of(at: Position) -> dict[str, Any]:
    """Where a run stands, as a card says it."""
    return {name: getattr(at, name) for name in ("phase", "stage", "updates", "env_steps")}


def _moment(event: RunEvent) -> tuple[Any, ...]:
    return event.phase, event.stage, event.updates, event.env_steps


def _holds(path: Path, wanted: Mapping[str, Any]) -> bool:
    """Whether a sound policy of this moment of this run and seed lies there."""
    try:
        card = read_policy(path).card
    except RunError:
        return False
    return card["step"] == wanted["step"] and not anothers(card, wanted["seed"], wanted["run"])


def find_policies(folder: Path, seeds: Sequence[int], which: str) -> list[Stored]:
    """The policy folders of a run. Raises RunError: there are none yet, or damaged ones."""
    return [find_policy(folder, seed, which) for seed in seeds]


def stored(folder: Path, found: Sequence[Stored], declared: Declared, spec: Spec) -> Stacked:
    """The policies found in a run's folder, to act through its own rule.

    Raises RunError: they are damaged, or not all of one checkpoint.
    """
    try:
        steps = [policy.card["step"] for policy in found]
        if any(step != steps[0] for step in steps):
            raise RunError(
                f"the policies in '{folder}' are not all of one checkpoint, since the run was "
                f"stopped or goes on just now; let it write the next one: {typed('resume', folder)}"
            )
        at = Position(**steps[0])
        own = any(holds_own(policy.card["state"]) for policy in found)
        like = _like(declared, at, spec) if own else None
        each = (stored_learner(policy.card, policy.tensors, like) for policy in found)
        learners, states = zip(*each, strict=True)
        return at, learners[0], jax.tree.map(lambda *same: np.stack(same), *states)
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"'{found[0].path / CARD}' does not describe a policy ({error!r}); resume the run to "
            "write it again"
        ) from error


def _like(declared: Declared, at: Position, spec: Spec) -> dict[str, Any]:
    """The networks of a moment as the recipe makes them, without numbers."""
    recipe = declared.recipe

    def nets(learner: Learner) -> Any:
        return jax.eval_shape(lambda key: learner.init(key, spec).nets, jax.random.PRNGKey(0))

    now = learner_at(recipe, at)
    before = recipe.pretrain[-1].learner if recipe.pretrain else now
    return {"nets": nets(now), "pretrained": nets(before)}
