"""Which subtask comes next on the way to a goal, on OGBench's table tops.

An subtask is one thing that an oracle can do: put a cube somewhere, press a button, slide the
drawer or the window. It is told to the oracle as the entries that OGBench's own data collection
adds to `info`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

_NEAR = 0.04
"""Metres: OGBench's tolerance for cubes, drawer and window."""
_BESIDE = 0.06
_OPEN = -0.12
"""Metres: the drawer is open enough for a cube."""


@dataclass(frozen=True)
class Subtask:
    """What to do: `kind` names the oracle, `told` is what it reads from `info`."""

    kind: str
    told: dict[str, Any]


def next_subtask(bare: Any, info: dict[str, Any], rng: np.random.Generator) -> Subtask:
    """The next subtask towards the goal of OGBench's environment `bare`, from its `info` now."""
    if not hasattr(bare, "_num_cubes"):
        return _press_for_puzzle(bare, info)
    if not hasattr(bare, "_num_buttons"):
        return _cube(bare, info, rng)
    return _scene(bare, info, rng)


def _scene(bare: Any, info: dict[str, Any], rng: np.random.Generator) -> Subtask:
    """Button 0 locks the drawer, button 1 the window: what is locked is unlocked first."""
    goal = bare._data.mocap_pos[bare._cube_target_mocap_ids[0]]
    cube = info["privileged/block_0_pos"]
    drawer, window = info["privileged/drawer_pos"][0], info["privileged/window_pos"][0]
    if (
        goal[1] < bare._object_sampling_bounds[0][1] - _NEAR
    ):  # into the drawer, which takes it along
        if not bare._is_in_drawer(cube):
            opened = drawer < _OPEN
            return _put(0, bare._drawer_center) if opened else _slide(bare, info, "drawer", -0.16)
    elif np.linalg.norm(cube - goal) > _NEAR:
        return _put(0, goal)
    if abs(drawer - bare._target_drawer_pos) > _NEAR:
        return _slide(bare, info, "drawer", bare._target_drawer_pos)
    if abs(window - bare._target_window_pos) > _NEAR:
        return _slide(bare, info, "window", bare._target_window_pos)
    wrong = np.flatnonzero(bare._cur_button_states != bare._target_button_states)
    return _press(bare, info, int(wrong[0]) if len(wrong) else 0)


def _slide(bare: Any, info: dict[str, Any], what: str, to: float) -> Subtask:
    """Slide it until its joint stands at `to`, unlocked first; told is where the handle is then."""
    lock = 0 if what == "drawer" else 1
    if bare._cur_button_states[lock] == 0:
        return _press(bare, info, lock)
    way = to - info[f"privileged/{what}_pos"][0]
    handle = info[f"privileged/{what}_handle_pos"] + way * bare._data.joint(f"{what}_slide").xaxis
    return Subtask(what, {f"privileged/target_{what}_handle_pos": handle})


def _press(bare: Any, info: dict[str, Any], button: int) -> Subtask:
    return Subtask(
        "button",
        {
            "privileged/target_button": button,
            "privileged/target_button_state": 1 - info[f"privileged/button_{button}_state"],
            "privileged/target_button_top_pos": bare._data.site_xpos[
                bare._button_site_ids[button]
            ].copy(),
        },
    )


def _press_for_puzzle(bare: Any, info: dict[str, Any]) -> Subtask:
    """The first press of a shortest solution of "Lights Out", searched among all of them."""
    rows, columns = bare._num_rows, bare._num_cols
    cells = np.array(list(itertools.product(range(rows), range(columns))))
    flips = np.abs(cells[:, None] - cells[None]).sum(-1) <= 1  # [button, light]
    wrong = bare._cur_button_states != bare._target_button_states
    for count in range(1, len(cells) + 1):
        for presses in itertools.combinations(range(len(cells)), count):
            if np.array_equal(np.bitwise_xor.reduce(flips[list(presses)]), wrong):
                return _press(bare, info, presses[0])
    return _press(bare, info, 0)


def _put(block: int, where: np.ndarray) -> Subtask:
    return Subtask(
        "cube",
        {
            "privileged/target_block": block,
            "privileged/target_block_pos": np.array(where),
            "privileged/target_block_yaw": np.zeros(1),
        },
    )


def _cube(bare: Any, info: dict[str, Any], rng: np.random.Generator) -> Subtask:
    """The lowest cube that is not home and can go there; where none can, one steps aside."""
    count = bare._num_cubes
    at = np.array([info[f"privileged/block_{i}_pos"] for i in range(count)])
    goals = bare._data.mocap_pos[bare._cube_target_mocap_ids]
    away = [i for i in range(count) if np.linalg.norm(at[i] - goals[i]) > _NEAR]
    free = [i for i in away if not any(_on(at[j], at[i]) for j in range(count) if j != i)]
    for i in sorted(free, key=lambda i: float(goals[i][2])):
        others = [j for j in range(count) if j != i]
        below = [j for j in others if _on(goals[i], goals[j])]
        taken = [j for j in others if np.linalg.norm(at[j] - goals[i]) < _BESIDE and j not in below]
        if not taken and not set(below) & set(away):
            return _put(i, goals[i])
    low, high = bare._target_sampling_bounds
    while True:
        spot = np.array([*rng.uniform(low, high), 0.02])
        if np.all(np.linalg.norm(np.concatenate([at, goals])[:, :2] - spot[:2], axis=1) > 0.1):
            return _put(free[0] if free else 0, spot)


def _on(upper: np.ndarray, lower: np.ndarray) -> bool:
    return bool(upper[2] > lower[2] + 0.02 and np.linalg.norm(upper[:2] - lower[:2]) < _NEAR)
