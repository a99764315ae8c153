"""Small datasets: healthy ones, and one for every issue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from tiny import Diary, logged

from warmstart.data.makers import make_point_mass, make_point_maze
from warmstart.envs.make import make_env
from warmstart.methods import METHODS
from warmstart.recipe import Recipe
from warmstart.tasks import Task, custom_task, get_task
from warmstart.types import Dataset, Spec


@dataclass(frozen=True)
class Patient:
    """What `examine` takes."""

    data: Dataset
    env: Any = None
    task: Task | None = None
    recipe: Recipe | None = None


def clean(episodes: int = 6, length: int = 9) -> Dataset:
    """Noise: one episode terminates, the others are cut."""
    rng = np.random.default_rng(0)
    tracks = rng.standard_normal((episodes, length + 1, 3)).astype(np.float32)
    flat = (episodes * length, 3)
    ends = np.zeros((episodes, length), bool)
    ends[:, -1] = True
    died = ends.copy()
    died[1:] = False
    return Dataset(
        obs=tracks[:, :-1].reshape(flat),
        actions=rng.uniform(-1, 1, (flat[0], 2)).astype(np.float32),
        rewards=rng.standard_normal(flat[0]).astype(np.float32),
        terminated=died.ravel(),
        truncated=(ends & ~died).ravel(),
        next_obs=tracks[:, 1:].reshape(flat),
        info={"source": "clean.npz"},
    )


def spoil(name: str, index: Any, value: Any, data: Dataset | None = None) -> Dataset:
    """One column changed in place `index`."""
    data = clean() if data is None else data
    column = getattr(data, name).copy()
    column[index] = value
    return replace(data, **{name: column})


def unmarked(data: Dataset) -> Dataset:
    """The same rows as one stream: no ends, and the next row as next observation."""
    never = np.zeros(len(data), bool)
    shifted = np.concatenate([data.obs[1:], data.next_obs[-1:]])
    return replace(data, terminated=never, truncated=never, next_obs=shifted)


def spec_only(obs: int, actions: int, horizon: int = 0) -> Any:
    """An environment of which only the sizes are looked at, and where episodes start."""
    start = np.zeros(obs, np.float32)
    return SimpleNamespace(spec=Spec(obs, actions, horizon), reset=lambda seed: start)


def bounded() -> Any:
    """An environment of which the sizes are looked at, and the bounds of the middle number."""
    low, high = np.array([-np.inf, -5.0, -np.inf]), np.array([np.inf, 5.0, np.inf])
    start = np.zeros(3, np.float32)
    return SimpleNamespace(
        spec=Spec(3, 2, 0), observation_box=(low, high), reset=lambda seed: start
    )


@cache
def mass() -> Patient:
    """Healthy, in an environment that can be replayed."""
    task = get_task("jax-pointmass")
    env = make_env(task)()
    return Patient(make_point_mass(env, 0, 8), env, task)


@cache
def maze() -> Patient:
    """Healthy, in a maze."""
    task = get_task("jax-pointmaze-umaze")
    env = make_env(task)()
    return Patient(make_point_maze(env, 0, 8, maze="umaze"), env, task)


def _mass(**changed: Callable[[Dataset], np.ndarray]) -> Callable[[], Patient]:
    def made() -> Patient:
        case = mass()
        columns: dict[str, Any] = {name: change(case.data) for name, change in changed.items()}
        return replace(case, data=replace(case.data, **columns))

    return made


def _alone(make: Callable[[], Dataset]) -> Callable[[], Patient]:
    return lambda: Patient(make())


def _uneven() -> Dataset:
    """One episode of every length from 3 to 9, all cut."""
    data = clean(7, 9)
    spans = [(start, start + 3 + i) for i, (start, _) in enumerate(data.episodes())]
    cut = data.take(spans)
    ends = np.zeros(len(cut), bool)
    ends[np.cumsum([b - a for a, b in spans]) - 1] = True
    return replace(cut, terminated=np.zeros(len(cut), bool), truncated=ends)


def _late(data: Dataset) -> np.ndarray:
    """Each reward one row later inside its episode."""
    rewards = np.roll(data.rewards, 1)
    rewards[[start for start, _ in data.episodes()]] = 0.0
    return rewards


def two_parts() -> Any:
    """An environment of which the parts of an observation are looked at, `far` behind `at`."""

    def reset(seed: int) -> np.ndarray:
        return np.array([5.0 + seed / 100, 0.1, -0.1], np.float32)

    parts = [{"path": ["at"], "shape": [1]}, {"path": ["speed"], "shape": [2]}]
    interface = {"observation": {"parts": parts}}
    return SimpleNamespace(spec=Spec(3, 2, 0), interface=interface, reset=reset)


def shuffled(first: str = "obs/speed", second: str = "obs/at") -> Patient:
    """Data whose vectors stand in the other order."""
    info = {"columns": {"obs": [first, second], "action": ["u"]}, "widths": [2, 1]}
    return Patient(replace(clean(), info=info), two_parts())


def taking_turns(count: int = 3, steps: int = 60) -> Dataset:
    """Smooth walks of several environments, one row of each after another, as one episode."""
    rng = np.random.default_rng(0)
    start = rng.standard_normal((1, count, 3))
    walks = start + np.cumsum(0.02 * rng.standard_normal((steps + 1, count, 3)), axis=0)
    rows = walks.reshape(-1, 3).astype(np.float32)
    base = clean(1, count * steps)
    return replace(base, obs=rows[: count * steps], next_obs=rows[1 : count * steps + 1])


def _far_from_goal() -> Patient:
    case = maze()
    goal = case.env.simulator.maze.goal
    nearest = [
        np.linalg.norm(case.data.next_obs[a:b, :2] - goal, axis=1).min()
        for a, b in case.data.episodes()
    ]
    far = [span for span, near in zip(case.data.episodes(), nearest, strict=True) if near > 0.45]
    if not far:  # every stream reaches the goal: keep their first rows
        far = [(a, a + 5) for a, _ in case.data.episodes()][:3]
    return replace(case, data=case.data.take(far))


SICK: dict[str, Callable[[], Patient]] = {
    "no-rows": _alone(lambda: clean().take([])),
    "unequal-columns": _alone(lambda: replace(clean(), actions=clean().actions[:5])),
    "few-rows": _alone(lambda: clean(1, 3)),
    "wrong-types": _alone(lambda: replace(clean(), obs=clean().obs.astype(np.float64))),
    "other-observation-size": lambda: Patient(clean(), spec_only(4, 2)),
    "other-observation-order": shuffled,
    "other-action-size": lambda: Patient(clean(), spec_only(3, 1)),
    "other-environment": lambda: Patient(
        replace(clean(), info={"env_id": "Pendulum-v0"}),
        spec_only(3, 2),
        custom_task("Pendulum-v1"),
    ),
    "no-environment": _alone(clean),
    "not-finite": _alone(lambda: spoil("obs", (4, 1), np.nan)),
    "wild-observations": _alone(lambda: spoil("obs", (41, 1), 1e25, clean(200))),
    "observations-outside": lambda: Patient(spoil("obs", (7, 1), 9.0), bounded()),
    "observation-scale": _alone(lambda: replace(clean(), obs=clean().obs * 1000)),
    "precision-lost": _alone(
        lambda: replace(
            clean(),
            info={"rounded": {"axes": [1], "offset": [0, 5e6, 0], "different": [54], "left": [2]}},
        )
    ),
    "still-observations": _alone(
        lambda: spoil("obs", (slice(None), 2), 1.0, spoil("next_obs", (slice(None), 2), 1.0))
    ),
    "actions-outside": _alone(lambda: spoil("actions", (7, 0), 1.5)),
    "actions-saturated": _alone(lambda: spoil("actions", (slice(0, 20), 0), 1.0)),
    "actions-still": _alone(lambda: spoil("actions", (slice(None), 1), 0.3)),
    "actions-tiny": _alone(lambda: replace(clean(), actions=0.1 * clean().actions)),
    "action-coverage": _alone(clean),
    "rewards-all-zero": _alone(lambda: spoil("rewards", slice(None), 0.0)),
    "rewards-constant": _alone(lambda: spoil("rewards", slice(None), 2.0)),
    "reward-outliers": _alone(lambda: spoil("rewards", 17, 1e6, clean(200))),
    "rewards-dropped": _alone(
        lambda: replace(
            clean(),
            info={
                "dropped": {"rows": 6, "sum": 60.0, "sum_of_sizes": 60.0, "min": 10.0, "max": 10}
            },
        )
    ),
    "reward-magnitude": _alone(lambda: replace(clean(), rewards=clean().rewards * 1e6)),
    "advantage-scale": lambda: Patient(
        replace(clean(), rewards=clean().rewards * 20), recipe=METHODS["iql"].recipe("quick")
    ),
    "rows-across-borders": lambda: replace(maze(), data=unmarked(maze().data)),
    "rows-interleaved": _alone(taking_turns),
    "next-obs-not-next-row": _alone(lambda: spoil("next_obs", 3, 7.0)),
    "next-obs-is-obs": _alone(lambda: replace(clean(), next_obs=clean().obs)),
    "duplicate-rows": _alone(lambda: clean().take(clean().episodes() + clean().episodes()[:1])),
    "one-row-episodes": _alone(lambda: replace(clean(), truncated=~clean().terminated)),
    "terminals-at-time-limit": _alone(
        lambda: replace(clean(), terminated=clean().ends, truncated=np.zeros(54, bool))
    ),
    "done-and-truncated": _alone(
        lambda: replace(clean(), info={"done_and_truncated": {"rows": 5, "truncated": 6}})
    ),
    "cuts-without-limit": _alone(_uneven),
    "longer-than-limit": lambda: Patient(clean(), spec_only(3, 2, horizon=5)),
    "one-endless-episode": _alone(lambda: clean(1, 11_000)),
    "no-terminals": _alone(lambda: spoil("terminated", slice(None), False)),
    "returns": _alone(clean),
    "success": lambda: Patient(
        spoil("rewards", slice(None), 0.0), None, custom_task("A-v0", success=True)
    ),
    "success-partly": _alone(
        lambda: replace(
            clean(), info={"success_partly": {"episodes": 6, "told": 2, "succeeded": 1}}
        )
    ),
    "return-to-go": _alone(clean),
    "return-to-go-too-high": _alone(lambda: spoil("rewards", slice(None), -1.0)),
    "place-coverage": maze,
    "goal-never-reached": _far_from_goal,
    "rows-in-walls": lambda: replace(maze(), data=replace(maze().data, obs=maze().data.obs + 1.0)),
    "not-replayable": lambda: Patient(logged(), Diary()),
    "replayed": mass,
    "other-dynamics": _mass(next_obs=lambda data: data.obs + 2 * (data.next_obs - data.obs)),
    "reward-sign": _mass(rewards=lambda data: -data.rewards),
    "reward-scale": _mass(rewards=lambda data: 10 * data.rewards - 5),
    "reward-differs": _mass(rewards=lambda data: np.sin(37 * data.rewards)),
    "reward-timing": _mass(rewards=_late),
    "terminals-differ": _mass(terminated=lambda data: data.ends),
}

ALWAYS = {"action-coverage", "returns", "return-to-go"}
"""Said of every dataset."""


def healthy(name: str) -> Patient:
    """One that has not got the issue."""
    elsewhere = {"no-environment": mass, "replayed": lambda: Patient(clean(), spec_only(3, 2))}
    alone = {"place-coverage", "not-replayable", "return-to-go-too-high"}
    if name == "few-rows":
        return Patient(clean(200))
    if name in elsewhere:
        return elsewhere[name]()
    if name in alone:
        return Patient(clean())
    return maze() if SICK[name]().env is not None else Patient(clean())
