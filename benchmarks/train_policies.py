"""Train the robots' behaviour policies: `python -m benchmarks.train_policies train hopper`.

    train ROBOT [STEPS]   SAC, about 5 to 20 ms a step on one core; stopped and begun again at will
    export ROBOT          the record and the weights of what is reached, into the package

The actor of every evaluation is kept in `runs/behaviour/ROBOT-actors`. Exported are the medium
policy (the first evaluation at a third of the scale), for the robots five on the way to it, and
the best one where it is clearly better: of the evaluations near the best that whose drawn actions,
which the data are made of, score most; that score names it `expert` or `good`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from warmstart.api.declare import Declared
from warmstart.api.train_behaviour import EVERY, declared_training, train
from warmstart.api.watch import Watcher
from warmstart.data.makers import roll
from warmstart.data.makers.shipped_policies import actor_of
from warmstart.data.manifest import package_versions
from warmstart.envs.make import make_env
from warmstart.errors import TaskError
from warmstart.runs.folder import read_run
from warmstart.tasks import TASKS, Task, normalised_score
from warmstart.tasks.behaviour import EXPERT, FOLDER, MEDIUM
from warmstart.values import to_json

ROOT = Path("runs/behaviour")
STEPS = 600_000
BETTER = 1.3
"""A best policy is kept from this multiple of the medium one's score on."""
NEAR, EPISODES, SURE = 0.8, 20, 100
"""Share of the best score from which on a policy is tried again, in how many episodes, and in how
many new ones the chosen one, since the best of several tries flatters itself."""


def learn(robot: str, steps: int = STEPS) -> None:
    """Train until the end or an interrupt."""
    folder = ROOT / robot
    actors = ROOT / f"{robot}-actors"
    actors.mkdir(parents=True, exist_ok=True)

    def seen(at: int, score: float, arrays: dict[str, np.ndarray]) -> None:
        named: dict[str, Any] = {**arrays, "score": np.float64(score)}
        np.savez(actors / f"step-{at:09d}.npz", **named)

    with Watcher(Console()) as watcher:
        train(declared_training(robot, steps), folder, watcher, seen)


def export(robot: str) -> dict[str, Any]:
    """Write `tasks/policies/ROBOT.json` and `.npz`. Raises TaskError below a medium policy."""
    declared = Declared.from_json(read_run(ROOT / robot))
    kept: dict[int, dict[str, np.ndarray]] = {}
    for path in sorted((ROOT / f"{robot}-actors").glob("step-*.npz")):
        with np.load(path, allow_pickle=False) as file:
            kept[int(path.stem.removeprefix("step-"))] = {key: file[key] for key in file.files}
    scores = {steps: round(float(kept[steps].pop("score")), 2) for steps in kept}
    scores = {steps: score for steps, score in scores.items() if steps % EVERY == 0}
    reached = [steps for steps, score in scores.items() if score >= MEDIUM]
    best = max(scores, key=scores.__getitem__)
    learner: Any = declared.recipe.finetune.learner
    if not reached:
        raise TaskError(
            f"{robot} has reached {scores[best]} of {MEDIUM:.1f}: train it longer, with "
            f"`python -m benchmarks.train_policies train {robot}`"
        )
    medium = reached[0]
    # Mixtures of policies are for the robots; the walker only walks.
    marks = np.linspace(EVERY, medium, 6)[:-1] if f"{robot}-random" in TASKS else ()
    levels = {f"step-{s}": s for s in (round(m / EVERY) * EVERY for m in marks) if s < medium}
    levels["medium"] = medium
    draws: dict[str, float] = {}
    if scores[best] >= BETTER * scores[medium]:
        near = [steps for steps in scores if scores[steps] >= NEAR * scores[best]]
        drawn = {
            steps: score_of_draws(declared.task, learner.policy, kept[steps], 1, EPISODES)
            for steps in near
        }
        best = max(near, key=drawn.__getitem__)
        sure = score_of_draws(declared.task, learner.policy, kept[best], 2, SURE)
        name = "expert" if sure >= EXPERT else "good"
        levels[name], draws[name] = best, round(sure, 2)
    arrays: dict[str, Any] = {
        f"{name}/{key}": array.astype(np.float16)
        for name, steps in levels.items()
        for key, array in kept[steps].items()
    }
    FOLDER.mkdir(exist_ok=True)
    np.savez_compressed(FOLDER / f"{robot}.npz", **arrays)
    record = {
        "env_id": declared.task.env_id,
        "method": declared.method,
        "seed": declared.seeds[0],
        "steps": declared.recipe.finetune.steps,
        "policy": to_json(learner.policy),
        "packages": package_versions(("warmstart", "numpy", "jax", "gymnasium", "mujoco")),
        "levels": {
            n: {"steps": s, "score": scores[s], "drawn": draws.get(n)} for n, s in levels.items()
        },
        "curve": [[steps, score] for steps, score in scores.items()],
    }
    (FOLDER / f"{robot}.json").write_text(json.dumps(record, indent=1) + "\n")
    return record


def score_of_draws(
    task: Task, network: Any, arrays: dict[str, np.ndarray], seed: int, episodes: int
) -> float:
    """The mean score of the policy's draws, with its weights as they are shipped."""
    assert task.reference is not None
    env = make_env(task)()
    shipped = {name: x.astype(np.float16).astype(np.float32) for name, x in arrays.items()}
    actor = actor_of(network, shipped, env.spec)
    data = roll(env, lambda rng: lambda obs: actor.sample(obs, rng), seed, episodes)
    env.close()
    return normalised_score(float(data.rewards.sum()) / episodes, task.reference)


if __name__ == "__main__":
    do, robot, *more = sys.argv[1:]
    if do == "train":
        learn(robot, *map(int, more))
    else:
        print(json.dumps(export(robot)["levels"], indent=1))
