"""`python -m benchmarks.robot_kills` (`make robot-kills`): a robot and its learner, killed in turn.

A learner (SAC, small) and an actor with an arm that counts its steps run in two processes. One of
them, in turn, is killed (SIGKILL) at a random moment and started again, `--kills` times. Then both
are left alone until the learner has every step, and stopped by Ctrl-C. What the learner has on
disk must be the steps that the actor's log holds, one for one and in order, and of what the arm
did no more than one step for each kill of the actor may lack: the one whose answer never came
back. Prints a line for each kill and the outcome as JSON; the exit code is 1 where a step is lost
or doubled.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ARM = '''
import json
from pathlib import Path

import gymnasium
import numpy as np

DONE = Path(__file__).with_name("done.txt")


class Arm(gymnasium.Env):
    """Says how many steps it has ever made; an episode has 25."""

    observation_space = gymnasium.spaces.Box(0.0, 1e6, (2,), np.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        self.t = 0
        return self._obs(), {}

    def step(self, action):
        with DONE.open("a") as file:
            file.write("x")
        self.t += 1
        return self._obs(), float(action[0]), False, self.t == 25, {}

    def _obs(self):
        made = DONE.stat().st_size if DONE.exists() else 0
        return np.array([made, self.t], np.float32)


gymnasium.register("Counting-v0", Arm, max_episode_steps=25)
'''
TOKEN, PORT = "a-token-for-two-processes", 8231
LEARNER = [
    "learner", "sac", "--env", "arm.py:Counting-v0", "--horizon", "25", "--preset", "quick",
    "--steps", "100000", "--set", "hidden=16", "--set", "random=50", "--listen",
    f"127.0.0.1:{PORT}", "--name", "learner",
]  # fmt: skip
ACTOR = [
    "actor", "--connect", f"127.0.0.1:{PORT}", "--env", "arm.py:Counting-v0", "--folder", "actor",
    "--hz", "50", "--go",
]  # fmt: skip


def start(folder: Path, words: list[str]) -> subprocess.Popen[bytes]:
    """A command in a process of its own, its words appended to a log."""
    with (folder / f"{words[0]}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "warmstart", *words],
            cwd=folder,
            env={**os.environ, "WARMSTART_TOKEN": TOKEN},
            stdout=log,
            stderr=log,
        )


def logged(folder: Path) -> list[int]:
    """What the arm's counter said behind every step of the actor's log, in order."""
    from warmstart.link.frames import Torn, frame_at
    from warmstart.link.steps import as_step

    found: list[int] = []
    for path in sorted((folder / "actor").glob("steps-*.log")):
        held, at = path.read_bytes(), 0
        with contextlib.suppress(Torn):  # room that was taken for the next one
            while at < len(held):
                frame, at = frame_at(held, at)
                found.append(int(as_step(frame).next_obs[0]))
    return found


def learnt(folder: Path) -> list[int]:
    """The same of every row that the learner has on disk."""
    from warmstart.replay import Layout
    from warmstart.runs.segments import Segments
    from warmstart.types import Spec

    kept = Segments(folder / "runs" / "learner" / "replay")
    stops = [int(path.name.split("-")[2]) for path in kept.folder.glob("rows-*.npy")]
    rows = kept.read(max(stops, default=0))
    next_obs = Layout.of(Spec(2, 1, 25)).unpack(rows[0]).next_obs
    return [int(x) for x in np.asarray(next_obs)[:, 0]]


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ctrl-C, and its end."""
    process.send_signal(signal.SIGINT)
    process.wait(120)


def killed_in_turn(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """Both processes, one of them killed again and again; the outcome."""
    rng = random.Random(seed)
    (folder / "arm.py").write_text(ARM)
    words = {"learner": LEARNER, "actor": ACTOR}
    running = {who: start(folder, words[who]) for who in words}
    begun = folder / "runs" / "learner"
    while not (begun / "run.json").exists() or not (folder / "done.txt").exists():
        time.sleep(0.2)
    words["learner"] = ["learner", "runs/learner", "--listen", f"127.0.0.1:{PORT}"]
    counts = {"learner": 0, "actor": 0}
    for number in range(kills):
        who = ("actor", "learner")[number % 2]
        time.sleep(rng.uniform(1.0, 6.0) + (6.0 if who == "learner" else 0.0))
        running[who].kill()
        running[who].wait()
        counts[who] += 1
        made = (folder / "done.txt").stat().st_size
        print(f"kill {number + 1} of {kills}: the {who}, behind {made} steps", flush=True)
        running[who] = start(folder, words[who])
    time.sleep(20.0)  # both are there again, and what waited is sent
    with contextlib.suppress(subprocess.TimeoutExpired):
        stop(running["actor"])
    time.sleep(2.0)
    stop(running["learner"])
    told, known = logged(folder), learnt(folder)
    made = (folder / "done.txt").stat().st_size
    return {
        "kills": counts,
        "made": made,
        "logged": len(told),
        "learnt": len(known),
        "doubled": len(known) - len(set(known)),
        "same": known == told[: len(known)],
        "lost": made - len(told) - counts["actor"] > 0 or len(known) != len(told),
    }


def main() -> None:
    """See the head of the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    # Whoever started us in the background may have had Ctrl-C ignored, which children inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with contextlib.ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        found = killed_in_turn(folder, given.kills, given.seed)
    print(json.dumps(found))
    if found["lost"] or found["doubled"] or not found["same"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
