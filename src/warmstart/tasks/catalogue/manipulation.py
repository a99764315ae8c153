"""Floor 2: move things with an arm: OGBench's table tops, Meta-World, Adroit, FrankaKitchen.

Where rewards are negative until the goal ends the episode, the reward of an episode that was cut
goes on for ever behind it: return rule "infinite".
"""

from __future__ import annotations

from typing import Any

from warmstart.tasks.score import D4RL_REFERENCES
from warmstart.tasks.task import DataSource, Task

_TABLE_TOPS: dict[str, tuple[int, str, str]] = {
    "cube-single": (200, "Pick up the cube and put it where it belongs", "-1 until it lies there"),
    "cube-double": (500, "Put both cubes where they belong", "minus the cubes that do not"),
    "scene": (750, "Set cube, buttons, drawer and window as asked", "minus what is not yet so"),
    "puzzle-3x3": (500, "Play Lights Out on nine buttons", "minus the lights that are wrong"),
}
"""Time limit, what to do, what is paid: OGBench's registry and its `compute_reward`."""
_MINUTES = {"cube-single": "3", "cube-double": "4", "scene": "3", "puzzle-3x3": "3"}
_DATA: dict[str, tuple[str, dict[str, Any]]] = {
    "play": ("smooth errands that know nothing of it", {"kind": "play"}),
    "noisy": ("disturbed errands that know nothing of it", {"kind": "noisy"}),
    "demos": ("100 demonstrations of it", {"kind": "demos", "episodes": 100}),
    "mixed": ("play and ten demonstrations of it", {"kind": "play", "demo_every": 10}),
}


def _table_top(scene: str, data: str, number: int) -> Task:
    horizon, purpose, pay = _TABLE_TOPS[scene]
    source, kwargs = _DATA[data]
    stands_in_for = ""
    if scene == "scene" and data == "play":
        stands_in_for = "FrankaKitchen: one reward for each thing that is done"
    if scene == "cube-single" and data == "mixed":
        stands_in_for = "COG's manipulation: play data with a few demonstrations"
    return Task(
        name=f"{scene}-{data}-task{number}",
        domain="manipulation",
        description=f"{purpose} (OGBench, task {number}): {pay}. Data: {source}.",
        family="paper",
        horizon=horizon,
        env_id=f"{scene}-singletask-task{number}-v0",
        data=DataSource(maker="table_top", kwargs=kwargs),
        return_rule="infinite",
        success=True,
        reference=(0.0, 1.0),
        size_note="100 demonstrations, made here in about a minute"
        if data == "demos"
        else f"100,000 rows, made here in about {_MINUTES[scene]} minutes",
        stands_in_for=stands_in_for,
    )


_METAWORLD: dict[str, tuple[str, float, str]] = {
    "reach": ("Move the gripper to a point", 1.0, ""),
    "door-open": ("Open the door", 1.0, "Adroit's door with binary reward"),
    "drawer-close": ("Close the drawer", 1.0, ""),
    "drawer-open": ("Open the drawer", 1.0, "Adroit's relocate with binary reward"),
    "button-press-topdown": ("Press the button from above", 1.0, ""),
    "peg-insert-side": ("Insert the peg from the side", 0.5, "Adroit's pen with binary reward"),
}
"""What to do, most noise of the scripted policy, what it stands in for."""


def _metaworld(name: str) -> Task:
    purpose, noise, stands_in_for = _METAWORLD[name]
    return Task(
        name=f"metaworld-{name}",
        domain="manipulation",
        description=f"{purpose} (Meta-World, 50 goals): -1 until it is done.",
        family="paper",
        horizon=500,
        env_id="Meta-World/MT1",
        env_kwargs={"env_name": f"{name}-v3", "seed": 0},
        data=DataSource(maker="metaworld", kwargs={"noise": noise}),
        return_rule="infinite",
        success=True,
        success_reward=True,
        reference=(0.0, 1.0),
        size_note="100 episodes, made here in half a minute",
        stands_in_for=stands_in_for,
    )


_HANDS = {
    "door": "Undo the latch and swing the door open",
    "pen": "Turn the pen in the hand to a given direction",
    "relocate": "Carry the ball to a given place",
    "hammer": "Drive the nail into the board",
}


def _adroit(name: str) -> Task:
    return Task(
        name=f"adroit-{name}",
        domain="manipulation",
        description=f"{_HANDS[name]} with Adroit's hand: -1 until it is done.",
        family="adroit",
        horizon=200,
        env_id=f"AdroitHand{name.capitalize()}Sparse-v1",
        return_rule="infinite",
        success=True,
        success_reward=True,
        reference=(0.0, 1.0),
        size_note="bring your own dataset",
    )


_KITCHENS = {
    "complete": ("microwave", "kettle", "light switch", "slide cabinet"),
    "partial": ("microwave", "kettle", "bottom burner", "light switch"),
    "mixed": ("microwave", "kettle", "bottom burner", "light switch"),
}
"""The four sub-tasks that D4RL's three kitchen datasets are scored by (Fu et al. 2020)."""


def _kitchen(name: str) -> Task:
    todo = list(_KITCHENS[name])
    return Task(
        name=f"kitchen-{name}",
        domain="manipulation",
        description=f"Do four things in a kitchen ({', '.join(todo)}): 1 for each.",
        family="kitchen",
        horizon=280,
        env_id="FrankaKitchen-v1",
        env_kwargs={"tasks_to_complete": todo},
        reference=D4RL_REFERENCES["kitchen"],
        size_note="bring your own dataset",
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
    *map(_adroit, _HANDS),
    *map(_kitchen, _KITCHENS),
)
