"""A task of our own that has to be seen: the goal stands in the image alone.

Drawn by NumPy, so that neither OpenGL nor a simulator is needed.
"""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict

NAME = "warmstart/PixelReach-v0"
SIZE, STEP, RADIUS, NEAR, HORIZON = 32, 0.15, 0.16, 0.15, 30


class PixelReach(gymnasium.Env[Any, Any]):
    """A hand (red) shall come to a goal (green) on a plane.

    Observation: "camera" [32, 32, 3] uint8 from above, and "hand" [2], where the hand is. Action
    [2]: how the hand moves, at most 0.15 on each axis of a plane of half-width 1. The reward is
    minus the distance to the goal, success is to be within 0.15 of it; nothing terminates, and
    an episode has 30 steps. Hand and goal start anywhere, evenly.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode: str | None = render_mode
        self.observation_space: Any = Dict(
            {
                "camera": Box(0, 255, (SIZE, SIZE, 3), np.uint8),
                "hand": Box(-1.0, 1.0, (2,), np.float32),
            }
        )
        self.action_space: Any = Box(-1.0, 1.0, (2,), np.float32)
        self.hand: np.ndarray = np.zeros(2, np.float32)
        self.goal: np.ndarray = np.zeros(2, np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """A hand and a goal, and {}."""
        super().reset(seed=seed)
        places = self.np_random.uniform(-0.9, 0.9, (2, 2)).astype(np.float32)
        self.hand, self.goal = places[0], places[1]
        return self._seen(), {}

    def step(self, action: Any) -> Any:
        """A tenth of a second."""
        move = np.float32(STEP) * np.clip(np.asarray(action, np.float32), -1.0, 1.0)
        self.hand = np.clip(self.hand + move, np.float32(-1.0), np.float32(1.0))
        distance = float(np.linalg.norm(self.hand - self.goal))
        return self._seen(), -distance, False, False, {"success": distance < NEAR}

    def render(self) -> Any:
        """The camera's image, six times as large."""
        return np.kron(drawn(self.hand, self.goal), np.ones((6, 6, 1), np.uint8))

    def _seen(self) -> dict[str, np.ndarray]:
        return {"camera": drawn(self.hand, self.goal), "hand": self.hand.copy()}


_AXIS = (np.arange(SIZE, dtype=np.float32) + 0.5) * (2.2 / SIZE) - 1.1
"""Centres of the pixels along an axis."""


def drawn(hand: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """[32, 32, 3] uint8: goal and hand as discs whose borders are soft, on grey."""
    image = np.full((SIZE, SIZE, 3), 40.0, np.float32)
    for place, colour in ((goal, (40.0, 230.0, 40.0)), (hand, (230.0, 40.0, 40.0))):
        away = np.hypot(_AXIS[None, :] - place[0], _AXIS[:, None] + place[1])
        cover = np.clip((RADIUS - away) * (SIZE / 2.2) + 0.5, 0.0, 1.0)[..., None]
        image = image * (1.0 - cover) + np.array(colour, np.float32) * cover
    return np.rint(image).astype(np.uint8)


def goal_in(image: np.ndarray) -> np.ndarray:
    """[2], where the goal is, by an image [32, 32, 3] alone: the middle of what is green.

    The middle of the plane where the hand hides it.
    """
    green = np.clip(image[..., 1].astype(np.float32) - 45.0, 0.0, None)
    total = float(green.sum())
    if total < 1.0:
        return np.zeros(2, np.float32)
    right, down = green.sum(0) @ _AXIS, green.sum(1) @ _AXIS
    return np.array([right / total, -down / total], np.float32)


if NAME not in gymnasium.registry:
    gymnasium.register(
        NAME, entry_point="warmstart.envs.pixel_reach:PixelReach", max_episode_steps=HORIZON
    )
