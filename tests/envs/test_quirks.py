"""Packages that depart from the rule: what is fixed, and what counts as success."""

import importlib
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from warmstart.data.makers import dataset_for
from warmstart.envs.make import make_env
from warmstart.envs.quirks import fix, succeeded
from warmstart.errors import DataError, TaskError
from warmstart.tasks import DataSource, get_task


class _Stranger:
    """A member of an enum as MuJoCo 3.12 has it: converts to int, equals none."""

    def __init__(self, value):
        self._value = value

    def __int__(self):
        return self._value


def test_joint_types_are_compared_as_integers_where_mujoco_stopped_to(monkeypatch):
    users = importlib.import_module("gymnasium_robotics.utils.mujoco_utils")
    installed = users.mujoco
    fix("gymnasium_robotics")
    joints = SimpleNamespace(mjJNT_SLIDE=_Stranger(2), mjJNT_HINGE=_Stranger(3))
    monkeypatch.setattr(
        users, "mujoco", SimpleNamespace(mjtJoint=joints, mj_step=installed.mj_step)
    )
    assert np.int32(3) not in (joints.mjJNT_HINGE, joints.mjJNT_SLIDE)
    fix("another package")
    assert users.mujoco.mjtJoint is joints
    fix("gymnasium_robotics")
    fixed = users.mujoco.mjtJoint
    assert np.int32(3) in (fixed.mjJNT_HINGE, fixed.mjJNT_SLIDE)
    assert users.mujoco.mj_step is installed.mj_step


def test_success_is_read_from_whatever_says_it():
    assert succeeded({"success": 1.0}) and succeeded({"is_success": np.True_})
    assert succeeded({"success": np.False_}) is False
    assert succeeded({"tasks_to_complete": []}) and not succeeded({"tasks_to_complete": ["kettle"]})
    assert succeeded({"distance": 3.0}) is None


@pytest.mark.parametrize(
    ("hand", "sizes"), [("door", (39, 28)), ("pen", (45, 24)), ("relocate", (39, 30))]
)
def test_hands_pay_minus_one_until_success(hand, sizes):
    env = make_env(get_task(f"adroit-{hand}"))()
    assert (env.spec.obs_dim, env.spec.action_dim, env.spec.horizon) == (*sizes, 200)
    env.reset(0)
    step = env.step(np.zeros(sizes[1]))
    assert (step.reward, step.terminated, step.success) == (-1.0, False, False)
    env.close()


def test_an_open_door_is_success_and_the_end():
    env = make_env(get_task("adroit-door"))()
    env.reset(0)
    hand = env.simulator
    hand.data.qpos[hand.door_hinge_addrs] = 1.5
    step = env.step(np.zeros(28))
    assert (step.reward, step.terminated, step.truncated, step.success) == (0.0, True, False, True)
    env.close()


def test_the_kitchen_pays_for_each_thing_and_ends_when_all_are_done():
    from gymnasium_robotics.envs.franka_kitchen.kitchen_env import (
        OBS_ELEMENT_GOALS,
        OBS_ELEMENT_INDICES,
    )

    env = make_env(get_task("kitchen-complete"))()
    assert env.spec.action_dim == 9 and env.spec.horizon == 280
    env.reset(0)
    todo, steps = list(env.task.env_kwargs["tasks_to_complete"]), []
    for part in (todo[:1], todo):
        for name in part:
            env.simulator.data.qpos[OBS_ELEMENT_INDICES[name]] = OBS_ELEMENT_GOALS[name]
        steps.append(env.step(np.zeros(9)))
    assert [(s.reward, s.terminated, s.success) for s in steps] == [
        (1, False, False),
        (3, True, True),
    ]
    env.close()


def test_a_jax_program_pays_its_own_reward():
    with pytest.raises(TaskError, match="leave success_reward out"):
        replace(get_task("jax-pointmass"), success_reward=True)


def test_a_file_with_other_rewards_is_refused_where_success_pays(tmp_path):
    file, n = tmp_path / "door.npz", 6
    rows = {"obs": np.zeros((n, 39)), "actions": np.zeros((n, 28)), "terminated": np.eye(n)[-1]}
    task = get_task("adroit-door")
    task = replace(task, data=DataSource(path=str(file)))
    np.savez(file, **rows, rewards=np.array([-1, -1, -1, -1, -1, 0.0]))
    assert dataset_for(task).rewards.tolist() == [-1, -1, -1, -1, -1, 0]
    np.savez(file, **rows, rewards=np.linspace(0, 20, n))
    with pytest.raises(DataError, match=r"between 0 and 20.*--env AdroitHandDoorSparse-v1"):
        dataset_for(task)
