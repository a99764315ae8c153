"""The behaviour policies of the robots that come with the package: what they are.

`policies/ROBOT.json` is the record of one training with this project's own SAC: environment,
seed, package versions, the scores on the way, and the levels that were kept. `policies/ROBOT.npz`
holds their weights as float16, without pickle. A robot without a record has no data of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.errors import TaskError, did_you_mean

FOLDER = Path(__file__).parent / "policies"
MEDIUM = 100.0 / 3.0
"""D4RL's medium policy: stopped at about a third of the expert's score."""
EXPERT = 80.0
"""From this score of its draws on the best policy is called `expert`, below it `good`."""


@dataclass(frozen=True)
class Level:
    """One policy of a training.

    Attributes:
        steps: after how many steps it was kept.
        score: in the 10 episodes of its evaluation then, which take its mode.
        drawn: in 100 episodes of its draws, which data are made of; of a robot's best policy alone.
    """

    steps: int
    score: float
    drawn: float | None = None


@dataclass(frozen=True)
class Behaviour:
    """The record of a robot's training.

    Attributes:
        robot: its task's name.
        method, seed, steps: the declared training: steps is its budget, not its end.
        levels: by name: "medium", perhaps "good" or "expert", and "step-N" for the mixtures.
        policy: what the network looks like, as JSON of a `PolicySpec`.
        packages: versions of everything that had a say.
        curve: (steps, score) of every evaluation.
    """

    robot: str
    method: str
    seed: int
    steps: int
    levels: Mapping[str, Level]
    policy: Mapping[str, Any]
    packages: Mapping[str, str]
    curve: tuple[tuple[int, float], ...]

    @property
    def best(self) -> str | None:
        """The level above medium, where there is one."""
        return next((name for name in ("expert", "good") if name in self.levels), None)

    @property
    def weights(self) -> Path:
        """The file of the weights."""
        return FOLDER / f"{self.robot}.npz"

    @property
    def on_the_way(self) -> tuple[str, ...]:
        """The levels from the beginning to the medium policy, in order."""
        last = self.levels["medium"].steps
        steps = {n: level.steps for n, level in self.levels.items() if n.startswith("step-")}
        return (*sorted((n for n in steps if steps[n] < last), key=steps.__getitem__), "medium")


def behaviours() -> dict[str, Behaviour]:
    """The robots that have one, by name."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.json"))}


def behaviour(robot: str) -> Behaviour:
    """The record of a robot; TaskError for one that has none."""
    known = behaviours()
    if robot not in known:
        raise TaskError(
            f"No behaviour policy of '{robot}' is shipped. {did_you_mean(robot, known)}"
        )
    return known[robot]


def _read(path: Path) -> Behaviour:
    record = json.loads(path.read_text())
    return Behaviour(
        robot=path.stem,
        method=record["method"],
        seed=record["seed"],
        steps=record["steps"],
        levels={name: Level(**level) for name, level in record["levels"].items()},
        policy=record["policy"],
        packages=record["packages"],
        curve=tuple((int(steps), float(score)) for steps, score in record["curve"]),
    )
