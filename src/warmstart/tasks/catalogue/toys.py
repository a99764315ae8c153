"""A task for tests, solved in seconds."""

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
)
