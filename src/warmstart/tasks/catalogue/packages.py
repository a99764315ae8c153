"""Which package brings which environment, and the extra that installs it.

An id alone says who registers it, so that tasks, tables and errors need no second list.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Package:
    """Registers environments with Gymnasium when it is imported.

    Attributes:
        module: what to import.
        title: its name for people.
        extra: the extra of this package that installs it; "" where none is needed.
        prefixes: how its environment ids begin.
        distributions: installed packages whose versions have a say in what it answers, besides
            Gymnasium, NumPy and MuJoCo; for manifests.
    """

    module: str
    title: str
    extra: str
    prefixes: tuple[str, ...]
    distributions: tuple[str, ...] = ()


PACKAGES: tuple[Package, ...] = (
    Package(
        module="gymnasium_robotics",
        title="Gymnasium-Robotics",
        extra="mazes",
        prefixes=("PointMaze", "AntMaze", "Fetch", "Hand", "Adroit", "FrankaKitchen"),
        distributions=("gymnasium-robotics",),
    ),
    Package(
        module="ogbench",
        title="OGBench",
        extra="manipulation",
        prefixes=("cube-", "scene-", "puzzle-", "pointmaze-", "antmaze-"),
        distributions=("ogbench", "dm-control"),
    ),
    Package(
        module="warmstart.envs.maze2d",
        title="Gymnasium-Robotics",
        extra="mazes",
        prefixes=("warmstart/Maze2D",),
        distributions=("gymnasium-robotics",),
    ),
    Package(
        module="warmstart.envs.ant_walk",
        title="OGBench",
        extra="manipulation",
        prefixes=("warmstart/AntWalk",),
        distributions=("ogbench",),
    ),
    Package(
        module="warmstart.envs.pixel_reach",
        title="warmstart",
        extra="",
        prefixes=("warmstart/PixelReach",),
    ),
    Package(
        module="metaworld",
        title="Meta-World",
        extra="metaworld",
        prefixes=("Meta-World/",),
        distributions=("metaworld",),
    ),
)


def package_of(env_id: str) -> Package | None:
    """The package that registers ids like this one; None: Gymnasium itself, or nobody we know."""
    return next((p for p in PACKAGES if env_id.startswith(p.prefixes)), None)
