"""The commands `learner` and `actor`: what they refuse, and a learner's folder that goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_arm import TOKEN, listening, require_same, robot, until

import warmstart as ws
from warmstart.api.driver import Interrupted
from warmstart.cli import main
from warmstart.commands import act, learn
from warmstart.errors import RunError
from warmstart.files.durable import sealed, write_json_atomic
from warmstart.runs.folder import read_run

ACT = ["actor", "--connect", "127.0.0.1:1", "--env", "Pendulum-v1"]


def said(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(words) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ") and "\n" not in error
    return error


def test_words_that_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WARMSTART_TOKEN", raising=False)
    assert "show each other a token" in said([*ACT, "--go"], capsys)
    assert "show each other a token" in said(["learner", "sac", "--env", "Pendulum-v1"], capsys)
    monkeypatch.setenv("WARMSTART_TOKEN", TOKEN)
    for words, message in (
        (["--steps", "0"], "--steps 0 cannot be used"),
        (["--limits", "1:2:3"], "--limits 1:2:3 cannot be used"),
        (["--rate", "-1"], "above 0"),
        (["--guard", "nowhere.py:guard"], "there is no file"),
        (["--cafile", "nowhere.pem"], "holds no certificate"),
        (["--token", "short"], "at least 16"),
        (["--most-mb", "0"], "--most-mb 0 cannot be used"),
        (["--env-arg", "speed"], "--env-arg speed is no pair"),
    ):
        assert message in said([*ACT, "--go", *words], capsys)
    assert "there is no host" in said([*ACT[:2], "no..host:1", *ACT[3:], "--go"], capsys)
    assert not (tmp_path / "actor").exists()


@pytest.mark.parametrize(("typed", "goes"), [("\n", True), ("", False)])
def test_somebody_at_a_terminal_says_go(
    typed: str, goes: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Keys:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return typed

    monkeypatch.setattr("sys.stdin", Keys())
    assert act._asked() is goes
    assert "when you press Enter" in capsys.readouterr().out
    monkeypatch.setattr(Keys, "isatty", lambda self: False)
    assert act._asked() is False


def test_an_actor_needs_no_jax() -> None:
    blocked = ("jax", "jaxlib", "equinox", "optax", "orbax", "scipy", "h5py", "matplotlib")
    code = f"""
import sys
sys.modules.update(dict.fromkeys({blocked!r}))
import warmstart as ws
from warmstart.cli import main
actor = ws.Actor("Pendulum-v1", "127.0.0.1:1", token={TOKEN!r})
sys.exit(main({ACT!r} + ["--token", {TOKEN!r}, "--timeout=-1"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2 and "--timeout -1 cannot be used" in done.stderr, done.stderr


def test_a_learner_that_is_stopped_in_its_pre_training(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped() -> None:
        raise Interrupted("stopped by SIGINT and saved; go on with: another program")

    listens: Any = learn._listens
    agent = SimpleNamespace(pretrain=stopped)
    assert listens(agent, Path("runs/arm"), None, TOKEN, 1) == 130
    assert capsys.readouterr().err.strip().endswith("go on with: warmstart learner runs/arm")


def test_a_pre_training_is_gone_on_from_and_then_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WARMSTART_TOKEN", TOKEN)
    small = ["--set", "nets.hidden=8", "--set", "learner.batch=8", "--pretrain-steps", "20"]
    small += ["--set", "replay.warmup.steps=4", "--preset", "quick", "--fixed-episodes", "1"]
    for seeds, name in (("0", "before"), ("0,1", "two")):
        words = ["pretrain", "wsrl", "jax-pointmass", *small, "--seeds", seeds, "--name", name]
        assert main([*words, "--no-compare"]) == 0
    assert "an agent is one; pre-train with" in said(["learner", "runs/two"], capsys)
    assert "--seed was settled when" in said(["learner", "runs/before", "--seed", "3"], capsys)
    shutil.copytree(tmp_path / "runs" / "before", tmp_path / "runs" / "half")
    shutil.rmtree(tmp_path / "runs" / "half" / "pretrained")
    begun = [*("learner", "runs/half", "--name", "early"), *small[:4], *small[6:8]]
    assert "has not finished its pre-training" in said(begun, capsys)
    assert not (tmp_path / "runs" / "early").exists()
    listened: list[Any] = []

    def listens(agent: ws.Agent, folder: Path, *given: Any) -> int:
        listened.append(folder)
        agent.pretrain()
        agent.hand_over()
        with listening(agent) as here:
            env = Pointmass(agent)
            robot(env, here, tmp_path / "arm").run(10, go=True)
            until(lambda: here.report()["steps"] == 10 * len(listened))
        done.extend(env.done)
        return 0

    done: list[Any] = []
    monkeypatch.setattr(learn, "_listens", listens)
    words = ["--set", "nets.hidden=8", "--set", "learner.batch=8", "--set", "nets.hidden=8"]
    assert main(["learner", "runs/before", "--name", "arm", *words[:4],
                 "--set", "replay.warmup.steps=4", "--intervened-share", "0.5"]) == 0  # fmt: skip
    assert "learnt online" not in capsys.readouterr().out
    whole = tmp_path / "runs" / "whole"  # the same pre-training, of a run that went on
    shutil.copytree(tmp_path / "runs" / "before", whole)
    write_json_atomic(whole / "run.json", sealed({**read_run(whole), "until": "done"}))
    with monkeypatch.context() as now:
        now.setattr(learn, "_listens", lambda *given: 0)
        assert main(["learner", "runs/whole", "--name", "other", *words[:4]]) == 0
    said_then = "begins on the pre-training of 'runs/whole'; what that run learnt online"
    assert said_then in capsys.readouterr().out
    kept = json.loads((tmp_path / "runs" / "arm" / "run.json").read_text())
    assert kept["recipe"]["replay"]["source"]["is"] == "Intervened"
    assert main(["learner", "runs/arm"]) == 0
    assert listened[0].name == listened[1].name == "arm"
    assert "--steps was settled when the learner began" in said(
        ["learner", "runs/arm", "--steps", "9"], capsys
    )
    with pytest.raises(RunError, match=r"program of yours|stepped by"):
        ws.resume("runs/arm")
    assert threading.active_count() < 50 and require_same is not None


class Pointmass:
    """Spaces of the agent's task, and steps that go nowhere."""

    def __init__(self, agent: ws.Agent) -> None:
        from warmstart.envs.given import spaces_of

        interface = agent._live.problem.interface
        assert interface is not None
        self.observation_space, self.action_space = spaces_of(interface)
        self.done: list[Any] = []
        self.spec = None

    @property
    def unwrapped(self) -> Pointmass:
        return self

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return self.observation_space.sample() * 0, {}

    def step(self, action: Any) -> Any:
        self.done.append(action)
        return self.observation_space.sample() * 0, 0.0, False, False, {"success": False}

    def close(self) -> None:
        pass
