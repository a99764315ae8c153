"""An agent on disk: what `save` writes and `load` reads, and the folder that it keeps."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import jax
import numpy as np

from warmstart.agent.live import Live
from warmstart.api.declare import Declared
from warmstart.api.policies import facts_of, step_of
from warmstart.api.prepare import problem_of
from warmstart.api.python_values import given_again
from warmstart.engine import Position, Problem
from warmstart.engine.training_rows import checksum, require_same
from warmstart.envs.given import MARK, handed, spaces_of
from warmstart.envs.jax_envs import jax_env_of
from warmstart.envs.make import GymEnv, make_env
from warmstart.errors import DataError, RecipeError, RunError, TaskError
from warmstart.files.durable import entries, make_folder
from warmstart.files.machine import versions
from warmstart.learners import Learner
from warmstart.policy.actor import NoNumpyForm, NumpyPolicy
from warmstart.policy.describe import acting_part
from warmstart.policy.folder import CARD, Stored, read_policy, write_policy
from warmstart.replay import Layout
from warmstart.runs.checkpoints import Checkpoints
from warmstart.state import State
from warmstart.tasks import custom_task
from warmstart.types import Spec
from warmstart.views import View

LOG = logging.getLogger("warmstart")
STATE, FORMAT = "state", 1


class LoadedAgent:
    """What lies in a folder of `Agent.save`, or a policy folder; woken when it has to learn."""

    def __init__(self, folder: Path, env: Any, data: Any) -> None:
        self.folder: Path = folder
        self._env = env
        self._data = data
        self._policy = read_policy(folder) if (folder / CARD).exists() else None
        if self._policy is not None and env is not None:
            self._same_spaces(self._policy.card)
        self._actor: NumpyPolicy | None = None

    @property
    def seed(self) -> int:
        """The agent's."""
        return 0 if self._policy is None else int(self._policy.card.get("seed", 0))

    def actor(self) -> NumpyPolicy:
        """Its policy in NumPy. Raises RunError."""
        if self._policy is None:
            raise RunError(
                f"the agent in '{self.folder}' has a network that could not be kept apart, and "
                "cannot predict; use evaluate()"
            )
        if self._actor is None:
            try:
                self._actor = NumpyPolicy(self._policy)
            except NoNumpyForm as error:
                raise RunError(
                    f"the agent in '{self.folder}' cannot predict: {error.why}; use evaluate()"
                ) from error
        return self._actor

    def _same_spaces(self, told: Any) -> None:
        """Refuse (TaskError) an environment whose spaces are not those that were learnt on."""
        env = GymEnv(custom_task(f"{MARK}env"), given=handed(self._env))
        try:
            for part in ("observation", "action"):
                if _shapes(env.interface[part]) != _shapes(told[part]):
                    raise TaskError(
                        f"the environment's {part} space is not the one that the agent in "
                        f"'{self.folder}' has learnt on; give that one, or train again"
                    )
        finally:
            env.close()

    def wake(self) -> Live:
        """What learns, as it was saved.

        Raises:
            RunError: a policy alone, a damaged folder, or one of another version.
            DataError: logged rows are drawn on, and are not given, or others are.
        """
        if not (self.folder / STATE).is_dir():
            raise RunError(
                f"'{self.folder}' holds a policy alone, which can only predict; give a folder that "
                "Agent.save wrote"
            )
        made: list[Live] = []

        def like(meta: dict[str, Any]) -> Any:
            made[:] = [self._made(meta)]
            trainer = made[0].trainer
            layout = Layout.of(made[0].problem.spec)
            rows = np.zeros((1, meta["rows"], layout.width), np.float32)
            tree = {**trainer.model(meta["trainer"]), "rows": rows}
            if layout.pixels:
                start, stop = meta["images"]
                tree["images"] = np.zeros((stop - start, layout.pixels), np.uint8)
            return tree

        found = Checkpoints(self.folder / STATE, keep=1).restore_newest(like)
        if found is None:
            raise RunError(f"'{self.folder}' holds no agent; save it again")
        _, tree, meta = found
        live, rows = made[0], tree.pop("rows")
        images = [(meta["images"][0], tree.pop("images"))] if "images" in tree else ()
        live.trainer.restore(tree, meta["trainer"], rows if meta["rows"] else None, images)
        if meta["chosen"] is not None:
            live.chosen = np.array(meta["chosen"], np.float32)
        return live

    def _made(self, meta: dict[str, Any]) -> Live:
        if meta.get("format") != FORMAT:
            raise RunError(
                f"the agent in '{self.folder}' has format {meta.get('format')}, this warmstart "
                f"reads {FORMAT}; use the version that wrote it"
            )
        declared = given_again(Declared.from_json(meta["declared"]), self._env, self._data)
        if declared.env is None and (declared.task.env_id or "").startswith(MARK):
            spaces = spaces_of(meta["interface"])
            declared = dataclasses.replace(declared, env=handed(spaces))
        at, replay = Position.stored(meta["trainer"]["position"]), declared.recipe.replay
        draws = at.phase == "pretrain" or replay.source.logged or replay.preload.kind != "none"
        problem = _told(declared, meta)
        if draws and declared.recipe.needs_dataset:
            source = declared.task.data
            named = source is not None and (source.path or "").startswith(MARK)
            if declared.arrays is None and named:
                raise DataError(
                    f"{declared.method} goes on drawing logged rows, which were handed in from "
                    "Python; give them again as data="
                )
            problem = problem_of(declared, examine=False, trial=False)
            now = checksum(problem)
            require_same(meta["data"], now, declared.task, str(self.folder))
        return Live(declared, dataclasses.replace(problem, physical=True), logged=meta["data"])


