"""Files that the pages name, as small as they can be: logs, environments, methods, runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import jax
import jax.numpy as jnp
import numpy as np
from commands import ROOT, STAND_INS, fenced

from warmstart.acting import Desired, JumpStart, Sampled
from warmstart.data import load
from warmstart.data.makers import make, make_noisy
from warmstart.envs.make import make_env
from warmstart.nets.sequence_spec import SequenceSpec
from warmstart.nets.spec import NetSpec, PolicySpec
from warmstart.policy.describe import acting_part
from warmstart.policy.folder import write_policy
from warmstart.state import State
from warmstart.tasks import TASKS, custom_task, get_task
from warmstart.types import Dataset, Spec
from warmstart.user_code.trust import code_of, name_code
from warmstart.views import View

OWN_ENV = '''
import gymnasium
import numpy as np


class Own(gymnasium.Env):
    """Two joints: angles, speeds, and a torque for each."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (4,), np.float32)
    action_space = gymnasium.spaces.Box(-2, 2, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = self.np_random.normal(0, 0.1, 4)
        return self.state.astype(np.float32), {}

    def step(self, action):
        self.state[2:] += 0.1 * np.asarray(action)
        self.state[:2] += 0.05 * self.state[2:]
        return self.state.astype(np.float32), -float(self.state[0] ** 2), False, False, {}


gymnasium.register("NAME", entry_point=Own, max_episode_steps=200)


def guard(obs, action):
    return obs[0] < 9
'''


def python_of(page: str) -> list[str]:
    """The blocks of Python on a page."""
    return [code for language, code in fenced((ROOT / page).read_text()) if language == "python"]


def rows_of(env_id: str, episodes: int = 3) -> Dataset:
    """Random walks in an environment of Gymnasium."""
    env = make_env(custom_task(env_id, horizon=60))()
    try:
        return make_noisy(env, 0, episodes)
    finally:
        env.close()


def write_hdf5(path: Path, data: Dataset, *without: str) -> None:
    """D4RL's layout, in the environment's units where its box is [-1, 1]."""
    columns = {
        "observations": data.obs,
        "actions": data.actions,
        "rewards": data.rewards,
        "terminals": data.terminated,
        "timeouts": data.truncated,
        "next_observations": data.next_obs,
    }
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            if name not in without:
                file[name] = values


def write_log(path: Path, head: str, rows: int = 40, episode: int = 20) -> None:
    """CSV of a walk: columns named `episode`, `run` or `fallen` count or mark the episodes."""
    rng, names, state = np.random.default_rng(len(path.name)), head.split(","), 0.0
    lines = [head]
    for row in range(rows):
        state = 0.0 if row % episode == 0 else state + rng.normal(0, 0.1)
        known: dict[str, Any] = {"run": row // episode, "fallen": int(row % episode == episode - 1)}
        known["terminated"] = known["fallen"]
        cells = [known.get(name, f"{state + rng.normal(0, 0.1):.5f}") for name in names]
        lines.append(",".join(map(str, cells)))
    path.write_text("\n".join(lines) + "\n")


def write_logs(folder: Path, head: str) -> None:
    """Six files of one episode each."""
    folder.mkdir()
    for number in range(6):
        write_log(folder / f"run_{number}.csv", head, 14 + number, 99)


HEADS = {
    "README.md": (
        "x_0,x_1,x_2,u,r",
        "obs_0,obs_1,obs_2,obs_3,action_0,action_1,reward,terminated",
    ),
    "docs/start.md": (
        "x_0,x_1,x_2,u,r",
        "obs_0,obs_1,obs_2,obs_3,action_0,action_1,reward,terminated",
    ),
    "docs/data.md": (
        "pos_0,pos_1,vel_0,vel_1,cmd_0,r,fallen,run",
        "time,q[0],q[1],dq[0],dq[1],torque[0],torque[1],reward,operator",
    ),
}
"""Of log.csv, and of the files in logs/, as the page describes them."""


def pendulums_policy(folder: Path, rule: Any = None) -> Path:
    """The policy folder of a run of Pendulum-v1."""
    if isinstance(rule, Desired):
        spec = SequenceSpec("deterministic", layers=1, heads=1, width=8)
        net, kind = spec.build(jax.random.key(0), Spec(3, 1, 9)), spec.distribution
    else:
        net, kind = PolicySpec(NetSpec((8,))).build(jax.random.key(0), 3, 1), "squashed"
    numbers = {f"return_{name}": jnp.float32(1) for name in ("low", "high", "scale")}
    stats = {"mean": jnp.zeros(3), "var": jnp.ones(3), "count": jnp.float32(9), **numbers}
    signals = rule.signals() if isinstance(rule, JumpStart) else {}
    pretrained = {"actor": net, "stats": stats} if isinstance(rule, JumpStart) else {}
    state = State({"actor": net}, {}, {}, pretrained, stats, signals)
    part, tensors = acting_part(View(state, kind, "none"), rule or Sampled())
    box = {"shape": [1], "dtype": "float32", "low": [-2.0], "high": [2.0]}
    seen = {"parts": [{"path": [], "shape": [3]}], "ignored": [], "offset": None}
    step = {"phase": "online", "stage": 0, "updates": 5, "env_steps": 7}
    card = {"method": "sac", "task": "Pendulum-v1", "seed": 0, "step": step, **part}
    card |= {"observation": seen, "action": box}
    write_policy(folder, {**card, "reward": {"scale": 1.0, "bias": 0.0}}, tensors)
    return folder


def supply(line: str, page: str, folder: Path, type_: Callable[[Sequence[str]], int]) -> None:
    """Put what a command names, and what no command before it made, into the working folder."""
    words = shlex.split(line)
    for word in words:
        path = folder / word.rstrip("/")
        if (ours := re.match(r"examples/\w+\.py", word)) and not (folder / ours[0]).exists():
            (folder / "examples").mkdir(exist_ok=True)
            (folder / ours[0]).write_text((ROOT / ours[0]).read_text())
        own = re.fullmatch(r"(my_\w+\.py):([\w-]+)", word)
        if own and own[2] != "guard":  # which stands beside the environment
            _write_code(folder, own[1], own[2])
        elif word == "my.hdf5":
            write_hdf5(path, _logged(words))
        elif word == "hopper.hdf5" and not path.exists():  # costs for rewards, and no marks
            data = rows_of("Hopper-v5", 120)
            sick = {"rewards": -data.rewards, "terminated": np.zeros(len(data), bool)}
            write_hdf5(path, replace(data, **sick), "timeouts", "next_observations")
        elif word == "log.csv" and not path.exists():
            write_log(path, HEADS[page][0], 450)
        elif word.rstrip("/") == "logs" and not path.exists():
            write_logs(path, HEADS[page][1])
        elif word == "runs/before" and not path.exists():
            type_(["pretrain", "wsrl", "jax-pointmass", "--name", "before"])
        elif word.startswith("runs/") and not path.exists():
            type_(["run", "cal_ql", "jax-pointmass", "--name", path.name])
        if words[1] in ("export", "serve") and word.startswith("runs/"):
            pendulums_policy(path / "policies" / "seed-0" / "latest")
            pendulums_policy(path / "policies" / "seed-0" / "best")
        if words[1] == "resume" and word == STAND_INS["RUN"]:
            (path / "finished.json").unlink()  # it was stopped


def _write_code(folder: Path, name: str, wanted: str) -> None:
    """A file of the reader's own, as the pages have it."""
    (method,) = python_of("docs/methods/add-your-own.md")
    if name == "my_method.py":
        code = method
    elif name == "my_study.py":
        (code,) = (code for code in python_of("docs/studies.md") if "Study(" in code)
        (folder / "my_method.py").write_text(method)  # which it names
    elif wanted == "policy":
        code = (ROOT / "examples" / "push.py").read_text()
    else:
        code = OWN_ENV.replace("NAME", wanted)
    (folder / name).write_text(code)


def _logged(words: Sequence[str]) -> Dataset:
    """Rows of the environment or task that a command compares `my.hdf5` with."""
    if "--env" in words:
        env = words[words.index("--env") + 1]
        name_code(code_of(env, {}))
        return rows_of(env)
    task = next((get_task(word) for word in words if word in TASKS), None)
    if task is not None and task.env_id is None:
        return load(make(task, size=3))
    return rows_of("Pendulum-v1" if task is None else str(task.env_id))
