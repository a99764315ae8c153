"""A run that is killed again and again, at any moment, never loses what it saved.

Run as a script, this file is the run: it forks a worker that appends rows and saves checkpoints,
kills it at a random moment, and lets the next worker check what is there and go on.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import NoReturn

import jax
import numpy as np

from warmstart.runs.checkpoints import Checkpoints
from warmstart.runs.folder import RunLock
from warmstart.runs.segments import Segments

KILLS = 10


def rows(start: int, stop: int) -> np.ndarray:
    return (np.arange(2)[:, None, None] * 1e6 + np.arange(start, stop)[:, None]).astype(np.float32)


def tree(step: int) -> dict[str, jax.Array]:
    mesh = jax.make_mesh((2,), ("s",))
    split = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("s"))
    weights = np.random.default_rng(step).standard_normal((2, 20_000)).astype(np.float32)
    return {"w": jax.device_put(weights, split), "n": jax.numpy.int32(step)}


def work(folder: Path, at_least: int, report: int, steps: int | None) -> None:
    """Check what is there, then go on, reporting each step that was saved."""
    store, segments = Checkpoints(folder / "checkpoints"), Segments(folder / "rows")
    found = store.restore_newest(tree(0))
    step, length = 0, 0
    if found is not None:
        step, got, meta = found
        length = meta["rows"]
        for name, wanted in tree(step).items():
            assert got[name].sharding == wanted.sharding
            np.testing.assert_array_equal(got[name], wanted)
    assert step >= at_least, f"step {at_least} was saved, but {step} is the newest"
    kept = segments.read(length)
    if length:
        np.testing.assert_array_equal(kept, rows(0, length))
    store.discard_after(step)
    while steps is None or steps > 0:
        step, steps = step + 1, steps and steps - 1
        segments.append(length, rows(length, length + step))
        length += step
        store.save(step, tree(step), {"rows": length}, best=step % 5 == 0)
        os.write(report, struct.pack("i", step))


def forked(folder: Path, at_least: int, report: int, steps: int | None) -> int:
    """Process id of a worker."""
    pid = os.fork()
    if pid:
        return pid
    try:
        warnings.simplefilter("error")
        with RunLock(folder):
            work(folder, at_least, report, steps)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def run(folder: Path) -> NoReturn:
    draw, saved = random.Random(0), 0
    for kill in range(KILLS):
        receive, send = os.pipe()
        pid = forked(folder, saved, send, None)
        os.close(send)
        heard = b"" if kill % 3 == 2 else os.read(receive, 4)  # at times, already while it restores
        time.sleep(draw.uniform(0, 0.15))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), "the worker stopped by itself"
        while more := os.read(receive, 4096):
            heard += more
        os.close(receive)
        if heard:
            saved = struct.unpack("i", heard[-4:])[0]
    receive, send = os.pipe()
    _, status = os.waitpid(forked(folder, saved, send, 1), 0)
    assert status == 0, "the last worker failed"
    assert len(os.listdir(folder / "checkpoints")) <= 5, "something was left behind"
    print(saved)
    sys.exit(0)


def test_a_run_killed_at_random_moments_loses_nothing(tmp_path):
    env = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    env["JAX_PLATFORMS"] = "cpu"
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path)],
        env=env,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= KILLS // 2


if __name__ == "__main__":
    run(Path(sys.argv[1]))
