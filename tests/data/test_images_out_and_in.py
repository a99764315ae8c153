"""Images in a Recorder, and in Minari's storage, both ways."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import h5py
import minari
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from PIL import Image

from warmstart import Dataset
from warmstart.data import export_minari, load
from warmstart.data.recorder import Recorder
from warmstart.envs.pixel_reach import PixelReach
from warmstart.errors import DataError, TaskError
from warmstart.types import Camera


class Room(gymnasium.Env[Any, Any]):
    """Two cameras, one inside a dict, that show episode and step; episodes last 3 and 4 steps."""

    action_space = spaces.Box(-2.0, 2.0, (1,), np.float32)

    def __init__(self, numbers: bool = True) -> None:
        shown: dict[str, Any] = {
            "arm": spaces.Dict({"wrist": spaces.Box(0, 255, (8, 10, 6), np.uint8)}),
            "top": spaces.Box(0, 255, (40, 33, 3), np.uint8),
        }
        if numbers:
            shown["state"] = spaces.Box(-np.inf, np.inf, (2,), np.float32)
        self.numbers = numbers
        self.observation_space: Any = spaces.Dict(shown)
        self.episode, self.now = -1, 0

    def observed(self) -> dict[str, Any]:
        rng = np.random.default_rng((self.episode, self.now))
        wrist, top = (rng.integers(0, 256, s, np.uint8) for s in ((8, 10, 6), (40, 33, 3)))
        state = {"state": np.array([self.episode, self.now], np.float32)} if self.numbers else {}
        return {"arm": {"wrist": wrist}, "top": top, **state}

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.episode, self.now = self.episode + 1, 0
        return self.observed(), {}

    def step(self, action: Any) -> Any:
        self.now += 1
        end = self.now == 3 + self.episode % 2
        return self.observed(), float(self.now), end, False, {}


def shown(data: Dataset, after: bool = False) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """For each row the bytes seen before (or after) it, and what the room showed there."""
    numbers, at = (data.next_obs, data.next_frame) if after else (data.obs, data.frame)
    assert data.frames is not None and at is not None
    room = Room()
    for place, frame in zip(numbers.astype(int), data.frames[at], strict=True):
        room.episode, room.now = place
        yield frame, room.observed()


def recorded(mode: AutoresetMode, steps: int = 9, numbers: bool = True) -> Recorder:
    """Two rooms, whose every array is filled with zeros once it was recorded."""
    envs = SyncVectorEnv([partial(Room, numbers)] * 2, autoreset_mode=mode)
    recorder = Recorder(envs)
    obs, _ = envs.reset(seed=0)
    recorder.reset(obs)
    for _ in range(steps):
        obs, *rest = envs.step(np.ones((2, 1), np.float32))
        recorder.step(np.ones((2, 1), np.float32), obs, *rest)
        obs["top"][:] = 0
        ended = rest[1] | rest[2]
        if mode is AutoresetMode.DISABLED and ended.any():
            recorder.reset(envs.reset(options={"reset_mask": ended})[0], ended)
    return recorder


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_recorder_keeps_each_image_once(mode: AutoresetMode, tmp_path: Path) -> None:
    recorder = recorded(mode)
    data = load(recorder.save(tmp_path / "kept"))
    assert data.cameras == (Camera("arm/wrist", (8, 10, 6)), Camera("top", (40, 33, 3)))
    assert data.frames is not None and data.frames.dtype == np.uint8
    assert len(data.frames) == len(data) + len(data.episodes())
    room = Room()
    for numbers, at in ((data.obs, data.frame), (data.next_obs, data.next_frame)):
        for (room.episode, room.now), frame in zip(
            numbers.astype(int), data.frames[at], strict=True
        ):
            seen = room.observed()
            wanted = np.concatenate([seen["arm"]["wrist"].reshape(-1), seen["top"].reshape(-1)])
            np.testing.assert_array_equal(frame, wanted)
    assert len(data) == (14 if mode is AutoresetMode.NEXT_STEP else 18)


def test_a_recorder_of_images_alone_and_what_it_refuses() -> None:
    data = recorded(AutoresetMode.SAME_STEP, numbers=False).dataset()
    assert data.obs.shape == (18, 0) and len(data.cameras) == 2
    envs = SyncVectorEnv([PixelReach])
    with pytest.raises(TaskError, match="shows images, from which no offset"):
        Recorder(envs, obs_offset=(0.0, 1.0))
    recorder, (obs, _) = Recorder(envs), envs.reset(seed=0)
    with pytest.raises(DataError, match=r"show camera \[16, 32, 3\], camera \[32, 32, 3\] is"):
        recorder.reset({**obs, "camera": obs["camera"][:, ::2]})
    with pytest.raises(DataError, match="show no image, camera"):
        recorder.reset({"hand": obs["hand"]})
    rooms = SyncVectorEnv([partial(Room, False)])
    twice = {"arm": {"wrist": np.zeros((2, 8, 10, 6), np.uint8)},
             "top": np.zeros((2, 40, 33, 3), np.uint8)}  # fmt: skip
    with pytest.raises(DataError, match="show 2 images of each camera, 1 are needed"):
        Recorder(rooms).reset(twice)


@pytest.mark.parametrize("numbers", [True, False])
def test_to_minari_and_back(numbers: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit for bit, and Minari itself reads the images, at sizes at which it would take JPEG."""
    data = recorded(AutoresetMode.SAME_STEP, numbers=numbers).dataset()
    back = load(export_minari(data, "tests/seen-v0", tmp_path))
    same_images(back, data)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    theirs = next(iter(minari.load_dataset("tests/seen-v0"))).observations
    assert sorted(theirs) == ["arm", *(["numbers"] if numbers else []), "top"]
    room = Room()
    room.episode, room.now = 0, 2
    np.testing.assert_array_equal(theirs["top"][2], room.observed()["top"])
    np.testing.assert_array_equal(theirs["arm"]["wrist"][2], room.observed()["arm"]["wrist"])


