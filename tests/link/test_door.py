"""Who keeps the learner's door, and how much comes through it at once."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_arm import (
    TOKEN,
    Arm,
    handed_over,
    listening,
    require_same,
    robot,
    until,
)

import warmstart as ws
from warmstart.errors import RunError
from warmstart.link import greeter


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ws.Agent]:
    """One agent for the tests that leave it whole."""
    with handed_over(tmp_path_factory.mktemp("shared") / "learner") as made:
        yield made


def test_silent_connections_keep_nobody_out(
    tmp_path: Path, learner: ws.Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent: list[socket.socket] = []

    def connect(address: str, count: int) -> None:
        host, _, port = address.rpartition(":")
        silent.extend(socket.create_connection((host, int(port))) for _ in range(count))

    monkeypatch.setattr(greeter, "GREETING", 600.0)
    with listening(learner) as listens:
        connect(listens.address, 3 * greeter.GUESTS)
        began = time.monotonic()
        told = robot(Arm(), listens, tmp_path / "arm").run(3, go=True)
        assert told["connections"] == 1 and time.monotonic() - began < 60.0
        monkeypatch.setattr(greeter, "GREETING", 0.2)
        connect(listens.address, 1)
        silent[-1].settimeout(60.0)
        assert silent[-1].recv(1) == b""  # nobody stays who says nothing
    for one in silent:
        one.close()


def test_no_more_is_taken_than_may_wait(
    tmp_path: Path, learner: ws.Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where all that was missed comes at once, as after a restart."""
    arm, start = Arm(), learner.steps
    monkeypatch.setattr("warmstart.agent.learner.MOST_DUE", 8)
    with listening(learner) as listens:
        robot(arm, listens, tmp_path / "arm").run(2, go=True)
        until(lambda: listens.report()["steps"] == start + 2)
        address = listens.address
    robot(arm, address, tmp_path / "arm").run(60, go=True)  # nobody listens
    with ws.Learner(learner, address, token=TOKEN) as listens:
        robot(arm, listens, tmp_path / "arm").run(2, go=True)
        due = learner._live.stepper.due
        assert len(due) == 8
        while due:
            listens.run(steps=listens.report()["steps"] + 1)
            assert len(due) <= 8
    require_same(learner, arm.done[: learner.steps - start], start)


def test_a_full_disk_at_the_first_step_stops_no_robot(
    tmp_path: Path, learner: ws.Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RunError("the disk is full; free some space")

    start = learner.steps
    with pytest.raises(RunError, match="the disk is full"), listening(learner) as listens:
        monkeypatch.setattr(listens, "adopt", full)
        told = robot(Arm(), listens, tmp_path / "arm", hz=50.0).run(40, go=True)
    assert told["steps"] == told["numbered"] - start == 40
