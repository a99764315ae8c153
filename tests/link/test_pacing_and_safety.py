"""A robot's period on a clock of the test's own, and what an action passes before it is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from warmstart.envs.interface import ActionBox
from warmstart.errors import TaskError
from warmstart.link.pacing import Pacer
from warmstart.link.safety import Safety, Stopped, guard_of

BOX = ActionBox(np.float32([0.0, -3.0]), np.float32([2.0, 5.0]))


class Fake:
    """A clock that stands still but for `sleep_until` and whoever moves it."""

    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> float:
        return self.at

    def sleep_until(self, moment: float) -> None:
        self.at = max(self.at, moment)


def test_actions_are_a_period_apart_and_late_ones_are_counted() -> None:
    clock, sent = Fake(), []
    pacer = Pacer(10.0, clock)
    for work in (0.03, 0.099, 0.1, 0.101, 0.25, 0.0, 0.05):
        pacer.wait()
        sent.append(clock.at - 100.0)
        clock.at += work
    # 0.101 is late by no more than waking up may take; 0.25 is, and is not made up for.
    np.testing.assert_allclose(sent, [0.0, 0.1, 0.2, 0.3, 0.401, 0.651, 0.751], atol=2e-3)
    assert (pacer.kept, pacer.missed) == (5, 1)
    assert pacer.told()["worst_late_ms"] == pytest.approx(150, abs=2)
    clock.at += 60.0  # somebody sets up the next episode
    pacer.begin()
    pacer.wait()
    assert (pacer.kept, pacer.missed) == (5, 1)


def test_limits_and_rates_hold_what_is_sent() -> None:
    safety = Safety(BOX, limits=(0.5, [1.5, 2.0]), rate=[0.25, 1.0])
    safety.begin()
    sent = []
    for wanted in ([2.0, 5.0], [2.0, 5.0], [0.0, -3.0], [0.6, 0.0]):
        sent.append(safety(None, np.float32(wanted)))
        safety.executed(sent[-1])
    # From rest, where the limits come nearest to zero: [0.5, 0.5].
    np.testing.assert_allclose(sent, [[0.75, 1.5], [1.0, 2.0], [0.75, 1.0], [0.6, 0.5]])
    assert safety.changed == 4
    safety.begin()
    assert safety(None, np.float32([2.0, 5.0]))[0] == 0.75
    safety.executed(np.float32([1.5, 0.5]))  # a human did
    assert safety(None, np.float32([2.0, 0.5]))[0] == 1.5


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"limits": (-1.0, 1.0)}, "no box inside the action box"),
        ({"limits": (1.0, 1.0)}, "no box inside the action box"),
        ({"limits": ([0.0], [1.0, 2.0, 3.0])}, "does not fit an action of 2 numbers"),
        ({"rate": 0.0}, "above 0"),
        ({"rate": "fast"}, "does not fit an action"),
        ({"rest": float("nan")}, "not finite"),
    ],
)
def test_limits_that_will_not_do(given: dict[str, Any], message: str) -> None:
    with pytest.raises(TaskError, match=message):
        Safety(BOX, **given)


def test_a_guard_is_asked_last_and_its_word_is_final() -> None:
    seen, says = [], [None, True, np.float64([1.0, 9.0]), False, "too near", [1.0], 1 / 0.3]

    def guard(obs: Any, action: np.ndarray) -> Any:
        seen.append((obs, action.copy()))
        action[:] = 99.0  # its own copy
        return says[len(seen) - 1]

    safety = Safety(BOX, limits=(0.0, 1.0), guard=guard)
    action = np.float32([0.5, 3.0])
    for expected in ([0.5, 1.0], [0.5, 1.0], [1.0, 1.0]):
        np.testing.assert_allclose(safety("obs", action), expected)
    assert seen[0][0] == "obs" and seen[0][1].tolist() == [0.5, 1.0]
    for message in ("stopped the robot", "sent: too near", "guard answered", "guard answered"):
        with pytest.raises(Stopped, match=message):
            safety("obs", action)
    with pytest.raises(Stopped, match=r"guard failed \(IndexError"):
        safety("obs", action)


def test_a_guard_writes_into_a_copy_of_what_is_shown() -> None:
    obs = {"arm": np.zeros(2), "cameras": {"hand": np.zeros((2, 2, 3), np.uint8)}}

    def guard(seen: Any, action: np.ndarray) -> None:
        seen["arm"][:] = 1.0
        seen["cameras"]["hand"] += 9

    Safety(BOX, guard=guard)(obs, np.float32([1.0, 1.0]))
    assert not obs["arm"].any() and not obs["cameras"]["hand"].any()


def test_a_guard_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "my_guarded_arm.py"
    path.write_text("def guard(obs, action):\n    return obs > 0\ndef odd(x):\n    return x\n")
    guard = guard_of(f"{path}:guard")
    assert guard(1, np.zeros(2)) and not guard(-1, np.zeros(2))
    for named, message in (
        (f"{path}:nobody", "has no function 'nobody'"),
        (f"{path}:odd", r"does not take \(obs, action\)"),
        (f"{tmp_path}/none.py:guard", "there is no file"),
        ("guard", r"my_arm\.py:guard"),
    ):
        with pytest.raises(TaskError, match=message):
            guard_of(named)
