"""A policy that has left its run, and robots that act by it over the link."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driven import ready
from fake_arm import TOKEN, Arm, handed_over, listening, robot

import warmstart as ws
from warmstart.cli import main
from warmstart.errors import RunError
from warmstart.link.served import ServedPolicy
from warmstart.link.session import Session
from warmstart.link.steplog import StepLog
from warmstart.policy.folder import read_policy


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy, by chance as good as any."""
    return ready("sac").save(tmp_path_factory.mktemp("left") / "policy")


@pytest.fixture
def served(folder: Path) -> Iterator[ServedPolicy]:
    with ServedPolicy(read_policy(folder), "127.0.0.1:0", TOKEN) as made:
        yield made


def test_robots_act_by_it_as_in_evaluation_and_keep_their_steps(
    tmp_path: Path, folder: Path, served: ServedPolicy
) -> None:
    policy, first, second = ws.load_policy(folder), Arm(), Arm()

    def nasty(number: int, answer: Any) -> Any:
        if number == 4:  # while the first one is linked
            told = robot(second, served.address, tmp_path / "second").run(3, go=True)
            assert told["connections"] == 1 and not told["learns"]
        return answer

    first.nasty = nasty
    told = robot(first, served.address, tmp_path / "first").run(20, go=True)
    assert (told["steps"], told["sent"], told["connections"]) == (20, 0, 1)
    assert served.given == 2 and len(second.done) == 3
    for _, obs, action, *_ in first.done:
        np.testing.assert_array_equal(action, policy.act(obs))
    served.close()
    robot(first, served.address, tmp_path / "first").run(5, go=True)  # nobody is there any more
    np.testing.assert_array_equal(first.done[-1][2], policy.act(first.done[-1][1]))
    log = StepLog(tmp_path / "first")
    assert (log.first, log.next) == (0, 25)
    log.close()


def test_who_is_not_given_it(
    tmp_path: Path, folder: Path, served: ServedPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm = Arm()

    def refused(message: str, address: str = served.address, at: str = "arm", **more: Any) -> None:
        with pytest.raises(RunError, match=message):
            robot(arm, address, tmp_path / at, **more).run(5, go=True)
        assert not arm.done

    refused("the token is not the policy server's", token="another-token-of-a-fair-length")
    arm.action_space = type(arm.action_space)(np.float32([0, -1]), np.float32([2, 5]))
    refused("not the policy server's .action low")
    arm.action_space = Arm.action_space
    with handed_over(tmp_path / "learner") as agent, listening(agent) as learner:
        robot(arm, learner, tmp_path / "learning").run(3, go=True)
        robot(arm, served.address, tmp_path / "acting").run(3, go=True)
        arm.done.clear()
        monkeypatch.setattr("warmstart.link.actor.FIRST_WORD", 600.0)
        refused(r"another learner \(wsrl\) .*\(a served sac\)", at="learning")
        refused(r"another learner \(sac\) .*\(wsrl\)", learner.address, "acting")
    stored = read_policy(folder)
    with pytest.raises(RunError, match=r"others than this machine .*--certfile"):
        ServedPolicy(stored, "0.0.0.0:0", TOKEN)
    with pytest.raises(RunError, match="at least 16 ASCII"):
        ServedPolicy(stored, "127.0.0.1:0", "short")
    monkeypatch.setattr(Session, "drained", lambda self: False)
    real = Session._welcomed

    def sends_all(self: Session, frame: Any) -> None:  # an actor that sends all the same
        real(self, type(frame)(frame.kind, {**frame.told, "learns": True}, frame.arrays))

    monkeypatch.setattr(Session, "_welcomed", sends_all)
    with pytest.raises(RunError, match="a served policy learns from no steps"):
        robot(arm, served.address, tmp_path / "sends", hz=50.0).run(500, go=True)


def test_the_command(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """HTTP and the link at once, until Ctrl-C."""
    monkeypatch.setenv("WARMSTART_TOKEN", TOKEN)
    acted: list[Any] = []

    def serves(server: Any) -> None:
        address = capsys.readouterr().out.split("actors connect to ")[1].split()[0]
        acted.append(robot(Arm(), address, tmp_path / "arm").run(3, go=True))
        raise KeyboardInterrupt

    monkeypatch.setattr("warmstart.policy.server.Server.serve_forever", serves)
    assert main(["serve", str(folder), "--port", "0", "--link", "127.0.0.1:0"]) == 130
    assert acted[0]["steps"] == 3
    monkeypatch.delenv("WARMSTART_TOKEN")
    assert main(["serve", str(folder), "--link", "127.0.0.1:0"]) == 2
    assert "show each other a token" in capsys.readouterr().err
