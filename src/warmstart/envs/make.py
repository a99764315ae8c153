"""Simulators on the host. Gymnasium environments and JAX programs, one face."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import gymnasium
import numpy as np

from warmstart.envs.answers import Answers
from warmstart.envs.given import MARK, Handed
from warmstart.envs.interface import ActionBox
from warmstart.envs.jax_envs import jax_env_of
from warmstart.envs.jax_host import JaxHostEnv, compile_env
from warmstart.envs.physical import always
from warmstart.envs.registry import close_environment, open_drawing, open_gymnasium
from warmstart.envs.seeded import seeded
from warmstart.envs.spaces import (
    action_bounds,
    cameras_of,
    describe_spaces,
    flatten_observation,
    flatten_seen,
    observation_bounds,
    observation_size,
)
from warmstart.errors import TaskError, where
from warmstart.files.machine import free_memory
from warmstart.tasks import Task
from warmstart.types import EnvStep, MakeEnv, Spec
from warmstart.user_code.load import register_own

SPARE = 300_000_000
"""Bytes of memory that opening simulators leaves to everything else."""


def make_env(task: Task, render: bool = False, given: Handed | None = None) -> MakeEnv:
    """A function that opens the task's simulator; each call gives an independent one, but for a
    physical task, where all calls give the same.

    Args:
        task: names an installed Gymnasium id, one of our JAX simulators, or code of one's own.
        render: True prepares `render()`, which else returns None.
        given: the environment itself, where the task's name stands for none.

    Raises:
        TaskError: at the call of the returned function, if the id is not installed, an extra is
            missing, the environment was handed in before and is not now, or the spaces are not
            flat observations and bounded continuous actions.
    """
    env = jax_env_of(task, given)
    if env is not None:
        if task.data is not None and task.data.obs_offset is not None:
            raise TaskError(
                f"Task '{task.name}' is a JAX program, which observes float32 numbers: leave "
                "--obs-offset (in Python obs_offset=) out."
            )
        programs = compile_env(env)
        return lambda: JaxHostEnv(env, programs)

    def open_one() -> GymEnv:
        env = GymEnv(task, render, given)
        free = free_memory()
        if free < SPARE:
            env.close()
            raise TaskError(
                f"Environment {task.env_id} was opened until {free / 1e6:,.0f} MB of memory were "
                f"left; each seed opens {task.at_once} to be evaluated: open fewer with --at-once "
                "(in Python at_once=), or take fewer seeds."
            )
        return env

    return always(open_one) if task.physical else open_one


class GymEnv:
    """A Gymnasium environment as a `HostEnv`: flat float32 observations, actions in [-1, 1].

    Dict observations are joined in sorted key order, images of bytes [H, W, C] last. With
    `task.goal_cell` the goal is that cell's centre in every episode and the goal is not observed,
    since it would tell nothing; nor is the achieved goal, unless it alone says where the robot is.
    It never resets by itself.

    Attributes:
        spec: sizes and time limit.
        action_box: (low [A], high [A]), the environment's own limits.
        observation_box: (low [O], high [O]), what it declares; infinite where nothing. Images
            have no part in it.
        obs_offset: [O] float64, taken away from every observation, or None.
        interface: its spaces as JSON, see `spaces.describe_spaces`.
        task: what it was made for.

    Raises:
        TaskError: see `make_env`.
    """

    def __init__(self, task: Task, render: bool = False, given: Handed | None = None) -> None:
        self.task: Task = task
        self._given = given is not None
        self._t = 0
        self._closes = given is None or given.many
        kwargs = dict(task.env_kwargs)
        if task.horizon:
            kwargs["max_episode_steps"] = task.horizon
        self._draws = render
        if given is not None:
            self._env = given.open()
        elif (task.env_id or "").startswith(MARK):
            raise TaskError(
                f"The environment ({task.env_id}) was handed in from Python and stands in no file: "
                "give it again as env=."
            )
        else:
            opened = open_drawing if render else open_gymnasium
            self._env = opened(register_own(task.env_id or "", task.env_kwargs), kwargs)
        try:
            self._look()
        except TaskError:
            self.close()
            raise

    def _look(self) -> None:
        """Spaces and time limit; TaskError where they do not fit."""
        task, name = self.task, f"Environment {self.task.env_id}"
        try:
            space, self._action_space = self._env.observation_space, self._env.action_space
        except AttributeError as error:
            raise TaskError(
                f"{name} declares no such space ({where(error)}): set self.observation_space and "
                "self.action_space in its __init__."
            ) from error
        for what, cells in (("goal", [task.goal_cell]), ("start", task.start_cells)):
            for cell in cells:
                if cell is not None:
                    self._check_cell(name, what, cell)
        if task.goal_cell is not None:
            # The ball's place stands in its observation too; the ant's does not.
            placed = hasattr(self._env.unwrapped, "point_env")
            self._kept = ("observation",) if placed else ("achieved_goal", "observation")
            space = gymnasium.spaces.Dict({key: space[key] for key in self._kept})
        low, high = action_bounds(self._action_space, name)
        self.action_box: tuple[np.ndarray, np.ndarray] = low, high
        self._boxed = ActionBox(self._action_space.low, self._action_space.high)
        self._answers = Answers(task, self._observe)
        spec = self._env.spec
        limit = (spec and spec.max_episode_steps) or 0
        if self._given:
            limit = task.horizon or limit
        size, cameras = observation_size(space, name), cameras_of(space)
        self.spec: Spec = Spec(size, len(low), limit, cameras)
        if not self.spec.obs_dim:
            raise TaskError(
                f"{name} observes no numbers: declare at least one in its observation_space."
            )
        self.observation_box = observation_bounds(space)
        self._take_offset(name)
        kept = None if task.goal_cell is None else self._kept
        self.interface: dict[str, Any] = describe_spaces(
            self._env.observation_space, self._action_space, kept, self.obs_offset
        )
        self._parts = self.interface["observation"]["parts"]

    def _take_offset(self, name: str) -> None:
        """The offset that the task's data say; TaskError where it has another size."""
        said = None if self.task.data is None else self.task.data.obs_offset
        self.obs_offset: np.ndarray | None = None if said is None else np.array(said, np.float64)
        if self.obs_offset is None:
            return
        if self.spec.cameras:
            raise TaskError(
                f"{name} shows images, from which no offset is taken away: leave --obs-offset (in "
                "Python obs_offset=) away."
            )
        if len(self.obs_offset) != self.spec.obs_dim:
            raise TaskError(
                f"{name} observes {self.spec.obs_dim} numbers, --obs-offset has "
                f"{len(self.obs_offset)}: give one for each, 0 where nothing is taken away."
            )
        low, high = self.observation_box
        self.observation_box: tuple[np.ndarray, np.ndarray] = (
            low - self.obs_offset,
            high - self.obs_offset,
        )

    @property
    def simulator(self) -> Any:
        """The environment itself, without Gymnasium's wrappers."""
        return self._env.unwrapped

    @property
    def knows_success(self) -> bool:
        """Whether it is known, since the environment was opened, how success is told."""
        return self._answers.knows_success

    def reset(self, seed: int) -> np.ndarray:
        """Start the episode that belongs to `seed`; [O] float32."""
        self._t = 0
        if not (options := self._cells(int(seed))):
            try:
                with seeded(self._env, int(seed)):
                    obs, info = self._env.reset(seed=int(seed))
            except TaskError:  # spaces alone say what they are
                raise
            except (Exception, SystemExit) as error:
                raise self._failed("reset", error) from error
            if not isinstance(info, Mapping | None):
                raise TaskError(
                    f"Environment {self.task.env_id} answered a reset with something else than an "
                    "observation and a dict: return observation, info."
                )
            return self._observe(obs)
        obs, _ = self._env.reset(seed=int(seed), options=options)
        maze = self._env.unwrapped
        if "goal_cell" in options:
            # The environment adds noise to any goal; ours is the cell's very centre.
            maze.goal = maze.maze.cell_rowcol_to_xy(options["goal_cell"])
            maze.update_target_site_pos()
        return self._observe(obs)

    def _cells(self, seed: int) -> dict[str, np.ndarray]:
        """A maze's options for the episode of `seed`: the cells of its goal and of its start."""
        options = {}
        if self.task.goal_cell is not None:
            options["goal_cell"] = np.array(self.task.goal_cell)
        if starts := self.task.start_cells:
            # Another stream than the simulator's own, which draws the noise around the cell.
            options["reset_cell"] = np.random.default_rng([seed, len(starts)]).choice(starts)
        return options

    def step(self, action: np.ndarray) -> EnvStep:
        """Take `action` [A] in [-1, 1], clipped and rescaled to the environment's own box."""
        boxed = self._boxed(np.asarray(action, np.float32))
        try:
            obs, reward, terminated, truncated, info = self._env.step(boxed)
        except (Exception, SystemExit) as error:
            raise self._failed("step", error) from error
        out = self._answers.step(obs, reward, terminated, truncated, info)
        self._t += 1
        late = self._given and 0 < self.spec.horizon <= self._t  # else a wrapper sees to it
        return out._replace(truncated=True) if late and not out.terminated else out

    def render(self) -> np.ndarray | None:
        """[H, W, 3] uint8, or None if this environment was not opened for it or cannot draw."""
        if not self._draws:
            return None
        try:
            frame = self._env.render()
        except Exception:  # drawing libraries raise whatever they like; a film is never vital
            return None
        return None if frame is None else np.asarray(frame, np.uint8)

    def close(self) -> None:
        """Free the simulator; where it fails in that, the log says so."""
        if self._closes:
            close_environment(self._env, self.task.env_id or "")

    def _observe(self, obs: Any) -> np.ndarray:
        if self.task.goal_cell is not None:
            return flatten_observation({key: obs[key] for key in self._kept}, self.obs_offset)
        if self.spec.cameras:
            return flatten_seen(obs, self._parts, f"Environment {self.task.env_id}")
        flatten = partial(flatten_observation, offset=self.obs_offset)
        flat = self._answers.told("observation", "an array of numbers", flatten, obs)
        if len(flat) != self.spec.obs_dim:
            raise TaskError(
                f"Environment {self.task.env_id} observed {len(flat)} numbers, its observation "
                f"space declares {self.spec.obs_dim}: let both say the same."
            )
        return flat

    def _failed(self, at: str, error: BaseException) -> TaskError:
        return TaskError(
            f"Environment {self.task.env_id} failed in {at} ({where(error)}): fix the environment."
        )

    def _check_cell(self, name: str, what: str, cell: tuple[int, int]) -> None:
        maze = getattr(self._env.unwrapped, "maze", None)
        if maze is None or not hasattr(self._env.unwrapped, "update_target_site_pos"):
            raise TaskError(
                f"{name} is not a maze, so it has no {what} cell: leave {what}_cell"
                f"{'' if what == 'goal' else 's'} out."
            )
        inside = 0 <= cell[0] < maze.map_length and 0 <= cell[1] < maze.map_width
        if not inside or maze.maze_map[cell[0]][cell[1]] == 1:
            raise TaskError(
                f"{name} has no free cell {cell} for its {what}: choose a (row, column) of its "
                "map that is not a wall."
            )
