"""What an environment says of a human who took over, as the actor reads it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from driven import ready
from fake_arm import Arm

from warmstart.errors import TaskError
from warmstart.link.robot import Robot

ACTION = np.array([1.0, 1.0], np.float32)


def answering(*said: Any) -> Robot:
    """A robot whose steps say these interventions, one after the other."""
    arm = Arm()
    arm.nasty = lambda number, answer: (*answer[:2], False, False, {"intervention": said[number]})
    robot = Robot(arm)
    robot.reset()
    return robot


def test_outside_of_the_box_is_said_once_and_counted(caplog: Any) -> None:
    robot = answering([2.5, 1.0], [1.0, -9.0], [2.0 + 1e-6, 5.0])
    taken = [robot.step(ACTION).intervention for _ in range(3)]
    np.testing.assert_array_equal(taken, np.float32([[2.0, 1.0], [1.0, -3.0], [2.0, 5.0]]))
    assert robot.beyond == 2
    (line,) = [record.getMessage() for record in caplog.records]
    assert "number 0 of an action was 2.5, outside of the action box (0 to 2)" in line


@pytest.mark.parametrize("nobody", [None, False, np.bool_(False)])
def test_nobody_intervened(nobody: Any) -> None:
    answer = answering(nobody).step(ACTION)
    assert answer.intervention is None
    learner = ready("sac")
    learner.begin(Arm().reset()[0])
    action = learner.act()
    arm = Arm()
    arm.reset()
    obs, reward, terminated, truncated, _ = arm.step(action)
    learner.observe(obs, reward, terminated, truncated, {"intervention": nobody})
    rows, column = learner._live.stepper.episodes.rows, learner._live.stepper.online.layout.online
    assert rows[0, column] == 1.0


@pytest.mark.parametrize("said", [True, "left", [1.0], [np.nan, 1.0]])
def test_what_is_no_action_is_named(said: Any) -> None:
    with pytest.raises(TaskError, match=r"info\['intervention'\].*shape \[2\]"):
        answering(said).step(ACTION)
