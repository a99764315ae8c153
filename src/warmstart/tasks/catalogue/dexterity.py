"""Adroit's hand and FrankaKitchen, for data that the user brings.

Nobody can make good data for them here; `stands_in_for` of other tasks says which ones play their
part.
"""

from __future__ import annotations

from warmstart.tasks.score import D4RL_REFERENCES
from warmstart.tasks.task import Task

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
        preset="adroit",
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
        preset="kitchen",
        horizon=280,
        env_id="FrankaKitchen-v1",
        env_kwargs={"tasks_to_complete": todo},
        reference=D4RL_REFERENCES["kitchen"],
        at_once=10,  # one takes 70 MB
        size_note="bring your own dataset",
    )


DEXTERITY: tuple[Task, ...] = (*map(_adroit, _HANDS), *map(_kitchen, _KITCHENS))
