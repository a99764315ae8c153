"""Where a package of environments departs from what Gymnasium asks, or has aged.

Each function knows one departure and leaves every other environment alone.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from warmstart.envs.spaces import truth

# Said over and over, and nothing that a user of these packages could act on.
_NOISE: dict[str, tuple[str, ...]] = {
    "ogbench": (r".*Box (low|high)'s precision lowered", r".*DISPLAY environment variable"),
    "metaworld": (r"Constant\(s\) may be too high",),
}


def fix(module: str) -> None:
    """Make a freshly imported package work with the installed MuJoCo, and quiet.

    From MuJoCo 3.12 on, a member of `mjtJoint` on the left of `==` no longer equals the NumPy
    integer on the right, on which Gymnasium-Robotics 1.4.2 relies for FrankaKitchen, Fetch and
    Hand: it is given plain integers to compare.
    """
    for words in _NOISE.get(module, ()):
        warnings.filterwarnings("ignore", words)
    if module != "gymnasium_robotics":
        return
    users: Any = importlib.import_module("gymnasium_robotics.utils.mujoco_utils")
    joints = users.mujoco.mjtJoint
    if joints.mjJNT_HINGE == np.int32(joints.mjJNT_HINGE):
        return
    names = [name for name in vars(joints) if name.startswith("mjJNT_")]
    plain = SimpleNamespace(**{name: int(getattr(joints, name)) for name in names})
    users.mujoco = SimpleNamespace(**{**vars(users.mujoco), "mjtJoint": plain})


def succeeded(info: Mapping[str, Any]) -> bool | None:
    """Whether the step's `info` says that the goal is reached; None: it does not say.

    FrankaKitchen lists the sub-tasks that are left: none is success.

    Raises:
        TypeError, ValueError: an `info` that is no mapping, or a success that is no yes or no.
    """
    for key in ("success", "is_success"):
        if key in info and info[key] is not None:
            return truth(info[key])
    if "tasks_to_complete" in info:
        return not info["tasks_to_complete"]
    return None
