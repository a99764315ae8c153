"""The tasks of the search: two mazes, two arms, a table top, a walker and a log of Pendulum."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from warmstart.data.makers.make import data_root
from warmstart.tasks import Task, custom_task, get_task


@dataclass(frozen=True)
class Place:
    """A task of the panel.

    Attributes:
        task: its name in the catalogue, or "pendulum-mixed", whose log is made here.
        updates: of pre-training there, the same for every method and setting.
        episodes: of each evaluation.
    """

    task: str
    updates: int
    episodes: int


PANEL = (
    Place("metaworld-door-open", 6_000, 10),
    Place("pendulum-mixed", 6_000, 10),
    Place("jax-pointmaze-medium", 8_000, 50),
    Place("hopper-medium-replay", 10_000, 10),
    Place("metaworld-drawer-open", 6_000, 10),
    Place("cube-single-play-task1", 10_000, 20),
    Place("jax-pointmaze-large", 8_000, 50),
)
"""In the order in which settings must prove themselves: the cheap and telling ones first."""


def task_of(place: Place) -> Task:
    """The task as a run would take it, with its data made where they are not yet."""
    return pendulum() if place.task == "pendulum-mixed" else get_task(place.task)


def pendulum() -> Task:
    """Pendulum from a mixed log: a third of the episodes swing up, a third do so under heavy noise,
    a third are random."""
    file = data_root() / "pendulum-mixed.npz"
    if not file.exists():
        _write(file)
    task = custom_task(
        "Pendulum-v1",
        data_path=str(file),
        name="pendulum-mixed",
        reward_scale=0.1,
        reference=(-1250.0, -150.0),
        preset="quick",
    )
    return dataclasses.replace(task, at_once=10)


def _write(file: Path, episodes: int = 99) -> None:
    env = gymnasium.make("Pendulum-v1")
    rng = np.random.default_rng(0)
    columns: dict[str, list[np.ndarray]] = {
        name: [] for name in ("obs", "next_obs", "actions", "rewards", "terminated", "truncated")
    }
    for episode in range(episodes):
        obs, _ = env.reset(seed=episode)
        noise = (0.1, 1.0, None)[episode % 3]
        over = False
        while not over:
            push = rng.uniform(-2, 2) if noise is None else _swing(obs) + noise * rng.normal()
            action = np.clip(np.array([push], np.float32), -2.0, 2.0)
            after, reward, terminated, truncated, _ = env.step(action)
            over = terminated or truncated
            row = (obs, after, action, reward, terminated, truncated)
            for name, value in zip(columns, row, strict=True):
                columns[name].append(np.asarray(value, np.float32))
            obs = after
    env.close()
    file.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {name: np.stack(values) for name, values in columns.items()}
    np.savez(file, **arrays)


def _swing(obs: np.ndarray) -> float:
    """Pump energy far from the top, hold near it."""
    cos, sin, speed = (float(x) for x in obs)
    if cos > 0.9:
        return float(-12.0 * np.arctan2(sin, cos) - 3.0 * speed)
    energy = speed**2 / 6.0 + 5.0 * (cos - 1.0)  # of a rod of mass and length 1, g = 10
    return float(-2.0 * np.sign(speed * energy) if speed * energy else 2.0)
