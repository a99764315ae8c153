"""What a vector environment observes, as numbers and images of each of its environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from warmstart.data.images import side_by_side, told_apart, words
from warmstart.envs.spaces import cameras_of, flatten_observation, flatten_rows, observation_size
from warmstart.errors import DataError, TaskError
from warmstart.types import Camera


class Look(NamedTuple):
    """What one environment observes."""

    numbers: np.ndarray  # [O] float32
    images: np.ndarray | None  # [P] uint8, the cameras' side by side


class Looks:
    """Reads the observations of `count` environments of one space.

    Args:
        space: of a single environment.
        where: the environments' name, for messages.
        count: how many they are.
        obs_offset: [O], taken away in float64.

    Raises:
        TaskError: a space that is not numbers or images, or images and an offset.
        DataError: an offset of another size.
    """

    def __init__(
        self, space: Any, where: str, count: int, obs_offset: Sequence[float] | None
    ) -> None:
        self._name, self._count = where, count
        self.cameras: tuple[Camera, ...] = cameras_of(space)
        self._width = observation_size(space, where) - sum(c.size for c in self.cameras)
        if self.cameras and obs_offset is not None:
            raise TaskError(
                f"{where} shows images, from which no offset is taken away: leave obs_offset= away."
            )
        self.offset: np.ndarray | None = (
            None if obs_offset is None else np.array(obs_offset, np.float64)
        )
        if self.offset is not None and self.offset.shape != (self._width,):
            raise DataError(
                f"{where} observes {self._width} numbers, obs_offset has {self.offset.size}: give "
                "one for each, 0 where nothing is taken away."
            )

    def each(self, obs: Any) -> list[Look]:
        """Of every environment, copied: the caller may fill the same arrays again.

        Raises DataError where sizes or cameras are not those of the space.
        """
        numbers, images = self._pictured(obs) if self.cameras else (obs, None)
        rows = np.zeros((self._count, 0)) if numbers is None else flatten_rows(numbers, None)
        if rows.shape != (self._count, self._width):
            raise DataError(
                f"Observations of {self._name} have shape {rows.shape}, ({self._count}, "
                f"{self._width}) is needed: pass what the vector environment returned."
            )
        flat = np.array(rows if self.offset is None else rows - self.offset, np.float32)
        if images is None:
            return [Look(row, None) for row in flat]
        if len(images) != self._count:
            raise DataError(
                f"Observations of {self._name} show {len(images)} images of each camera, "
                f"{self._count} are needed: pass what the vector environment returned."
            )
        return [Look(row, image) for row, image in zip(flat, images, strict=True)]

    def one(self, obs: Any) -> Look:
        """Of a single observation. Raises as `each`."""
        if not self.cameras:
            return Look(flatten_observation(obs, self.offset), None)
        numbers, images = self._pictured(_alone(obs))
        flat = np.zeros(0, np.float32) if numbers is None else flatten_rows(numbers)[0]
        return Look(flat, images[0])

    def frames(self, episodes: Sequence[Sequence[Look]]) -> dict[str, Any]:
        """The images of episodes [T + 1] as `Dataset` takes them, each once."""
        if not self.cameras:
            return {}
        steps = [len(looks) - 1 for looks in episodes]
        frame = np.arange(sum(steps)) + np.repeat(np.arange(len(steps)), steps)
        frames = np.stack([look.images for look in chain(*episodes) if look.images is not None])
        return {"frames": frames, "frame": frame, "next_frame": frame + 1, "cameras": self.cameras}

    def _pictured(self, obs: Any) -> tuple[Any, np.ndarray]:
        """Numbers [N, ...] or None, and images [N, P]."""
        seen = told_apart(obs, self._name)
        if seen.cameras != self.cameras:
            raise DataError(
                f"Observations of {self._name} show {words(seen.cameras)}, {words(self.cameras)} "
                "is needed: pass what the vector environment returned."
            )
        return seen.numbers, np.array(side_by_side(seen.images))


def _alone(observation: Any) -> Any:
    """One observation as a batch of one."""
    if isinstance(observation, Mapping):
        return {key: _alone(held) for key, held in observation.items()}
    return np.asarray(observation)[None]
