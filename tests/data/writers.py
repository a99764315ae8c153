"""Small files in every layout, whose rows say their own number in the first observation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

pa: Any = __import__("pyarrow")
pq: Any = __import__("pyarrow.parquet", fromlist=["parquet"])


def table(n: int = 6, **changes: Any) -> dict[str, Any]:
    """Two episodes of n / 2 rows with vector columns split by number, out of order on purpose."""
    rows = np.arange(n, dtype=np.float64)
    plain = {
        "state_10": -rows,
        "state_2": rows * 10,
        "state_1": rows,
        "cmd_0": np.full(n, 0.25),
        "cmd_1": np.full(n, -0.5),
        "r": rows / 2,
        "fallen": rows == n // 2 - 1,
        "run": np.repeat([7, 8], n // 2),
    }
    return {k: v for k, v in (plain | changes).items() if v is not None}


MAPPING = {"obs": "state_*", "action": "cmd_*", "reward": "r", "done": "fallen", "episode": "run"}


def write_csv(path: Path, columns: dict[str, Any]) -> Path:
    lines = [",".join(columns)]
    lines += [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_parquet(path: Path, columns: dict[str, Any]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def write_npz(path: Path, columns: dict[str, Any]) -> Path:
    np.savez(path, **columns)
    return path


def write_hdf5(path: Path, columns: dict[str, Any]) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file[name] = values
    return path


def write_lerobot(root: Path, version: int = 3, episodes: int = 2, **changes: Any) -> Path:
    """Episodes of 3 frames: one file each in version 2, all in one in version 3."""
    n = 3 * episodes
    rows = np.arange(n, dtype=np.float32)
    columns: dict[str, Any] = {
        "observation.state": np.stack([rows, -rows], 1).tolist(),
        "observation.environment_state": (rows[:, None] + 100).tolist(),
        "action": np.full((n, 1), 0.5, np.float32).tolist(),
        "episode_index": np.repeat(np.arange(episodes), 3),
        "frame_index": np.tile(np.arange(3), episodes),
        "next.reward": rows,
        "next.done": np.tile([False, False, True], episodes),
        "next.success": np.repeat(np.arange(episodes), 3) == 1,
    }
    columns = {k: v for k, v in (columns | changes).items() if v is not None}
    numbers = {"dtype": "float32", "shape": [2]}
    features = dict.fromkeys(columns, numbers)
    features["observation.images.top"] = {"dtype": "video", "shape": [8, 8, 3]}
    info = {"codebase_version": f"v{version}.0", "total_episodes": episodes, "features": features}
    (root / "meta").mkdir(parents=True)
    (root / "meta" / "info.json").write_text(json.dumps(info))
    folder = root / "data" / "chunk-000"
    folder.mkdir(parents=True)
    whole = pa.table(columns)
    if version == 3:
        pq.write_table(whole, folder / "file-000.parquet")
        return root
    for i in reversed(range(episodes)):
        pq.write_table(whole.slice(3 * i, 3), folder / f"episode_{i:06d}.parquet")
    return root


def trajectory(
    length: int, wins: tuple[int, ...], start: int = 0, **changes: Any
) -> dict[str, Any]:
    """One of Adroit's: rewards -1, and 0 at the steps `wins`."""
    rows = np.arange(start, start + length, dtype=np.float64)
    rewards = np.full(length, -1.0)
    rewards[list(wins)] = 0.0
    plain = {
        "observations": np.stack([rows, rows], 1),
        "next_observations": np.stack([rows, rows], 1) + 1,
        "actions": np.full((length, 1), 0.5),
        "rewards": rewards,
        "terminals": np.zeros(length, bool),
        "agent_infos": [{"x": 1}],
    }
    return {k: v for k, v in (plain | changes).items() if v is not None}


def expert(length: int, wins: tuple[int, ...], start: int = 0) -> dict[str, Any]:
    """The same as the expert files have it: dicts in lists, and one reward too many."""
    path = trajectory(length, wins, start)
    for name in ("observations", "next_observations"):
        path[name] = [{"state_observation": row, "other": row} for row in path[name]]
    path["rewards"] = np.append(path["rewards"], -1.0)
    return path


def write_pickled(path: Path, paths: list[Any]) -> Path:
    held = np.empty(len(paths), object)
    held[:] = paths
    np.save(path, held, allow_pickle=True)  # written, as its users did; never loaded
    return path


class Maze:
    """What OGBench's relabelling reads of a single-task maze: the goal is (1, 0)."""

    class spec:
        id = "pointmaze-medium-singletask-task1-v0"

    cur_goal_xy = np.array([1.0, 0.0])
    _goal_tol = 0.25
    _reward_task_id: int | None = 1

    def __init__(self, timing: str | None = "pre") -> None:
        if timing is not None:
            self._success_timing = timing

    @property
    def unwrapped(self) -> Maze:
        return self

    def reset(self) -> None:
        pass


def ogbench(**changes: Any) -> dict[str, Any]:
    """Two trajectories of 4 states; x goes 0, 0.5, 1, 1.5 and the goal is at 1."""
    x = np.tile([0.0, 0.5, 1.0, 1.5], 2)
    place = np.stack([x, np.zeros(8)], 1)
    ends = np.zeros(8, bool)
    ends[[3, 7]] = True
    plain = {
        "observations": place.astype(np.float32),
        "actions": np.full((8, 2), 0.5, np.float32),
        "terminals": ends,
        "qpos": place,
        "qvel": place,
    }
    return {k: v for k, v in (plain | changes).items() if v is not None}


def write_logs(folder: Path, count: int = 3, write: Any = write_csv, kind: str = "csv") -> Path:
    """One log an episode of 4 steps; the first observation tells episode and step (120 = 12, 0)."""
    folder.mkdir(parents=True)
    for i in range(count):
        rows = 10.0 * i + np.arange(4)
        columns = {
            "time [s]": np.arange(4) / 10,
            "q[0]": rows,
            "q[1]": -rows,
            "u": np.full(4, 0.5),
            "r": rows / 10,
            "who": ["anna"] * 4,
        }
        if kind in ("npz", "hdf5"):
            del columns["who"]
        write(folder / f"run_{i}.{kind}", columns)
    return folder


def write_robomimic(path: Path, demos: int = 11, **changes: Any) -> Path:
    """Demonstrations of 3 steps; the last one of each is done; cameras beside the vectors."""
    with h5py.File(path, "w") as file:
        for i in range(demos):
            rows = 10.0 * i + np.arange(3)
            plain = {
                "obs/robot0_eef_pos": np.stack([rows, -rows], 1),
                "obs/object": np.stack([rows + 0.5], 1),
                "obs/agentview_image": np.zeros((3, 8, 8, 3), np.uint8),
                "next_obs/robot0_eef_pos": np.stack([rows + 1, -rows - 1], 1),
                "next_obs/object": np.stack([rows + 1.5], 1),
                "next_obs/agentview_image": np.zeros((3, 8, 8, 3), np.uint8),
                "states": np.zeros((3, 5)),
                "actions": np.full((3, 1), 0.5),
                "rewards": np.array([0.0, 0.0, 1.0]),
                "dones": np.array([0, 0, 1]),
            }
            for name, values in (plain | changes).items():
                if values is not None:
                    file[f"data/demo_{i}/{name}"] = values
        file["mask/train"] = np.array([b"demo_0"])
    return path