def _shapes(part: Mapping[str, Any]) -> Any:
    """What of a space has to be the same: the shapes of observations, the box of actions."""
    if "parts" in part:
        return [(item["path"], item["shape"]) for item in part["parts"]]
    return part["shape"], np.float32(part["low"]).tolist(), np.float32(part["high"]).tolist()


def read_agent(folder: Path, env: Any, data: Any) -> LoadedAgent:
    """An agent's folder. Raises RunError where it is none."""
    if not (folder / CARD).exists() and not (folder / STATE).is_dir():
        what = "holds no agent" if folder.exists() else "does not exist"
        raise RunError(f"'{folder}' {what}; give a folder that Agent.save wrote")
    return LoadedAgent(folder, env, data)


def save_agent(live: Live, folder: Path) -> Path:
    """Write an agent. Raises RunError where something else lies there, or it cannot be written."""
    make_folder(folder)
    if entries(folder) and not (folder / CARD).exists() and not (folder / STATE).is_dir():
        raise RunError(f"'{folder}' holds something else; give an empty folder, or an agent's")
    with live.lesson:
        trainer, problem = live.trainer, live.problem
        mark, chosen = live.mark()
        tree, told = trainer.snapshot(mark)
        rows = np.zeros((1, 0, Layout.of(problem.spec).width), np.float32)
        if count := trainer.inserted(tree):
            rows = trainer.held(count)
        tree["rows"], seen = rows, {}
        if problem.spec.cameras:
            (stop,) = trainer.counted(count)
            start = max(0, stop - trainer.carries.room_for_images())
            empty = np.zeros((0, problem.spec.pixels), np.uint8)
            tree["images"] = trainer.images(0, start, stop) if stop else empty
            seen = {"images": [start, stop]}
    meta = {
        "format": FORMAT,
        "versions": versions(),
        "declared": live.declared.to_json(),
        "spec": dataclasses.asdict(problem.spec),
        "failure_reward": problem.failure_reward,
        "return_rule": problem.return_rule,
        "score": problem.score,
        "interface": problem.interface,
        "env_name": problem.env_name,
        "data": live.logged,
        "trainer": told,
        "chosen": None if chosen is None else chosen.tolist(),
        "rows": rows.shape[1],
        **seen,
    }
    kept = Checkpoints(folder / STATE, keep=1)
    kept.save((kept.latest() or 0) + 1, tree, meta)
    try:
        state = jax.tree.map(lambda x: x[0], tree["state"])
        stored = described(live, trainer.carries.learner(trainer.position), state)
    except RecipeError as error:
        LOG.warning("The agent in %s cannot predict once it is loaded: %s", folder, error)
    else:
        write_policy(folder, stored.card, stored.tensors)
    return folder


def described(live: Live, learner: Learner, state: State) -> Stored:
    """An agent's policy as a policy folder holds it.

    Args:
        live: whose.
        learner: that looks at the state.
        state: on the host, at least as much of it as acting reads.

    Raises:
        RecipeError: a network that cannot be kept.
        RunError: nothing that acts was learnt yet.
    """
    if learner.policy_kind == "none":
        raise RunError("nothing that acts was learnt yet; call pretrain() first")
    return described_view(live, learner.view(state))


def described_view(live: Live, view: View) -> Stored:
    """The same of a state that is looked at already. Raises RecipeError."""
    at, problem = live.trainer.position, live.problem
    part, tensors = acting_part(view, live.declared.recipe.acting)
    assert problem.interface is not None
    card = {
        **facts_of(live.declared),
        **problem.interface,
        "step": step_of(at),
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "seed": live.declared.seeds[0],
        "score": None,
        **part,
    }
    return Stored(Path("agent"), card, tensors)


def _told(declared: Declared, meta: dict[str, Any]) -> Problem:
    """The problem as it was saved, without its data; the environment is opened to evaluate."""
    task = declared.task
    return Problem(
        Spec(**meta["spec"]),
        make_env(task, given=declared.env),
        task.reward,
        meta["return_rule"],
        meta["failure_reward"],
        None if meta["score"] is None else tuple(meta["score"]),
        at_once=1 if task.physical else task.at_once,
        interface=meta["interface"],
        env_name=meta["env_name"],
        jax_env=jax_env_of(task, declared.env) if meta["trainer"].get("rolled") else None,
    )
