"""Meta-World: sparse rewards, seeds that count, and data from its scripted policies."""

import numpy as np
import pytest

from warmstart.data.makers import make_metaworld
from warmstart.envs.make import make_env
from warmstart.errors import TaskError
from warmstart.tasks import custom_task, get_task


@pytest.fixture(scope="module")
def reach():
    env = make_env(get_task("metaworld-reach"))()
    yield env
    env.close()


def test_the_scripted_policy_succeeds_and_ends_the_episode(reach):
    data = make_metaworld(reach, 0, 3, noise=0.3)
    assert data.info["successes"] == [True] * 3
    assert data.terminated.sum() == 3 and not data.truncated.any()
    assert np.array_equal(data.rewards, data.terminated - 1.0)
    assert len(np.unique(data.obs[:, -3:], axis=0)) == 3  # each episode has a goal of its own


def test_episode_is_a_function_of_its_seed(reach):
    def episode(seed):
        rows = [reach.reset(seed)]
        actions = np.random.default_rng(0).uniform(-1, 1, (10, 4))
        return np.array(rows + [reach.step(action).obs for action in actions])

    first, other = episode(3), episode(4)
    assert np.array_equal(first, episode(3)) and not np.array_equal(first, other)


def test_another_environment_is_refused():
    with pytest.raises(TaskError, match="use it with a metaworld task"):
        make_metaworld(make_env(custom_task("Pendulum-v1"))(), 0, 1)
