"""Walks to many goals, told as attempts at one."""

from dataclasses import replace

import numpy as np
import pytest

from warmstart.errors import TaskError
from warmstart.tasks import keep, relabel
from warmstart.types import Dataset

GOAL = np.array([5.0, 0.0])


def walk(*xs, cuts=()):
    """A walk along x through these places; it is cut behind the steps in `cuts` and at its end."""
    x = np.array(xs, np.float32)
    n = len(x) - 1
    truncated = np.zeros(n, bool)
    truncated[[*cuts, n - 1]] = True

    def at(values):
        return np.stack([values, np.zeros_like(values), np.ones_like(values)], 1)

    none = np.zeros(n, np.float32)
    return Dataset(
        at(x[:-1]), none[:, None], none, np.zeros(n, bool), truncated, at(x[1:]), {"name": "w"}
    )


def test_a_walk_that_passes_the_goal_becomes_two_episodes():
    told, matters = relabel(walk(3, 4, 5, 5.2, 6, 7), GOAL, 0.5)
    assert told.rewards.tolist() == [0, 1, 1, 0, 0]
    assert matters.tolist() == [True, True, False, False, True]
    kept = keep(told, matters)
    assert kept.episodes() == [(0, 2), (2, 3)]
    assert kept.terminated.tolist() == [False, True, False]
    assert kept.truncated.tolist() == [False, False, True]
    assert kept.info["successes"] == [True, False] and kept.info["success_rate"] == 0.5
    assert kept.info["name"] == "w"


def test_successes_are_those_of_the_goal_and_stay_beside_their_rows():
    walked = replace(walk(3, 4, 5, 5.2, 6, 7), success=np.ones(5, bool))
    told, matters = relabel(walked, GOAL, 0.5)
    assert told.success is not None and told.success.tolist() == [False, True, True, False, False]
    kept = keep(told, matters)
    assert kept.success is not None and kept.success.tolist() == [False, True, False]


def test_judged_before_the_step_the_first_step_at_the_goal_is_rewarded():
    told, matters = relabel(walk(3, 4, 5, 5.2, 6, 7), GOAL, 0.5, timing="before", failure=-1.0)
    assert told.rewards.tolist() == [-1, -1, 0, 0, -1]
    assert matters.tolist() == [True, True, True, False, True]
    assert keep(told, matters).terminated.tolist() == [False, False, True, False]


def test_a_walk_that_starts_at_the_goal_after_a_cut_has_come_there_anew():
    told, matters = relabel(walk(4, 5, 5, 5, 6, cuts=(1,)), GOAL, 0.5, timing="before")
    assert matters.tolist() == [True, True, True, False]
    assert keep(told, matters).episodes() == [(0, 2), (2, 3)]


def test_dense_and_sparse_are_the_same_rows():
    data = walk(3, 4, 5, 6, 7)
    (sparse, one), (dense, other) = (
        relabel(data, GOAL, 0.5, reward=kind) for kind in ("sparse", "dense")
    )
    assert np.array_equal(one, other) and np.array_equal(sparse.terminated, dense.terminated)
    assert np.allclose(dense.rewards, np.exp([-1.0, 0.0, -1.0, -2.0]))


def test_other_columns_may_hold_the_place():
    told, _ = relabel(walk(3, 4, 5), np.array([0.0, 1.0]), 0.1, position=(1, 2))
    assert told.terminated.all()


def test_what_cannot_be_relabelled():
    with pytest.raises(TaskError, match="Did you mean 'sparse'"):
        relabel(walk(1, 2), GOAL, 0.5, reward="spars")
    with pytest.raises(TaskError, match="No row matters"):
        keep(*relabel(walk(5, 5, 5), GOAL, 0.5))
