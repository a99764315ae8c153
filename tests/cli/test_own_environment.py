"""An environment that only the user's own file registers, and what its code may do wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from warmstart.commands.arguments import task_of
from warmstart.commands.parse import parse
from warmstart.data import load, parse_columns, save_folder
from warmstart.envs.make import make_env
from warmstart.errors import TaskError
from warmstart.tasks import custom_task
from warmstart.user_code.load import register_own
from warmstart.user_code.trust import name_code

Called = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]
CODE = '''
import gymnasium
import numpy as np
from gymnasium import spaces

class Arm(gymnasium.Env):
    """Dict observations in float64, and a box that is neither [-1, 1] nor exact in float32."""

    def __init__(self, fault=""):
        self.fault = fault
        three = spaces.Box(-9.0, 9.0, (3,), np.float64)
        self.observation_space = spaces.Dict({"vel": three, "pos": three})
        self.action_space = {
            "": spaces.Box(np.array([-2.0, -0.1]), np.array([2.0, 0.7]), dtype=np.float64),
            "discrete": spaces.Discrete(3),
            "dict": spaces.Dict({"a": spaces.Box(-1, 1, (2,))}),
            "unbounded": spaces.Box(-np.inf, np.inf, (2,)),
            "flat": spaces.Box(np.array([0.0, 1.0]), np.array([1.0, 1.0]), dtype=np.float64),
        }.get(fault, spaces.Box(-1.0, 1.0, (2,), np.float64))
        if fault == "init":
            raise ValueError("no serial port")

    def observe(self):
        wide = 4 if self.fault == "size" else 3
        return {"vel": np.full(wide, 0.5), "pos": np.full(wide, float(self.age))}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if self.fault == "reset":
            raise RuntimeError("motors are off")
        self.age = 0
        return self.observe(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        if self.fault == "step":
            raise RuntimeError("motors are off")
        self.age += 1
        return self.observe(), 1.0, False, False, {}

gymnasium.register("OwnArm-v0", entry_point="own_arm:Arm", max_episode_steps=5)
gymnasium.register("OwnEndless-v0", entry_point="own_arm:Arm")
'''


@pytest.fixture(autouse=True)
def own_arm(tmp_path: Path) -> Iterator[Path]:
    """The file, which the user named, and nothing left of it afterwards."""
    looked_in = list(sys.path)
    (tmp_path / "own_arm.py").write_text(CODE)
    name_code([str(tmp_path / "own_arm.py")])
    yield tmp_path / "own_arm.py"
    sys.modules.pop("own_arm", None)
    sys.path[:] = looked_in
    for name in ("OwnArm-v0", "OwnEndless-v0"):
        gymnasium.registry.pop(name, None)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder of logs, one an episode, with names that say nothing to us."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for i in range(4):
        names = [f"{kind}[{j}]" for kind in ("pos", "vel") for j in range(3)]
        rows = [[t] * 3 + [0.5] * 3 + [2.0, -0.1, 1.0] for t in range(5)]
        lines = [",".join([*names, "u[0]", "u[1]", "gain"]), *(",".join(map(str, r)) for r in rows)]
        (folder / f"run {i}.csv").write_text("\n".join(lines))
    return folder


COLUMNS = "obs=pos[*]+vel[*],action=u[*],reward=gain,done=never"


@pytest.mark.parametrize("env", ["own_arm:OwnArm-v0", "own_arm.py:OwnArm-v0"])
def test_logs_are_checked_with_the_users_own_environment(
    env: str, logs: Path, call: Called
) -> None:
    code, out, _ = call("data", "check", str(logs), "--env", env, "--columns", COLUMNS, "--json")
    told = json.loads(out)
    assert code == 0 and told["rows"] == 16 and told["episodes"] == 4
    assert told["environment"] == env


def test_data_convert_and_run_as_the_page_says(logs: Path, call: Called, tmp_path: Path) -> None:
    line = ("--env", "own_arm.py:OwnArm-v0", "--columns", COLUMNS)
    assert call("data", "convert", str(logs), *line, "--out", "arm-data")[0] == 0
    data = load("arm-data")
    assert data.obs.shape == (16, 6) and data.info["env_id"].endswith("own_arm.py:OwnArm-v0")
    assert np.allclose(data.actions, [1 - 1e-5, -(1 - 1e-5)])
    code, out, err = call(
        *("run", "td3_bc", "--env", "own_arm.py:OwnArm-v0", "--data", "arm-data"),
        *("--preset", "quick", "--pretrain-steps", "4", "--steps", "8", "--name", "first"),
        *("--episodes", "1", "--fixed-episodes", "1", "--set", "nets.hidden=8,8"),
        *("--set", "learner.batch=4"),
    )
    assert code == 0, err
    assert (out + err).count("cannot draw here") == 1, "two films were wanted"
    assert json.loads((tmp_path / "runs" / "first" / "finished.json").read_text())
    words = json.loads((tmp_path / "runs" / "first" / "run.json").read_text())["command"]
    assert str(tmp_path / "own_arm.py") in words  # holds from every folder


def test_actions_stay_inside_a_box_that_float32_cannot_hold(own_arm: Path) -> None:
    env = make_env(custom_task(f"{own_arm}:OwnArm-v0"))()
    env.reset(0)
    for action in ([1.0, 1.0], [-1.0, -1.0], [2.0, -2.0]):
        env.step(np.array(action, np.float32))  # the environment asserts that it fits
    env.close()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("discrete", "has Discrete actions"),
        ("dict", "has Dict actions"),
        ("unbounded", "unbounded action box"),
        ("flat", "without width: number 1 lies between 1 and 1"),
        ("init", "ValueError: no serial port in own_arm.py"),
        ("reset", "failed in reset (RuntimeError: motors are off in own_arm.py, line"),
        ("step", "failed in step (RuntimeError: motors are off in own_arm.py, line"),
        ("size", "observed 8 numbers, its observation space declares 6"),
    ],
)
def test_what_is_wrong_is_said_before_a_run_begins(
    fault: str, says: str, logs: Path, refused: Refused
) -> None:
    line = ("--env", "own_arm.py:OwnArm-v0", "--env-arg", f"fault={fault}")
    told = refused("run", "iql", *line, "--data", str(logs), "--columns", COLUMNS)
    assert says in told and told.rstrip().endswith(".")
    told = refused("data", "check", str(logs), "--columns", COLUMNS, *line)
    assert says in told


def test_an_environment_without_a_time_limit_asks_for_one(logs: Path, refused: Refused) -> None:
    line = ("run", "iql", "--env", "own_arm.py:OwnEndless-v0", "--data", str(logs))
    assert "--horizon N" in refused(*line, "--columns", COLUMNS)
    given = parse([*line, "--horizon", "9"])
    assert make_env(task_of(given))().spec.horizon == 9
    assert "--horizon 0" in refused(*line, "--horizon", "0")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import nothing_like_this", "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("gymnasium.register(", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError: division by zero in own_arm.py, line 1"),
        ("", "No installed package registers the environment 'OwnArm-v0'"),
    ],
)
def test_a_file_that_fails_says_where(own_arm: Path, code: str, says: str) -> None:
    own_arm.write_text(code)
    with pytest.raises(TaskError) as refused:
        make_env(custom_task(f"{own_arm}:OwnArm-v0"))()
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_a_file_named_like_another_module_is_refused(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("")
    name_code([str(tmp_path / "json.py")])
    with pytest.raises(TaskError, match="rename your file"):
        register_own(f"{tmp_path / 'json.py'}:OwnArm-v0")


def test_what_data_name_is_never_imported(
    logs: Path, call: Called, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    trap = tmp_path / "trap.py"
    trap.write_text("raise SystemExit('imported')")
    box = np.full(2, -3.0, np.float32), np.full(2, 3.0, np.float32)
    data = load(logs, mapping=parse_columns(COLUMNS), bounds=box)
    for i, name in enumerate(("trap:Pendulum-v1", f"{trap}:Pendulum-v1")):
        folder = save_folder(data, tmp_path / f"data{i}", {"env_id": name, "env_kwargs": {}})
        assert call("data", "check", str(folder), "--json")[0] == 0
        code, _, err = call("data", "convert", str(folder), "--minari", f"own/x{i}-v0")
        assert code == 0, err
    assert "trap" not in sys.modules
