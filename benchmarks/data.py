"""Rows a second and memory of opening logged data, for every layout, and of making them.

`python -m benchmarks.data 1000000` writes as many transitions (11 observations, 3 actions,
episodes of 1,000 steps) in each layout into a temporary folder and opens each in a process of its
own. It prints how long that took, on the clock and in processor time (which other work on the
machine changes less), and how much memory it held at most beyond what the imports need (Linux).
`python -m benchmarks.data 1000000 csv parquet` does so for some. Then it makes as many rows of two
tasks (`made`), of which the second works on all cores; the time and memory of its helpers are not
counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from warmstart.data import load, read_manifest, save_folder
from warmstart.data.makers import make
from warmstart.tasks import get_task
from warmstart.types import Dataset

OBS, ACTIONS, STEPS = 11, 3, 1_000


def arrays(rows: int) -> dict[str, np.ndarray]:
    """Flat columns under D4RL's names; every episode is cut after `STEPS` steps."""
    rng = np.random.default_rng(0)
    states = rng.standard_normal((rows + 1, OBS), dtype=np.float32)
    return {
        "observations": states[:-1],
        "actions": rng.uniform(-0.9, 0.9, (rows, ACTIONS)).astype(np.float32),
        "rewards": rng.standard_normal(rows, dtype=np.float32),
        "terminals": np.zeros(rows, bool),
        "timeouts": np.arange(1, rows + 1) % STEPS == 0,
    }


def folder(path: Path, data: dict[str, np.ndarray]) -> None:
    """Our own folder, next observations included."""
    after = np.roll(data["observations"], -1, axis=0)
    columns = [data[name] for name in ("observations", "actions", "rewards", "terminals")]
    save_folder(Dataset(*columns, data["timeouts"], after), path, {})


def npz(path: Path, data: dict[str, np.ndarray]) -> None:
    """Plain NPZ."""
    with path.open("wb") as file:
        np.savez(file, **data)


def d4rl(path: Path, data: dict[str, np.ndarray]) -> None:
    """Flat HDF5, compressed as D4RL's are."""
    with h5py.File(path, "w") as file:
        for name, values in data.items():
            file.create_dataset(name, data=values, compression="gzip")


def minari(path: Path, data: dict[str, np.ndarray]) -> None:
    """Minari's HDF5: a group for each episode, one more observation than steps."""
    (path / "data").mkdir(parents=True)
    with h5py.File(path / "data" / "main_data.hdf5", "w") as file:
        for i, start in enumerate(range(0, len(data["rewards"]), STEPS)):
            rows, group = slice(start, start + STEPS), file.create_group(f"episode_{i}")
            steps = data["observations"][rows]
            group["observations"] = np.concatenate([steps, steps[-1:]])
            group["actions"], group["rewards"] = data["actions"][rows], data["rewards"][rows]
            group["terminations"] = data["terminals"][rows]
            group["truncations"] = data["timeouts"][rows]


