"""Tasks for tests, solved in seconds or minutes."""

from __future__ import annotations

from warmstart.tasks.task import DataSource, Task

TOYS: tuple[Task, ...] = (
    Task(
        name="jax-pointmass",
        domain="toy",
        description="Push a point to the middle: a toy for tests (simulated in JAX).",
        preset="quick",
        horizon=50,
        jax_env="point-mass",
        data=DataSource(maker="point_mass"),
        return_rule="infinite",
        reference=(-55.0, -6.0),
        size_note="made on this machine in less than a second",
    ),
    Task(
        name="pixel-reach",
        domain="toy",
        description="Move a hand to a goal that only a camera of 32 x 32 pixels shows.",
        preset="quick",
        horizon=30,
        env_id="warmstart/PixelReach-v0",
        data=DataSource(maker="pixel_reach"),
        return_rule="infinite",
        reference=(-27.0, -2.7),
        size_note="made on this machine in less than a second",
    ),
)
