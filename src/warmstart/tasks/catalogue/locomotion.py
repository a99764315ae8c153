"""The robots of Gymnasium that learn to run, with data after D4RL's recipes.

Data come from policies that this project trained and ships (`tasks.behaviour`); a robot without
one has uniformly random data only. Scores are on D4RL's scale, but the v5 robots are not D4RL's
v2 robots: compare them with each other, not with published tables.
"""

from __future__ import annotations

from typing import Any

from warmstart.tasks.behaviour import Behaviour, behaviours
from warmstart.tasks.score import D4RL_REFERENCES
from warmstart.tasks.task import DataSource, Task

ROBOTS = {
    "hopper": "Hopper-v5",
    "halfcheetah": "HalfCheetah-v5",
    "walker2d": "Walker2d-v5",
    "ant": "Ant-v5",
}
ROWS = 1_000_000
NARROW = (0.25, 0.5, 0.75)
"""Shares of medium episodes in the sets between `medium-mix` and `medium`."""


def _robot(name: str, tier: str = "", told: str = "", **given: Any) -> Task:
    return Task(
        name=f"{name}-{tier}" if tier else name,
        domain="locomotion",
        description=f"{ROBOTS[name]}: {told}." if told else f"Run forward: {ROBOTS[name]}.",
        preset="locomotion",
        horizon=1000,
        env_id=ROBOTS[name],
        reference=D4RL_REFERENCES[name],
        **{"size_note": "bring your own dataset", **given},
    )


def _made(rows: int = ROWS, maker: str = "behaviour", **kwargs: Any) -> dict[str, Any]:
    source = DataSource(maker=maker, kwargs=kwargs, rows=rows)
    return {"data": source, "size_note": f"{rows:,} rows, made here in about {rows // 500_000} min"}


def _tiers(name: str, known: Behaviour) -> list[Task]:
    medium, best, way = known.levels["medium"], known.best, list(known.on_the_way)

    def mix(levels: list[str], rows: int = ROWS) -> dict[str, Any]:
        return _made(rows, robot=name, levels=levels)

    tasks = [
        _robot(
            name, "medium", f"a policy stopped at a score of {medium.score:.0f}", **mix(["medium"])
        ),
        _robot(
            name,
            "medium-replay",
            f"the whole replay buffer of that learner, {medium.steps:,} steps",
            data=DataSource(maker="training", kwargs={"robot": name, "steps": medium.steps}),
            size_note=f"{medium.steps:,} rows, by training again: 10 to 30 min",
        ),
        _robot(
            name,
            "medium-mix",
            f"{len(way)} policies on the way to the medium one, episode by episode",
            **mix(way),
        ),
    ]
    for share in NARROW:
        levels = {**dict.fromkeys(way[:-1], (1.0 - share) / len(way))}
        levels["medium"] = 1.0 - sum(levels.values())
        told = f"{share:.0%} of the episodes from the medium policy alone, the rest as medium-mix"
        made = _made(robot=name, levels=list(levels), shares=list(levels.values()))
        tasks.append(_robot(name, f"narrow-{share:.0%}".rstrip("%"), told, **made))
    if best is not None:
        level = known.levels[best]
        score = level.score if level.drawn is None else level.drawn
        told = f"the best policy of the training, whose draws score {score:.0f}"
        tasks.append(_robot(name, best, told, **mix([best])))
        told = f"as many episodes of the medium as of the {best} policy"
        tasks.append(_robot(name, f"medium-{best}", told, **mix(["medium", best], 2 * ROWS)))
    return tasks


def _all() -> tuple[Task, ...]:
    known, tasks = behaviours(), []
    for name in ROBOTS:
        tasks += [_robot(name), _robot(name, "random", "random actions", **_made(maker="noisy"))]
        tasks += _tiers(name, known[name]) if name in known else []
    return tuple(tasks)


WALK = Task(
    name="ant-walk",
    domain="locomotion",
    description="OGBench's ant walks in a direction that changes: the walker of the ant mazes.",
    preset="locomotion",
    horizon=1000,
    env_id="warmstart/AntWalk-v0",
    reference=(0.0, 300.0),  # metres in 100 seconds
    size_note="bring your own dataset",
)
LOCOMOTION = (*_all(), WALK)
