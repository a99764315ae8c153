"""An actor and a learner: what the robot did is what is learnt from, one for one."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driven import ID, WORDS, agent, logged, recipe
from fake_arm import (
    TOKEN,
    Arm,
    handed_over,
    killed,
    listening,
    opened_again,
    require_same,
    robot,
    rows_of,
    until,
)

import warmstart as ws
from warmstart.commands.learn import _from_here
from warmstart.errors import DivergedError, RecipeError, RunError, TaskError
from warmstart.link.acting import Acting
from warmstart.link.frames import HEAD, frame_at, pack
from warmstart.link.robot import HALTING, Robot
from warmstart.link.session import Session
from warmstart.link.steplog import StepLog
from warmstart.link.steps import as_step

DRIVE = importlib.import_module("warmstart.api.driver")


class Cable:
    """A wire between two ports that can be cut, and that may cut itself in the middle of a step."""

    def __init__(self, address: str) -> None:
        self.to = int(address.rpartition(":")[2])
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.open: list[socket.socket] = []
        self.bytes = 0
        self.breaks_at: list[int] = []
        threading.Thread(target=self._accepts, daemon=True).start()

    def _accepts(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                return
            self.open += [near, far]
            for here, there in ((near, far), (far, near)):
                threading.Thread(
                    target=self._copies, args=(here, there, here is near), daemon=True
                ).start()

    def _copies(self, here: socket.socket, there: socket.socket, counts: bool) -> None:
        try:
            while held := here.recv(4096):
                self.bytes += len(held) * counts
                if counts and self.breaks_at and self.bytes > self.breaks_at[0]:
                    self.breaks_at.pop(0)
                    there.sendall(held[: len(held) // 2])
                    break
                there.sendall(held)
        except OSError:
            pass
        self.cut()

    def cut(self) -> None:
        """Both ends hear of it."""
        cut, self.open = self.open, []
        for one in cut:
            one.close() if one.fileno() < 0 else _shut(one)


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ws.Agent]:
    """One agent for all tests that leave it whole: each robot goes on at its number."""
    with handed_over(tmp_path_factory.mktemp("shared") / "learner") as made:
        yield made


def test_what_the_robot_did_is_what_is_learnt_from(tmp_path: Path, learner: ws.Agent) -> None:
    arm, start = Arm(), learner.steps

    def nasty(number: int, answer: Any) -> Any:
        if number % 9 == 4:  # a human takes over
            answer[-1]["intervention"] = np.float32([1.5, -2.0 + number / 100])
        return answer

    arm.nasty = nasty
    with listening(learner) as listens:
        told = robot(arm, listens, tmp_path / "arm").run(50, go=True)
        until(lambda: listens.report()["steps"] == start + 50)
        again = robot(arm, listens, tmp_path / "arm").run(10, go=True)
        until(lambda: listens.report()["steps"] == start + 60)
        require_same(learner, arm.done, start)
        assert listens.report()["updates"] > 0
    rows, column = rows_of(learner)[start:], learner._live.stepper.online.layout.online
    marked = np.arange(60) % 9 == 4
    np.testing.assert_array_equal(rows[:, column], np.where(marked, 2.0, 1.0))
    assert told["steps"] == 50 and again["sent"] == again["numbered"] == start + len(arm.done)
    assert again["weights"] > told["weights"] > 0
    assert again["refused_weights"] == 0 and again["connections"] == 1
    assert told["interventions"] + again["interventions"] == marked.sum()
    pace = told["pace"]
    assert pace["in_time"] + pace["missed"] + told["episodes"] in (49, 50)


def test_killed_and_cut_at_any_time_no_step_is_lost_and_none_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The learner falls back to its last checkpoint, the cable breaks in the middle of messages,
    the actor begins again: the ring holds what the arm did, in order."""
    arm, folder, home = Arm(), tmp_path / "learner", tmp_path / "arm"
    monkeypatch.setattr(DRIVE, "CHECKPOINT_SECONDS", 0.05)
    learner = handed_over(folder)
    listens = ws.Learner(learner, "127.0.0.1:0", token=TOKEN, publish_every=3)
    port, broken = listens.address, 0
    for life in range(4):
        with listening_on(listens):
            cable = Cable(listens.address)
            cable.breaks_at = [4_000 + 997 * life, 14_000]
            robot(arm, cable.address, home, hz=200.0).run(30, go=True)
            cable.cut()
        broken += 2 - len(cable.breaks_at)
        before = listens.report()
        killed(listens)
        learner = opened_again(folder)
        assert learner.steps <= before["observed"]
        listens = ws.Learner(learner, port, token=TOKEN, publish_every=3)
    with listening_on(listens):
        robot(arm, listens, home).run(20, go=True)
        until(lambda: listens.report()["steps"] == 140)
    assert len(arm.done) == 140 and broken >= 4
    require_same(learner, arm.done)
    listens.close()
    learner.close()


