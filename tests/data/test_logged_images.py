"""Logged images, in every layout that may hold some."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import h5py
import imageio.v3 as iio
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from writers import write_lerobot

from warmstart import Dataset
from warmstart.data import load
from warmstart.data.images import with_cameras
from warmstart.data.manifest import read_folder, save_folder
from warmstart.errors import DataError
from warmstart.types import Camera, Spec

N, SIZE = 6, (8, 9, 3)
SEEN = np.random.default_rng(0).integers(0, 256, (N + 2, *SIZE), np.uint8)
STATE = np.arange(2.0 * (N + 2)).reshape(-1, 2).astype(np.float32)
TOP = (Camera("top", SIZE),)
SPEC = Spec(2 + 216, 1, 3, TOP)
"""Two episodes of three steps; the seventh and eighth image and state are behind their ends."""


def before() -> np.ndarray:
    return np.concatenate([SEEN[:3], SEEN[4:7]])


def after() -> np.ndarray:
    return np.concatenate([SEEN[1:4], SEEN[5:8]])


def columns(**changes: Any) -> dict[str, Any]:
    """Arrays of both episodes."""
    state = np.concatenate([STATE[:3], STATE[4:7]]), np.concatenate([STATE[1:4], STATE[5:8]])
    plain = {
        "obs": {"state": state[0], "top": before()},
        "next_obs": {"state": state[1], "top": after()},
        "actions": np.full((N, 1), 0.5, np.float32),
        "rewards": np.zeros(N, np.float32),
        "terminated": np.zeros(N, bool),
        "truncated": np.array([0, 0, 1, 0, 0, 1], bool),
    }
    return plain | changes


def shows(data: Any, seen: np.ndarray, following: np.ndarray) -> None:
    """The data show these images before and after each step."""
    flat = data.frames[data.frame], data.frames[data.next_frame]
    np.testing.assert_array_equal(flat[0], seen.reshape(len(seen), -1))
    np.testing.assert_array_equal(flat[1], following.reshape(len(following), -1))
    assert data.cameras[0].shape == SIZE and data.frames.dtype == np.uint8


def test_arrays_keep_each_image_once(tmp_path: Path) -> None:
    data = Dataset.from_arrays(**columns())
    shows(data, before(), after())
    assert len(data.frames) == N + 2 and data.obs.shape == (N, 2)
    one = data.take([(3, 6)])
    shows(one, SEEN[4:7], SEEN[5:8])
    save_folder(data, tmp_path / "kept", {"task": "mine"})
    again = read_folder(tmp_path / "kept")
    shows(again, before(), after())
    assert again.cameras == TOP
    file = tmp_path / "kept" / "manifest.json"
    file.write_text(file.read_text().replace('"sha256": "', '"sha256": "0'))
    with pytest.raises(DataError, match="not the file that its manifest describes"):
        read_folder(tmp_path / "kept")


def test_episodes_and_images_alone() -> None:
    given = {"actions": np.full((3, 1), 0.5), "rewards": np.zeros(3), "terminated": False}
    data = Dataset.from_episodes([{"obs": SEEN[:4], **given}, {"obs": SEEN[4:], **given}])
    shows(data, before(), after())
    assert data.obs.shape == (N, 0) and data.cameras == (Camera("image", SIZE),)
    plain = Dataset.from_arrays(**columns(next_obs=None, obs=before(), truncated=np.zeros(N, bool)))
    shows(plain, before()[:-1], before()[1:])  # the last row has no next observation


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"obs": np.zeros((N, 32, 32, 3))}, "uint8 from 0 to 255"),
        ({"obs": np.zeros((N, 3, 8, 9), np.uint8)}, r"write them as \[8, 9, 3\]"),
        ({"obs": [*before()[:-1], SEEN[0][:4]], "next_obs": None}, "change their size"),
        ({"next_obs": {"state": STATE[:N]}}, "next observations no image"),
        ({"obs": {"state": STATE[:N], "top": before()[:-1]}}, "one image a step"),
    ],
)
def test_images_of_another_form_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        Dataset.from_arrays(**columns(**changes))


def test_what_the_environment_shows_is_taken_and_must_be_there() -> None:
    wrist = np.ascontiguousarray(before()[:, :8, :8])
    seen = {"state": columns()["obs"]["state"], "top": before(), "wrist": wrist}
    data = Dataset.from_arrays(**columns(obs=seen, next_obs=None))
    assert [camera.name for camera in data.cameras] == ["top", "wrist"]
    one = with_cameras(data, data.cameras[1:])
    np.testing.assert_array_equal(one.frames[one.frame][0], wrist[0].reshape(-1))
    assert with_cameras(data, ()).frames is None
    with pytest.raises(DataError, match=r"shows front \[8, 9, 3\], and the data have top"):
        with_cameras(data, (Camera("front", SIZE),))


def test_robomimic(tmp_path: Path) -> None:
    path = tmp_path / "demos.hdf5"
    with h5py.File(path, "w") as file:
        for k, at in enumerate((0, 4)):
            demo = file.create_group(f"data/demo_{k}")
            demo["obs/state"], demo["next_obs/state"] = STATE[at : at + 3], STATE[at + 1 : at + 4]
            demo["obs/top"], demo["next_obs/top"] = SEEN[at : at + 3], SEEN[at + 1 : at + 4]
            demo["actions"] = np.full((3, 1), 0.5)
            demo["rewards"], demo["dones"] = np.zeros(3), np.array([0, 0, 1])
    data = load(path, spec=SPEC)
    shows(data, before(), after())
    assert data.obs.shape == (N, 2) and data.info["columns"]["obs"] == ["obs/state"]
    assert load(path).cameras == ()


def test_npz_and_a_folder_of_logs(tmp_path: Path) -> None:
    for k, at in enumerate((0, 4)):
        rows = slice(at, at + 3)
        arrays = {"obs": SEEN[rows], "next_obs": SEEN[at + 1 : at + 4], "rewards": np.zeros(3)}
        ends = {"actions": np.full((3, 1), 0.5), "terminated": np.zeros(3, bool)}
        np.savez(tmp_path / f"run_{k}.npz", **arrays, **ends)
    data = load(tmp_path)
    shows(data, before(), after())
    assert data.cameras == (Camera("image", SIZE),)


def test_minari(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with h5py.File(tmp_path / "data" / "main_data.hdf5", "w") as file:
        for k, at in enumerate((0, 4)):
            episode = file.create_group(f"episode_{k}")
            episode["observations/state"] = STATE[at : at + 4]
            episode["observations/top"] = SEEN[at : at + 4]
            episode["actions"], episode["rewards"] = np.full((3, 1), 0.5), np.zeros(3)
            episode["terminations"], episode["truncations"] = np.zeros(3, bool), [0, 0, 1]
    data = load(tmp_path, spec=SPEC)
    shows(data, before(), after())
    assert data.cameras == TOP and data.obs.shape == (N, 2)


def png(image: np.ndarray) -> bytes:
    held = io.BytesIO()
    Image.fromarray(image).save(held, "PNG")
    return held.getvalue()


def test_lerobot_with_images_in_its_tables(tmp_path: Path) -> None:
    held = [{"bytes": png(image), "path": None} for image in before()]
    root = write_lerobot(tmp_path / "set", **{"observation.images.top": held})
    data = load(root, spec=SPEC)
    np.testing.assert_array_equal(data.frames[data.frame][0], before()[0].reshape(-1))
    assert data.cameras == TOP
    assert load(root).cameras == ()
    torn = [*held[:-1], {"bytes": held[-1]["bytes"][:60], "path": None}]
    root = write_lerobot(tmp_path / "torn", **{"observation.images.top": torn})
    with pytest.raises(DataError, match=r"top of row 5 cannot be read as an image"):
        load(root, spec=SPEC)
    with pytest.raises(DataError, match=r"no films of observation.images.top under videos/"):
        load(write_lerobot(tmp_path / "none"), spec=SPEC)


def test_films_that_do_not_fit_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_lerobot(tmp_path / "set")
    about = root / "meta" / "info.json"
    told = json.loads(about.read_text())
    told["features"]["observation.images.top"]["shape"] = [4000, 4000, 3]
    about.write_text(json.dumps(told))
    monkeypatch.setattr("warmstart.data.memory.free_memory", lambda: 200_000_000)
    with pytest.raises(DataError, match=r"declares 0\.3 GB of numbers, 0\.2 GB of memory are free"):
        load(root, spec=SPEC)


def test_lerobot_with_films(tmp_path: Path) -> None:
    """What a film keeps of an image is not every bit of it."""
    spec = Spec(2 + 16 * 16 * 3, 1, 3, (Camera("top", (16, 16, 3)),))
    root = write_lerobot(tmp_path / "set")
    folder = root / "videos" / "observation.images.top" / "chunk-000"
    folder.mkdir(parents=True)
    shades = np.arange(0, 240, 40, np.uint8)
    frames = np.broadcast_to(shades[:, None, None, None], (N, 16, 16, 3))
    iio.imwrite(folder / "file-000.mp4", frames, plugin="FFMPEG", fps=10)
    data = load(root, spec=spec)
    assert data.frames is not None and data.frame is not None
    np.testing.assert_allclose(data.frames.mean(axis=1)[data.frame], shades[data.frame], atol=8)
    (folder / "file-000.mp4").write_bytes(b"no film")
    with pytest.raises(DataError, match="cannot be read as a film"):
        load(root, spec=spec)
    iio.imwrite(folder / "file-000.mp4", frames[:4], plugin="FFMPEG", fps=10)
    with pytest.raises(DataError, match=r"4 frames of observation\.images\.top for 6 rows"):
        load(root, spec=spec)


def test_a_table_that_names_files(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    lines = []
    for k, image in enumerate(before()):
        (tmp_path / "frames" / f"{k}.png").write_bytes(png(image))
        row = {"obs": {"state": STATE[k].tolist(), "top": f"frames/{k}.png"}, "action": [0.5]}
        lines.append({**row, "reward": 0.0, "done": False, "episode": k // 3})
    table = tmp_path / "log.jsonl"
    table.write_text("\n".join(map(json.dumps, lines)))
    mapping = {"done": "done"}
    data = load(table, mapping=mapping)
    shows(data, before()[[0, 1, 3, 4]], before()[[1, 2, 4, 5]])
    assert data.cameras == TOP and data.obs.shape[1] == 2
    pq.write_table(pa.Table.from_pylist([{"obs": 0.0, "x": "../a.png"}]), tmp_path / "out.parquet")
    broken = {
        "cannot be read as an image": lambda file: file.write_bytes(file.read_bytes()[:70]),
        "no such file": lambda file: file.unlink(),
        r"3.png has \[4, 4, 3\]": lambda file: file.write_bytes(png(SEEN[0][:4, :4])),
        "kind I;16": lambda file: Image.fromarray(np.zeros((8, 9), np.uint16)).save(file),
    }
    for says, spoil in broken.items():
        spoil(tmp_path / "frames" / "3.png")
        with pytest.raises(DataError, match=f"(?i){says}"):
            load(table, mapping=mapping)
        (tmp_path / "frames" / "3.png").write_bytes(png(before()[3]))
    table.write_text("\n".join(map(json.dumps, lines)).replace("frames/4", "../4"))
    with pytest.raises(DataError, match=r"names \.\./4\.png, outside of its folder"):
        load(table, mapping=mapping)
