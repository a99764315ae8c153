"""`python -m benchmarks.independent`: our TD3-BC, IQL and Cal-QL beside `plain.py`, same rows.

Both train on the rows of `--task` with the papers' numbers, `--updates` times, for each of
`--seeds`, and are evaluated in the same environment every `--every` updates, `--episodes` each.
PyTorch lives in an environment of its own, `--python` of it; `make independent` makes one.
`--json FILE` keeps the curves; what is there is not trained again. The table gives means over the
seeds with their standard errors, and marks where they differ by more than twice the standard error
of the difference.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import warmstart as ws
from warmstart.api import declare
from warmstart.api.prepare import problem_of
from warmstart.engine import Problem
from warmstart.files.durable import write_atomic
from warmstart.replay import Layout

PLAIN = Path(__file__).with_name("plain.py")
METHODS = ("td3_bc", "iql", "cal_ql")
Curve = list[tuple[int, float]]


def problem(method: str, task: str) -> Problem:
    """The task and its rows as that method sees them; nothing is held out."""
    return problem_of(declare(method, task, preset="paper", holdout=0.0))


def ours(method: str, task: str, seed: int, given: argparse.Namespace) -> Curve:
    """Scores of a run of ours."""
    with tempfile.TemporaryDirectory() as folder:
        run = ws.pretrain(
            method,
            task,
            seeds=(seed,),
            root=Path(folder),
            preset="paper",
            holdout=0.0,
            pretrain_steps=given.updates,
            schedule={
                "offline_every": given.every,
                "episodes": given.episodes,
                "fixed_episodes": given.episodes,
                "films": False,
                "compare": False,
            },
        )
        found = {
            int(line["updates"]): float(line["values"]["score"])
            for line in run.metrics
            if line["kind"] == "eval" and line["updates"]
        }
    return sorted(found.items())


def action_of(policy: Mapping[str, np.ndarray], obs: np.ndarray) -> np.ndarray:
    """The action [A] of layers that `plain.py` saved."""
    x, depth = (obs - policy["mean"]) / policy["std"], sum(name[0] == "w" for name in policy)
    for i in range(depth):
        x = policy[f"w{i}"] @ x + policy[f"b{i}"]
        x = np.tanh(x) if i == depth - 1 else np.maximum(x, 0.0)
    return x.astype(np.float32)


def score(task: Problem, policy: Mapping[str, np.ndarray], episodes: int, seed: int) -> float:
    """The mean score of a saved policy, in percent."""
    env, scores = task.make_env(), []
    try:
        for episode in range(episodes):
            obs, total, success, over = env.reset(10_000 * seed + episode), 0.0, False, False
            while not over:
                step = env.step(action_of(policy, obs))
                obs, over = step.obs, step.terminated or step.truncated
                total, success = total + step.reward, success or step.success
            scores.append(100 * float(task.fraction(total, success)))
    finally:
        env.close()
    return float(np.mean(scores))


def theirs(method: str, task: str, seed: int, given: argparse.Namespace) -> Curve:
    """Scores of the re-statement."""
    held = problem(method, task)
    assert held.rows is not None
    rows = Layout.of(held.spec).unpack(held.rows)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(
            folder / "rows.npz", obs=rows.obs, action=rows.action, reward=rows.reward,
            next_obs=rows.next_obs, mask=rows.mask, return_to_go=rows.return_to_go,
        )  # fmt: skip
        sizes = ["--updates", str(given.updates), "--every", str(given.every)]
        command = [str(given.python), str(PLAIN), method, str(folder / "rows.npz"), name]
        subprocess.run([*command, *sizes, "--seed", str(seed)], check=True)
        found = []
        for file in folder.glob("policy-*.npz"):
            with np.load(file, allow_pickle=False) as policy:
                value = score(held, dict(policy), given.episodes, seed)
            found.append((int(file.stem.split("-")[1]), value))
    return sorted(found)


def table(kept: Mapping[str, Mapping[str, Any]], task: str, same: str) -> Iterator[str]:
    """A row for each method and moment that both have, of curves whose names end with `same`."""
    yield f"{task:<24} {'updates':>9} {'ours':>14} {'PyTorch':>14}"
    for method in METHODS:
        curves = kept.get(f"{task} {method}", {})
        sides = [
            [
                dict(curve)
                for name, curve in curves.items()
                if name.startswith(whose) and name.endswith(same)
            ]
            for whose in ("ours", "theirs")
        ]
        if not all(sides):
            continue
        for at in sorted(set.intersection(*(set(curve) for side in sides for curve in side))):
            a, b = (np.array([curve[at] for curve in side]) for side in sides)
            error = np.sqrt(_squared_error(a) + _squared_error(b))
            apart = "  apart" if abs(a.mean() - b.mean()) > 2 * error else ""
            cells = " ".join(
                f"{x.mean():>7.1f} ±{np.sqrt(_squared_error(x)):>5.1f}" for x in (a, b)
            )
            yield f"{method:<24} {at:>9,} {cells}{apart}"


def _squared_error(x: np.ndarray) -> float:
    return float(x.var(ddof=1) / len(x)) if len(x) > 1 else np.inf


def require(python: Path) -> None:
    """Refuse an environment that is not there."""
    if not python.exists():
        raise SystemExit(f"there is no {python}: `make independent` makes it")


def main() -> None:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="maze2d-umaze")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--updates", type=int, default=100_000)
    parser.add_argument("--every", type=int, default=10_000)
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--python", type=Path, default=Path(".venv-independent/bin/python"))
    parser.add_argument("--json", type=Path, default=None, metavar="FILE")
    given = parser.parse_args()
    require(given.python)
    same = f", {given.updates} updates, {given.episodes} episodes"
    kept: dict[str, dict[str, Curve]] = {}
    if given.json is not None and given.json.exists():
        kept = json.loads(given.json.read_text())
    for seed in map(int, given.seeds.split(",")):
        for method in given.methods.split(","):
            found = kept.setdefault(f"{given.task} {method}", {})
            for whose, train in (("ours", ours), ("theirs", theirs)):
                name = f"{whose} {seed}{same}"
                if name in found:
                    continue
                found[name] = train(method, given.task, seed, given)
                print(f"{given.task}, {method}, {name}: {found[name][-1][1]:.1f}", flush=True)
                if given.json is not None:
                    text = (json.dumps(kept, indent=1) + "\n").encode()
                    write_atomic(given.json, lambda file, text=text: file.write(text))
    print("\n".join(table(kept, given.task, same)))


if __name__ == "__main__":
    main()