class listening_on:
    """A learner that listens already runs in a thread."""

    def __init__(self, listens: ws.Learner) -> None:
        self.listens = listens

    def __enter__(self) -> None:
        self.thread = threading.Thread(target=self.listens.run, daemon=True)
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.listens.stop()
        self.thread.join(300)


def test_a_dead_learner_stops_no_robot_and_a_new_log_goes_on_at_its_number(tmp_path: Path) -> None:
    arm, home = Arm(), tmp_path / "arm"
    with handed_over(tmp_path / "learner") as learner:
        with listening(learner) as listens:
            robot(arm, listens, home).run(8, go=True)
            until(lambda: listens.report()["steps"] == 8)
            address = listens.address
        told = robot(arm, address, home).run(7, go=True)  # nobody listens
        assert told["steps"] == 7 and told["numbered"] == 15 and told["connections"] == 0
        assert told["weights"] > 0
        with listening(learner, listen=address) as listens:
            robot(arm, listens, home).run(5, go=True)
            until(lambda: listens.report()["steps"] == 20)
            require_same(learner, arm.done)
            with pytest.raises(RunError, match="nothing moves before"):  # it displaces nobody
                robot(arm, listens, tmp_path / "another").run(4)
            robot(arm, listens, home).run(1, go=True)
            until(lambda: listens.report()["steps"] == 21)
            with pytest.raises(RunError, match="another actor's steps are followed here"):
                robot(arm, listens, tmp_path / "another").run(4, go=True)
            told = robot(arm, listens, tmp_path / "third").run(4, go=True)
            until(lambda: listens.report()["steps"] == 25)
            require_same(learner, arm.done)
            assert told["numbered"] == 25
            with pytest.raises(RunError, match="another actor's steps are followed here since"):
                robot(arm, listens, home).run(1, go=True)
    frames = [frame_at(one, 0)[0] for one in _log(tmp_path / "third").read(21, 10**6)]
    assert [as_step(one).number for one in frames] == [21, 22, 23, 24]


def _log(folder: Path) -> StepLog:
    return StepLog(folder)


