"""Floor 2: the robots of Gymnasium that learn to run."""

from __future__ import annotations

from warmstart.tasks.score import D4RL_REFERENCES
from warmstart.tasks.task import Task

_ROBOTS = {
    "hopper": "Hopper-v5",
    "halfcheetah": "HalfCheetah-v5",
    "walker2d": "Walker2d-v5",
    "ant": "Ant-v5",
}


def _robot(name: str, env_id: str) -> Task:
    return Task(
        name=name,
        domain="locomotion",
        description=f"Run forward as fast as you can: Gymnasium's {env_id}, dense reward.",
        family="locomotion",
        horizon=1000,
        env_id=env_id,
        reference=D4RL_REFERENCES[name],
        size_note="bring your own dataset",
    )


LOCOMOTION: tuple[Task, ...] = tuple(_robot(name, env_id) for name, env_id in _ROBOTS.items())
