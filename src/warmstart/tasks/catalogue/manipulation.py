"""Move things with an arm, from data made here: OGBench's table tops and Meta-World.

Where rewards are negative until the goal ends the episode, the reward of an episode that was cut
goes on for ever behind it: return rule "infinite".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from warmstart.tasks.task import DataSource, Task


@dataclass(frozen=True)
class _TableTop:
    """One of OGBench's scenes: time limit, what is paid, its five tasks, minutes for its data."""

    horizon: int
    pay: str
    tasks: tuple[str, str, str, str, str]
    minutes: int


_TABLE_TOPS = {
    "cube-single": _TableTop(
        200,
        "-1 until then",
        (
            "Carry the cube to the side",
            "Carry the cube away from you",
            "Carry the cube towards you",
            "Carry the cube across",
            "Carry the cube across, the other way",
        ),
        3,
    ),
    "cube-double": _TableTop(
        500,
        "minus the cubes that are not there",
        (
            "Carry one of two cubes",
            "Carry two cubes",
            "Carry two cubes apart",
            "Let two cubes change places",
            "Stack two cubes",
        ),
        4,
    ),
    "scene": _TableTop(
        750,
        "minus what is not yet so",
        (
            "Open drawer and window",
            "Close drawer and window, which are locked",
            "Open the drawer, close the window, move the cube",
            "Put the cube into the drawer, which is locked",
            "Put the cube into the drawer and open the window, all locked",
        ),
        3,
    ),
    "puzzle-3x3": _TableTop(
        500,
        "minus the lights that are wrong",
        (
            "Lights Out on nine buttons, two presses away",
            "Lights Out, five presses away",
            "Lights Out, eight presses away",
            "Lights Out, nine presses away",
            "Lights Out, seven presses away",
        ),
        3,
    ),
}
_DATA: dict[str, tuple[str, dict[str, Any]]] = {
    "play": ("smooth subtasks", {"kind": "play"}),
    "noisy": ("disturbed subtasks", {"kind": "noisy"}),
    "demos": ("demonstrations", {"kind": "demos"}),
    "mixed": ("subtasks and a few demonstrations", {"kind": "play", "demo_every": 10}),
}
"""What the data show, and the keywords of the maker."""


def _table_top(scene: str, data: str, number: int) -> Task:
    facts, (shown, kwargs) = _TABLE_TOPS[scene], _DATA[data]
    stands_in_for = ""
    if scene == "scene" and data == "play":
        stands_in_for = "FrankaKitchen, with its reward in stages"
    if scene == "cube-single" and data == "mixed":
        stands_in_for = "COG's manipulation: play data and a few demonstrations"
    return Task(
        name=f"{scene}-{data}-task{number}",
        domain="manipulation",
        description=f"{facts.tasks[number - 1]} (OGBench): {facts.pay}. Data: {shown}.",
        preset="quick",
        horizon=facts.horizon,
        env_id=f"{scene}-singletask-task{number}-v0",
        data=DataSource(maker="table_top", kwargs=kwargs),
        return_rule="infinite",
        success=True,
        reference=(0.0, 1.0),
        at_once=4,  # one takes 160 MB
        size_note="100 demonstrations, made here in about a minute"
        if data == "demos"
        else f"100,000 rows, made here in about {facts.minutes} minutes",
        stands_in_for=stands_in_for,
    )


_METAWORLD: dict[str, tuple[str, float, str]] = {
    "reach": ("Move the gripper to a point", 1.0, ""),
    "door-open": ("Open the door", 1.0, "Adroit's door with binary reward"),
    "door-open-noisy": ("Open the door, from clumsy logs", 2.5, ""),
    "drawer-close": ("Close the drawer", 1.0, ""),
    "drawer-open": ("Open the drawer", 1.0, "Adroit's relocate with binary reward"),
    "button-press-topdown": ("Press the button from above", 1.0, ""),
    "peg-insert-side": ("Insert the peg from the side", 0.5, "Adroit's pen with binary reward"),
}
"""What to do, most noise of the scripted policy, what it stands in for."""


def _metaworld(name: str) -> Task:
    robot = name.removesuffix("-noisy")
    purpose, noise, stands_in_for = _METAWORLD[name]
    return Task(
        name=f"metaworld-{name}",
        domain="manipulation",
        description=f"{purpose} (Meta-World, 50 goals): -1 until it is done.",
        preset="quick",
        horizon=500,
        env_id="Meta-World/MT1",
        env_kwargs={"env_name": f"{robot}-v3", "seed": 0},
        data=DataSource(maker="metaworld", kwargs={"noise": noise}),
        return_rule="infinite",
        success=True,
        success_reward=True,
        reference=(0.0, 1.0),
        size_note="100 episodes, made here in half a minute",
        stands_in_for=stands_in_for,
    )


MANIPULATION: tuple[Task, ...] = (
    *(_table_top("cube-single", data, n) for data in _DATA for n in range(1, 6)),
    *(
        _table_top(scene, data, n)
        for scene in ("cube-double", "scene", "puzzle-3x3")
        for data in ("play", "noisy", "demos")
        for n in range(1, 6)
    ),
    *map(_metaworld, _METAWORLD),
)