def columns(data: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """One column for each number, as a logger writes them."""
    table = {f"obs_{i}": column for i, column in enumerate(data["observations"].T)}
    table |= {f"action_{i}": column for i, column in enumerate(data["actions"].T)}
    return table | {
        "reward": data["rewards"],
        "done": data["terminals"],
        "timeout": data["timeouts"],
    }


def csv(path: Path, data: dict[str, np.ndarray]) -> None:
    """CSV with a header."""
    import pyarrow
    from pyarrow import csv as writer

    table = columns(data)
    table["done"], table["timeout"] = table["done"].astype(int), table["timeout"].astype(int)
    writer.write_csv(pyarrow.table(table), path)


def parquet(path: Path, data: dict[str, np.ndarray]) -> None:
    """Parquet."""
    import pyarrow
    from pyarrow import parquet as writer

    writer.write_table(pyarrow.table(columns(data)), path)


def lerobot(path: Path, data: dict[str, np.ndarray]) -> None:
    """LeRobot, version 3: vectors in Parquet files of 100,000 rows."""
    import pyarrow
    from pyarrow import parquet as writer

    rows = len(data["rewards"])
    for name in ("meta", "data"):
        (path / name).mkdir(parents=True)
    numbers = {"dtype": "float32", "shape": [OBS]}
    features = dict.fromkeys(("observation.state", "action", "next.reward"), numbers)
    info = {"features": features, "total_episodes": -(-rows // STEPS)}
    (path / "meta" / "info.json").write_text(json.dumps(info))

    def vectors(values: np.ndarray) -> Any:
        flat = pyarrow.array(np.ascontiguousarray(values).reshape(-1))
        return pyarrow.FixedSizeListArray.from_arrays(flat, values.shape[1])

    for number, start in enumerate(range(0, rows, 100_000)):
        part, at = slice(start, start + 100_000), np.arange(rows)[start : start + 100_000]
        table = {
            "observation.state": vectors(data["observations"][part]),
            "action": vectors(data["actions"][part]),
            "next.reward": data["rewards"][part],
            "episode_index": at // STEPS,
            "frame_index": at % STEPS,
        }
        writer.write_table(pyarrow.table(table), path / "data" / f"file-{number:03d}.parquet")


def adroit(path: Path, data: dict[str, np.ndarray]) -> None:
    """Pickled trajectories."""
    starts = range(0, len(data["rewards"]), STEPS)
    held = np.empty(len(starts), object)
    for i, start in enumerate(starts):
        rows = slice(start, start + STEPS)
        obs = data["observations"][rows]
        held[i] = {
            "observations": obs,
            "next_observations": obs,
            "actions": data["actions"][rows],
            "rewards": data["rewards"][rows],
        }
    np.save(path, held, allow_pickle=True)  # written, as its users did; never loaded


LAYOUTS: dict[str, tuple[Callable[[Path, dict[str, np.ndarray]], None], str, dict[str, Any]]] = {
    "folder": (folder, "folder", {}),
    "npz": (npz, "flat.npz", {}),
    "d4rl": (d4rl, "flat.hdf5", {}),
    "minari": (minari, "minari", {}),
    "parquet": (parquet, "log.parquet", {"mapping": {"done": "done"}}),
    "csv": (csv, "log.csv", {"mapping": {"done": "done"}}),
    "lerobot": (lerobot, "robot", {}),
    "adroit": (adroit, "pen2_sparse.npy", {"view": "rlpd"}),
}


MADE = ("pointmaze-large-navigate", "hopper-medium")
"""Tasks whose data are made."""


def memory_mb(name: str) -> float:
    """`VmRSS` or `VmHWM` (the peak) of this process, as Linux counts them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def opened(layout: str, path: Path) -> dict[str, float]:
    """Open it here: rows, seconds, megabytes."""
    if layout in ("parquet", "csv", "lerobot"):
        import pyarrow.csv
        import pyarrow.parquet

        assert pyarrow.csv and pyarrow.parquet  # that their import is not measured
    return measured(lambda: len(load(path, **LAYOUTS[layout][2])))


def made(task: str, rows: int, place: Path) -> dict[str, float]:
    """Make it here: rows, seconds, megabytes."""
    return measured(
        lambda: read_manifest(make(get_task(task), place, rows=rows))["statistics"]["rows"]
    )


def measured(work: Callable[[], int]) -> dict[str, float]:
    """What work on so many rows takes, beyond the imports."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak of the imports is forgotten
    before, start, busy = memory_mb("VmRSS"), time.perf_counter(), time.process_time()
    rows = work()
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    return {"rows": rows, "seconds": seconds, "busy": busy, "mb": memory_mb("VmHWM") - before}


def main(rows: int, names: list[str]) -> None:
    """Print one line for each layout, and for each task that is made."""
    data = arrays(rows)
    heads = ("rows", "seconds", "CPU s", "rows/s", "file MB", "peak MB")
    print(f"{'what':25}" + "".join(f"{head:>11}" for head in heads))
    names = [task for name in names for task in (MADE if name == "made" else (name,))]
    for name in names or (*LAYOUTS, *MADE):
        with tempfile.TemporaryDirectory() as place:
            path = Path(place)
            if name in LAYOUTS:
                write, file, _ = LAYOUTS[name]
                path /= file
                write(path, data)
                words = ["--open", name, str(path)]
            else:
                words = ["--make", name, str(rows), place]
            words = [sys.executable, "-m", "benchmarks.data", *words]
            told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
            files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
            size = sum(file.stat().st_size for file in files) / 1e6
        seen = json.loads(told)
        speed = seen["rows"] / seen["seconds"]
        print(
            f"{name:25}{seen['rows']:11,}{seen['seconds']:11.2f}{seen['busy']:11.2f}"
            f"{speed:11,.0f}{size:11.0f}{seen['mb']:11.0f}",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--open"]:
        print(json.dumps(opened(sys.argv[2], Path(sys.argv[3]))))
    elif sys.argv[1:2] == ["--make"]:
        print(json.dumps(made(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000, sys.argv[2:])