def test_an_image_without_keys_goes_to_minari_so(tmp_path: Path) -> None:
    seen = np.random.default_rng(0).integers(0, 256, (8, 8, 9, 3), np.uint8)
    given = {"actions": np.full((3, 1), 0.5), "rewards": np.zeros(3), "terminated": False}
    data = Dataset.from_episodes([{"obs": seen[:4], **given}, {"obs": seen[4:], **given}])
    place = export_minari(data, "tests/bare-v0", tmp_path)
    with h5py.File(place / "data" / "main_data.hdf5") as file:
        np.testing.assert_array_equal(file["episode_1/observations"], seen[4:])
    same_images(load(place), data)
    named = {"state": np.zeros((4, 2)), "numbers": seen[:4]}
    called = Dataset.from_episodes([{"obs": named, **given}])
    with pytest.raises(DataError, match="A camera is called 'numbers'"):
        export_minari(called, "tests/named-v0", tmp_path)


def same_images(one: Dataset, other: Dataset) -> None:
    """Both show the same before and after each step, beside the same numbers."""
    assert one.cameras == other.cameras
    assert one.frames is not None and other.frames is not None
    assert len(one.frames) == len(other.frames)
    for name, numbers in (("frame", "obs"), ("next_frame", "next_obs")):
        np.testing.assert_array_equal(getattr(one, numbers), getattr(other, numbers))
        ours, theirs = one.frames[getattr(one, name)], other.frames[getattr(other, name)]
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.filterwarnings("ignore")  # it asks for an author's address and the like
@pytest.mark.parametrize("form", ["hdf5", "arrow", "parquet"])
@pytest.mark.parametrize("jpeg", [True, False])
def test_images_as_minari_collects_them(
    form: str, jpeg: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JPEG where they are large, and in Arrow flat where they are not."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    env = minari.DataCollector(Room(), data_format=form, jpeg_encoding=jpeg)
    for _ in range(2):
        env.reset(seed=0)
        while not env.step(np.ones(1, np.float32))[2]:
            pass
    env.create_dataset("tests/own-v0", algorithm_name="none")
    data = load(tmp_path / "tests" / "own-v0")
    assert data.cameras == (Camera("arm/wrist", (8, 10, 6)), Camera("top", (40, 33, 3)))
    assert data.obs.shape == (7, 2)
    room = Room()
    for (room.episode, room.now), frame in zip(
        data.obs.astype(int), data.frames[data.frame], strict=True
    ):
        seen = room.observed()
        np.testing.assert_array_equal(frame[:480], seen["arm"]["wrist"].reshape(-1))
        top = frame[480:].astype(int) - seen["top"].reshape(-1)
        assert np.abs(top).max() == 0 if not jpeg else 0 < np.abs(top).mean() < 60


def test_a_torn_image_of_minari_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    held = io.BytesIO()
    Image.fromarray(np.zeros((40, 33, 3), np.uint8)).save(held, "JPEG")
    files = np.stack([np.frombuffer(held.getvalue(), np.uint8)] * 4)
    files[2, 40:] = 0
    with h5py.File(tmp_path / "data" / "main_data.hdf5", "w") as file:
        episode = file.create_group("episode_0")
        episode["observations/top"] = files
        episode["actions"], episode["rewards"] = np.full((3, 1), 0.5), np.zeros(3)
        episode["terminations"], episode["truncations"] = np.zeros(3, bool), [0, 0, 1]
    with pytest.raises(DataError, match=r"episode 0: top, image 2 cannot be read as an image"):
        load(tmp_path)