def test_the_robot_halts_before_what_is_still_to_be_sent(
    tmp_path: Path, learner: ws.Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    class Own(Arm):
        def close(self) -> None:
            order.append("close")
            super().close()

    def finish(session: Session, seconds: float, inner: Any = Session.finish) -> None:
        order.append("finish")
        inner(session, seconds)

    def ask(own: Robot, what: Any, timeout: float | None, inner: Any = Robot._ask) -> Any:
        waits.append(timeout)
        return inner(own, what, timeout)

    waits: list[float | None] = []
    monkeypatch.setattr(Session, "finish", finish)
    monkeypatch.setattr(Robot, "_ask", ask)
    with listening(learner) as listens:
        robot(Own, listens, tmp_path / "arm", timeout=20.0).run(3, go=True)
    assert order == ["close", "finish"]
    assert waits[-2:] == [20.0, HALTING]  # a step's patience, and that with its end


def test_who_is_not_let_in(
    tmp_path: Path, learner: ws.Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm, home = Arm(), tmp_path / "arm"
    with listening(learner) as listens:

        def refused(message: str, env: Any = arm, folder: Path = home, **more: Any) -> None:
            with pytest.raises(RunError, match=message):
                robot(env, listens, folder, **more).run(1, go=True)
            assert not arm.done

        refused("the token is not the learner's", token="another-token-of-a-fair-length")
        narrow = Arm()
        narrow.action_space = type(arm.action_space)(np.float32([0, -1]), np.float32([2, 5]))
        refused("action low: .* there: there is the actor", narrow)
        with monkeypatch.context() as now:
            now.setattr("warmstart.link.session.versions", lambda: {"warmstart": "0.0.1"})
            refused("the actor has warmstart 0.0.1, the learner")
        with pytest.raises(RunError, match="nothing moves before you say so"):
            robot(arm, listens, home).run(1)
        assert not arm.resets
        # A stranger: no frame, a frame too large, a frame of another version, silence.
        host, _, port = listens.address.rpartition(":")
        for held, answer in (
            (b"GET / HTTP/1.1\r\n\r\n" + b" " * 40, b""),
            (HEAD.pack(b"WSL", 1, 100_000, 0, 0), b"larger than the 65,536"),
            (HEAD.pack(b"WSL", 9, 100, 0, 0), b"version 9 of the link"),
            (pack("hello", {}), b"the token is not"),
            (pack("hello", {"token": "\ud800"}), b"the token is not"),
            (pack("hello", {"token": TOKEN, "warmstart": [], "interface": 3}), b""),
        ):
            with socket.create_connection((host, int(port)), timeout=300) as line:
                line.sendall(held)
                heard = b""
                while more := line.recv(4096):
                    heard += more
                assert answer in heard, heard
        told = robot(arm, listens, home).run(3, go=True)
        assert told["connections"] == 1
    other = handed_over(tmp_path / "other", recipe("rlpd", steps=400))
    with other, listening(other) as listens:
        begun = len(arm.done)
        with pytest.raises(RunError, match=r"belong to another learner \(wsrl\) .*\(rlpd\)"):
            robot(arm, listens, home).run(50, go=True)
        assert len(arm.done) - begun < 50


def test_where_it_does_not_listen(tmp_path: Path, learner: ws.Agent) -> None:
    for listen, more, message in (
        ("0.0.0.0:0", {}, r"others than this machine reach 0\.0\.0\.0.*--certfile"),
        ("127.0.0.1:0", {"token": "short"}, "at least 16 ASCII"),
        ("8200", {}, r"'8200' is no address.*--listen"),
        ("no..host:1", {}, "there is no host"),
        ("127.0.0.1:0", {"certfile": __file__}, "is no certificate"),
        ("127.0.0.1:0", {"publish_every": 0}, "--publish-every 0 cannot be used"),
    ):
        with pytest.raises(RunError, match=message):
            ws.Learner(learner, listen, **{"token": TOKEN, **more})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(RunError, match="cannot listen on"):
            ws.Learner(learner, at, token=TOKEN)
    with pytest.raises(RunError, match="give its agent a folder="):
        ws.Learner(agent("wsrl"), "127.0.0.1:0", token=TOKEN)
    with pytest.raises(TaskError, match="give it the robot's environment"):
        robot(learner, "127.0.0.1:1", Path("nowhere"))
    with pytest.raises(RunError, match=r"jsrl changes with its evaluations .*such as wsrl"):
        ws.Learner(agent("jsrl"), "127.0.0.1:0", token=TOKEN)


def test_over_tls_with_a_certificate_of_our_own(
    tmp_path: Path, caplog: Any, learner: ws.Agent
) -> None:
    arm, pem = Arm(), Path(__file__).parents[1] / "policy" / "localhost.pem"
    start = learner.steps
    with listening(learner, certfile=pem) as listens:
        address = listens.address.replace("127.0.0.1", "localhost")
        told = robot(arm, address, tmp_path / "arm", cafile=pem).run(12, go=True)
        until(lambda: listens.report()["steps"] == start + 12)
        assert told["connections"] == 1
        with pytest.raises(RunError, match=r"certificate is not trusted here .*with --cafile"):
            robot(arm, address, tmp_path / "b", cafile=_other_authority()).run(1, go=True)
        other = f"127.0.0.1:{address.rpartition(':')[2]}"
        with pytest.raises(RunError, match=r"not trusted here \(IP .*--connect to a name that"):
            robot(arm, other, tmp_path / "b", cafile=pem).run(1, go=True)
        plain = robot(arm, other, tmp_path / "b")
        threading.Timer(3.0, plain.stop).start()
        plain.run(1, go=True)
    assert "where the learner speaks TLS, give --cafile" in caplog.text
    require_same(learner, arm.done, start)


def _other_authority() -> str:
    found = ssl.get_default_verify_paths()
    return str(found.cafile or found.openssl_cafile)


def test_weights_that_are_not_finite_are_left_and_said(
    tmp_path: Path, caplog: Any, learner: ws.Agent
) -> None:
    arm, start = Arm(), learner.steps
    sent: list[int] = []
    with listening(learner) as listens:
        real = listens.weights

        def poisoned(version: int, whole: bool) -> bytes:
            frame = frame_at(real(version, whole), 0)[0]
            sent.append(version)
            if len(sent) == 3:
                name = next(k for k in frame.arrays if k.startswith("policy/nets.actor"))
                bad = frame.arrays[name].copy()
                bad.flat[0] = np.nan
                frame.arrays[name] = bad
            return pack(frame.kind, frame.told, frame.arrays)

        listens.weights = poisoned
        told: list[dict[str, Any]] = []
        # A slow learner sends few weights in one run; the next one begins with its newest.
        while len(told) < 12 and not (len(sent) > 3 and told[-1]["weights"] > sent[2]):
            told.append(robot(arm, listens, tmp_path / "arm", hz=200.0).run(20, go=True))
            until(lambda: listens.report()["steps"] == start + len(arm.done))
        assert sum(each["refused_weights"] for each in told) == 1
        assert told[-1]["weights"] > sent[2]
        until(lambda: listens.unfit == 1)
        require_same(learner, arm.done, start)
    assert f"weights {sent[2]} were not taken: the weights in" in caplog.text


def test_a_robot_that_answers_late_or_not_at_all(tmp_path: Path, learner: ws.Agent) -> None:
    arm, never, start = Arm(), threading.Event(), learner.steps
    with listening(learner) as listens:

        def nasty(number: int, answer: Any) -> Any:
            time.sleep(0.03 if number == 5 else 0.0)
            if number == 12:
                never.wait(600)
            return answer

        arm.nasty = nasty
        actor = robot(arm, listens, tmp_path / "arm", hz=100.0, timeout=2.0)
        with pytest.raises(RunError, match=r"has not answered for 2 seconds.*--timeout"):
            actor.run(30, go=True)
        assert actor.report()["pace"]["missed"] >= 1 and actor.report()["steps"] == 12
        until(lambda: listens.report()["steps"] == start + 12)
        require_same(learner, arm.done[:12], start)
        never.set()
        assert arm.idle.wait(300)
        told = robot(arm, listens, tmp_path / "arm").run(5, go=True)
        assert told["numbered"] == start + 17


def test_a_guard_and_an_environment_that_fails_stop_it_with_nothing_lost(
    tmp_path: Path, learner: ws.Agent
) -> None:
    arm, start = Arm(), learner.steps

    def guard(obs: Any, action: np.ndarray) -> Any:
        return "the table is near" if len(arm.done) == 7 else None

    with listening(learner) as listens:
        with pytest.raises(RunError, match="before an action was sent: the table is near"):
            robot(arm, listens, tmp_path / "arm", guard=guard).run(30, go=True)
        assert len(arm.done) == 7

        def nasty(number: int, answer: Any) -> Any:
            if number == 9:
                raise OSError("the bus is gone")
            if number == 10:
                return (answer[0], float("nan"), *answer[2:])
            if number == 11:
                return (answer[0], 1e300, *answer[2:])
            return answer

        arm.nasty = nasty
        for message in (
            r"failed in step \(OSError: the bus is gone",
            "the reward nan",
            "the reward 1e\\+300, which is beyond float32",
        ):
            with pytest.raises(TaskError, match=message):
                robot(arm, listens, tmp_path / "arm").run(30, go=True)
            arm.done += [None] * (len(arm.done) < 10)
        arm.nasty = lambda number, answer: answer
        done = [note for note in arm.done if note is not None and abs(note[3]) < 1e30]
        told = robot(arm, listens, tmp_path / "arm").run(3, go=True)
        until(lambda: listens.report()["steps"] == start + len(done) + 3)
        assert told["numbered"] == start + len(done) + 3
        require_same(learner, done + arm.done[-3:], start)


def test_success_ends_the_robots_episode_where_it_ends_the_tasks(tmp_path: Path) -> None:
    """As in Meta-World, whose environments go on behind success."""
    arm = Arm()
    arm.nasty = lambda n, a: (*a[:4], {"success": float(n % 5 == 1)})
    task = dataclasses.replace(ws.custom_task(ID, horizon=7), success=True, success_reward=True)
    made = ws.Agent(recipe("wsrl", steps=400, warmup=4), task, data=logged(), **WORDS,
                    folder=tmp_path / "learner")  # fmt: skip
    made.pretrain()
    with made as learner, listening(learner) as listens:
        robot(arm, listens, tmp_path / "arm").run(20, go=True)
        assert robot(arm, listens.address, tmp_path / "arm").run(10, go=True)["steps"] == 10
        until(lambda: listens.report()["steps"] == 30)
        seen = learner._live.stepper.online.layout.unpack(rows_of(learner))
    succeeded = np.arange(30) % 5 == 1
    assert (seen.mask[succeeded] == 0.0).all() and (seen.t[1:][succeeded[:-1]] == 0).all()
    np.testing.assert_array_equal(seen.reward, np.where(succeeded, 0.0, -1.0))
    np.testing.assert_array_equal(seen.t == 0, [note[0] for note in arm.done])


def test_a_learner_ends_at_just_the_steps_that_it_is_given(
    tmp_path: Path, learner: ws.Agent
) -> None:
    arm, start = Arm(), learner.steps
    with ws.Learner(learner, "127.0.0.1:0", token=TOKEN) as listens:
        robot(arm, listens, tmp_path / "arm").run(9, go=True)
        for steps in (3, 3, 4, 9):
            assert listens.run(steps=start + steps)["steps"] == start + steps
            assert len(learner._live.stepper.due) == 9 - steps
    require_same(learner, arm.done, start)


def test_a_step_that_cannot_be_learnt_ends_the_learner_and_is_named(tmp_path: Path) -> None:
    arm = Arm()
    arm.nasty = lambda n, a: (*a[:4], {"success": "maybe"} if n == 4 else a[4])
    with (
        handed_over(tmp_path / "learner", horizon=7) as learner,
        pytest.raises(RunError, match=r"step 4 of the robot cannot be learnt: .*success"),
        listening(learner) as listens,
        pytest.raises(RunError, match="step 4 of the robot"),
    ):
        robot(arm, listens, tmp_path / "arm", hz=100.0).run(400, go=True)


def test_a_learner_that_diverges_is_gone_on_from(tmp_path: Path, caplog: Any) -> None:
    """The actor is told and goes on by its last good weights; the learner goes on by other numbers
    from its last good checkpoint, and hears again what came since."""
    arm, folder, rate = Arm(), tmp_path / "learner", "learner.critic_optimiser.lr"
    made = recipe("sac", random=2, steps=400).with_(rate, 1e30)
    learner = agent(made, folder=folder)
    learner.hand_over()
    listens = ws.Learner(learner, "127.0.0.1:0", token=TOKEN, publish_every=1)
    failed: list[Any] = []

    def run() -> None:
        try:
            listens.run()
        except DivergedError as error:
            failed.append(error)

    def nasty(number: int, answer: Any) -> Any:
        if number == 30:  # so much is learnt by then
            until(lambda: bool(failed))
        return answer

    arm.nasty = nasty
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    told = robot(arm, listens, tmp_path / "arm", hz=50.0).run(60, go=True)
    thread.join(300)
    assert told["steps"] == told["numbered"] == 60
    (line,) = [r.getMessage() for r in caplog.records if "learns no more" in r.getMessage()]
    assert re.search(r"is not a finite number .*\. The robot goes on by weights \d+, and its", line)
    error = _from_here(failed[0], folder, listens.report()["safe"])
    assert "changes=" in str(failed[0]) and "changes=" not in str(error) and "changes=" not in line
    again = re.search(rf"try --set ({rate})=(\S+)\. The last good checkpoint, of step 0 of.* go on"
                      rf": warmstart learner \S+ --set {rate}=\S+$", str(error))  # fmt: skip
    assert again is not None, error
    killed(listens)
    change = {again[1]: float(again[2])}
    with pytest.raises(RecipeError, match="only numbers of the online learner may change"):
        ws.Agent.open(folder, changes={"replay.warmup.steps": 3})
    with ws.Agent.open(folder, goes_on=True, changes=change) as learner:
        with listening(learner) as listens:
            told = robot(arm, listens, tmp_path / "arm").run(10, go=True)
            until(lambda: listens.report()["steps"] == 70)
        require_same(learner, arm.done)
    with ws.Agent.open(folder) as learner:
        assert learner.recipe.finetune.learner.critic_optimiser.lr == change[rate]


def test_a_learner_that_is_killed_before_it_ever_saved_a_step_loses_none(tmp_path: Path) -> None:
    """Nor does one that was killed before it ever heard of one."""
    arm, folder = Arm(), tmp_path / "learner"
    learner = handed_over(folder)
    with listening_on(listens := ws.Learner(learner, "127.0.0.1:0", token=TOKEN)):
        with pytest.raises(RunError, match="nothing moves before"):
            robot(arm, listens, tmp_path / "arm").run(5)
        address = listens.address
    killed(listens)
    robot(arm, address, tmp_path / "arm").run(5, go=True)  # by the weights that it was given
    learner = opened_again(folder)
    with listening_on(listens := ws.Learner(learner, "127.0.0.1:0", token=TOKEN)):
        robot(arm, listens, tmp_path / "arm").run(20, go=True)
        until(lambda: listens.report()["steps"] == 25)
    assert listens.report()["safe"] == 0
    killed(listens)
    learner = opened_again(folder)
    assert learner.steps == 0
    with learner, listening(learner) as listens:
        told = robot(arm, listens, tmp_path / "arm").run(5, go=True)
        until(lambda: listens.report()["steps"] == 30)
        require_same(learner, arm.done)
    assert told["steps"] == 5 and told["sent"] == told["numbered"] == 30


def test_a_full_disk_of_the_learner_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm, folder = Arm(), tmp_path / "learner"
    learner = handed_over(folder)
    listens = ws.Learner(learner, "127.0.0.1:0", token=TOKEN)
    failed: list[Exception] = []

    def run() -> None:
        try:
            listens.run()
        except RunError as error:
            failed.append(error)

    with monkeypatch.context() as now:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        robot(arm, listens, tmp_path / "arm").run(10, go=True)
        now.setattr(DRIVE, "CHECKPOINT_SECONDS", 0.0)
        now.setattr("os.replace", _full)
        now.setattr("os.rename", _full)
        robot(arm, listens, tmp_path / "arm").run(6, go=True)
        thread.join(300)
    assert "the disk is full" in str(failed[0])
    killed(listens)
    learner = opened_again(folder)
    with learner, listening(learner) as listens:
        robot(arm, listens, tmp_path / "arm").run(4, go=True)
        until(lambda: listens.report()["steps"] == 20)
        require_same(learner, arm.done)


def _full(*_: Any) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("by", ["policy", "random"])
def test_the_warm_up_acts_as_the_recipe_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """The frozen policy first, or chance; then the newest."""
    arm, seen, real = Arm(), [], Acting.choose
    made = recipe("wsrl", warmup=6) if by == "policy" else recipe("sac", random=6)

    def choose(self: Acting, number: int, obs: Any, reward: float) -> Any:
        action, version = real(self, number, obs, reward)
        seen.append((version, self._acted, self.weights))
        return action, version

    monkeypatch.setattr(Acting, "choose", choose)
    obs = {"here": np.float32([0.3, 1.0]), "clock": np.zeros(1)}
    with handed_over(tmp_path / by, made) as learner, listening(learner) as listens:
        frozen = learner.predict(obs)[0]
        robot(arm, listens, tmp_path / "arm").run(20, go=True)
        until(lambda: listens.report()["steps"] == 20)
        robot(arm, listens, tmp_path / "arm").run(5, go=True)
    early, late = seen[:6], seen[6:]
    if by == "policy":
        assert all(acted is weights.warm is not None for _, acted, weights in early)
        np.testing.assert_allclose(early[0][1].act(obs), frozen, atol=1e-6)
    else:
        assert all(version == -1 and acted is None for version, acted, _ in early)
    assert all(acted is weights.policy for _, acted, weights in late)
    assert late[-1][0] > late[0][0] and not np.array_equal(late[-1][1].act(obs), frozen)


def test_a_session_that_fails_is_heard_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learner: ws.Agent
) -> None:
    """Whatever ends the thread of the link, the robot does not go on as if it were linked."""
    monkeypatch.setattr(Session, "_take", lambda *_: 1 / 0)
    with (
        listening(learner) as listens,
        pytest.raises(RunError, match=r"the link failed \(ZeroDivisionError"),
    ):
        robot(Arm(), listens, tmp_path / "arm").run(500, go=True)
