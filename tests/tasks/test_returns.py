"""Returns-to-go against the check values of Cal-QL and WSRL, and against the plain sum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from warmstart.errors import TaskError
from warmstart.tasks import RewardTransform, returns_to_go


def one_episode(rewards, terminated=False, rule="finite", discount=0.99, **kwargs):
    n = len(rewards)
    masks, lasts = np.ones(n), np.zeros(n, bool)
    lasts[-1] = True
    masks[-1] = 0.0 if terminated else 1.0
    return returns_to_go(np.array(rewards, np.float64), masks, lasts, discount, rule, **kwargs)


def test_failed_antmaze_episode_is_minus_500_at_every_step():
    rewards = RewardTransform(10.0, -5.0)(np.zeros(700))
    assert np.allclose(one_episode(rewards, rule="sparse"), -500.0)


@pytest.mark.parametrize(
    ("ahead", "value"), [(0, 5.0), (100, -315.2), (300, -475.2), (700, -499.6)]
)
def test_antmaze_success_so_many_steps_ahead(ahead, value):
    raw = np.zeros(ahead + 1)
    raw[-1] = 1.0
    rewards = RewardTransform(10.0, -5.0)(raw)
    got = one_episode(rewards, terminated=True, rule="sparse", failure_reward=-5.0)
    assert got[0] == pytest.approx(value, abs=0.05)


@pytest.mark.parametrize(("left", "value"), [(280, -376.0), (140, -302.1), (50, -158.0), (1, -4.0)])
def test_kitchen_with_nothing_solved_finite(left, value):
    assert one_episode(np.full(left, -4.0))[0] == pytest.approx(value, abs=0.05)


def test_kitchen_with_nothing_solved_infinite():
    assert np.allclose(one_episode(np.full(280, -4.0), rule="infinite"), -400.0)


def test_infinite_rule_puts_nothing_behind_a_real_end():
    assert one_episode([-1.0, -1.0], True, "infinite")[-1] == -1.0


def test_sparse_rule_judges_each_episode_by_itself():
    rewards = np.array([-1.0, -1.0, -1.0, 0.0])
    lasts = np.array([False, True, False, True])
    masks = np.array([1.0, 1.0, 1.0, 0.0])
    got = returns_to_go(rewards, masks, lasts, 0.5, "sparse")
    assert got.tolist() == [-2.0, -2.0, -1.0, 0.0]


def test_rows_of_an_unfinished_episode_are_minus_infinity():
    got = returns_to_go(np.ones(4), np.ones(4), np.array([0, 1, 0, 0]), 0.5)
    assert got.tolist() == [1.5, 1.0, -np.inf, -np.inf]


def test_no_rows():
    assert returns_to_go(np.zeros(0), np.zeros(0), np.zeros(0), 0.9).shape == (0,)


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.float32, 12, elements=st.floats(-10, 10, width=32)),
    arrays(bool, 12),
    arrays(bool, 12),
    st.floats(0.0, 0.999),
)
def test_finite_rule_is_the_discounted_sum_to_the_end(rewards, lasts, died, discount):
    lasts = lasts.copy()
    lasts[-1] = True
    masks = 1.0 - (lasts & died)
    got = returns_to_go(rewards, masks, lasts, discount)
    for start in range(12):
        stop = start + int(np.argmax(lasts[start:])) + 1
        powers = discount ** np.arange(stop - start)
        assert got[start] == pytest.approx(
            float(np.sum(powers * rewards[start:stop].astype(np.float64))), rel=1e-5, abs=1e-5
        )


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"rule": "sprase"}, "Did you mean 'sparse'"),
        ({"discount": 1.0, "rule": "infinite"}, "choose one in"),
    ],
)
def test_wrong_questions_are_refused(kwargs, words):
    with pytest.raises(TaskError, match=words):
        one_episode([1.0], **kwargs)


def test_arrays_of_different_length_are_refused():
    with pytest.raises(TaskError, match="3 rewards, 2 masks"):
        returns_to_go(np.ones(3), np.ones(2), np.ones(3), 0.9)
