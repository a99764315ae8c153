"""Made-up runs with a realistic dip, for everything that reads a run folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from warmstart.runs.records import MetricWriter

MakeRun = Callable[..., Path]

QUESTIONS = [
    ["pretrain", "Cal-QL on the dataset, 100,000 gradient steps"],
    ["handover", "actor, critics, targets and temperature kept; optimiser moments fresh"],
    ["replay", "online data only, seeded with 5,000 steps of the frozen policy"],
    ["acting", "the frozen policy during the warm-up, then the learner"],
    ["finetune", "SAC with ten critics, four updates for each environment step"],
]


def write_run(
    folder: Path,
    seeds: int = 2,
    dip: float = 35.0,
    pretrain: bool = True,
    online: bool = True,
    finished: bool = True,
    diagnose: bool = True,
    frozen: bool = True,
    warmup: int = 5_000,
    method: str = "wsrl",
) -> Path:
    """A run folder with `run.json` and `metrics.jsonl`."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {
        "method": method,
        "task": "pointmaze/medium",
        "recipe": {
            "name": method,
            "pretrain": [{"until": 100_000, "learner": {"discount": 0.99, "batch": 256}}],
            "finetune": {"rhythm": {"every": 1, "updates": 4}, "critics": 10},
        },
        "describe": QUESTIONS,
        "seeds": list(range(seeds)),
        "versions": {"warmstart": "0.1.0", "jax": "0.10.2", "python": "3.11"},
        "warmup_steps": warmup,
        "created": "2025-03-14T15:09:26+01:00",
    }
    (folder / "run.json").write_text(json.dumps(facts))
    rng = np.random.default_rng(7)
    before = 62 + 4 * rng.normal(size=seeds)
    wall = 0.0
    offline, live = ({"phase": phase, "stage": 0} for phase in ("pretrain", "online"))
    with MetricWriter(folder) as out:
        for updates in range(0, 100_001, 10_000) if pretrain else ():
            wall += 4.0
            share = updates / 100_000
            for seed in range(seeds):
                base = {"seed": seed, "updates": updates, "env_steps": 0, **offline}
                score = before[seed] * (1 - np.exp(-4 * share)) + 2 * rng.normal()
                out.write(
                    "eval", **base, wall=wall, values={"score": score, "success": 0.6}, tag="curve"
                )
                out.write("train", **base, wall=wall, values={"critic_loss": 1 / (1 + share)})
                if diagnose:
                    out.write(
                        "diagnose",
                        **base,
                        wall=wall,
                        values={
                            "q_offline": -40 + 25 * share + rng.normal(),
                            "td_offline": 3.0 * np.exp(-3 * share) + 0.2,
                        },
                    )
        for seed in range(seeds) if pretrain else ():
            out.write(
                "eval", seed, "pretrain", 0, 100_000, 0, wall, {"score": before[seed]},
                tag="pretrained",
            )  # fmt: skip
        last = 100_000 if finished else 60_000
        for steps in range(0, last + 1, 5_000) if online else ():
            wall += 9.0
            share = steps / 100_000
            for seed in range(seeds):
                base = {"seed": seed, "updates": 4 * steps, "env_steps": steps, **live}
                gain = (95 - before[seed]) * (1 - np.exp(-(3 + seed) * share))
                drop = (dip + 5 * (seed % 3)) * np.exp(
                    -(((share - 0.08 - 0.02 * seed) / 0.06) ** 2)
                )
                score = np.clip(before[seed] + gain - drop + 2 * rng.normal() * (steps > 0), 0, 100)
                tag = "switch" if steps == 0 else "curve"
                out.write("eval", **base, wall=wall, values={"score": score}, tag=tag)
                if frozen:
                    noise = before[seed] + 3 * rng.normal()
                    out.write("eval", **base, wall=wall, values={"score": noise}, tag="frozen")
                out.write(
                    "train",
                    **base,
                    wall=wall,
                    values={"critic_loss": 1 + drop / 20, "bound_rate": 0.3 * np.exp(-5 * share)},
                )
                out.write(
                    "episode", **base, wall=wall, values={"return": -90 + 60 * share, "length": 200}
                )
                if diagnose:
                    out.write(
                        "diagnose",
                        **base,
                        wall=wall,
                        values={
                            "q_offline": -15 - 0.3 * drop + rng.normal(),
                            "q_online": -14 + 6 * share + rng.normal(),
                            "td_offline": 0.4 + drop / 20,
                            "td_online": 0.5 + drop / 6,
                            "q_minus_return": 2 + drop / 4 + rng.normal(),
                            "drift": 0.5 * (1 - np.exp(-3 * share)),
                            "online_share": 1.0,
                        },
                    )
                if steps == 100_000:
                    out.write("eval", **base, wall=wall, values={"score": score + 1}, tag="final")
    return folder


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """`make_run(name, **how) -> folder`; see `write_run`."""
    return lambda name="run", **how: write_run(tmp_path / name, **how)
