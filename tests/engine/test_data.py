"""From logged episodes to rows, and the same rules for the episodes of the run."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest
from tiny import Diary, Fixed, host_loop, logged

from warmstart.engine.training_rows import held_out_words, prepare
from warmstart.errors import DataError, TaskError
from warmstart.replay import Layout
from warmstart.tasks import get_task
from warmstart.tasks.reward import RewardTransform
from warmstart.types import Camera, EnvStep

LAYOUT = Layout.of(Diary.spec)


class Hopeless(Fixed):
    """Nothing ever succeeds."""

    def step(self, action: np.ndarray) -> EnvStep:
        return super().step(action)._replace(reward=0.0)


@pytest.mark.parametrize("bias", [-1.0, -0.1, -0.7])
def test_a_failed_episode_has_the_same_returns_logged_and_collected(bias: float) -> None:
    """Also where the reward is no round number in float32."""
    task = get_task("jax-pointmass")
    reward = RewardTransform(1.0, bias)
    task = dataclasses.replace(task, reward=reward, return_rule="sparse")
    dataset = logged(3, Hopeless)
    prepared = prepare(dataset, task, 0.9, 0.0)
    returns = LAYOUT.unpack(prepared.rows).return_to_go
    np.testing.assert_allclose(returns, bias / 0.1, rtol=1e-5)
    loop = host_loop(Hopeless, (0,), reward, "sparse", prepared.failure_reward)
    ended = [end for _ in range(5) for end in loop.step(np.zeros((1, 2), np.float32))]
    assert len(ended) == 1
    assert ended[0].bootstrap == pytest.approx(bias / 0.1)


def test_held_out_episodes_are_whole_and_never_trained_on() -> None:
    dataset, task = logged(20), get_task("jax-pointmass")
    prepared = prepare(dataset, task, 0.99, 0.1)
    assert len(prepared.rows) + len(prepared.held_out) == len(dataset)
    for rows in (prepared.rows, prepared.held_out):
        t, last = LAYOUT.unpack(rows).t, LAYOUT.unpack(rows).last
        assert last[-1] == 1 and t[0] == 0
        np.testing.assert_array_equal(t[1:] == 0, last[:-1] == 1)
    assert np.sum(LAYOUT.unpack(prepared.held_out).last) == 2
    with pytest.raises(DataError, match="--holdout 0"):
        prepare(logged(1), task, 0.99, 0.1)


def test_a_number_that_is_not_finite_stops_the_run() -> None:
    class Broken(Diary):
        def step(self, action: np.ndarray) -> EnvStep:
            return super().step(action)._replace(reward=float("nan"))

    loop = host_loop(Broken, (7,))
    with pytest.raises(TaskError, match=r"seed 7 .* step 0 of episode 0"):
        loop.step(np.zeros((1, 2), np.float32))


@pytest.mark.parametrize(
    ("episodes", "asked", "warned"), [(2, 0.05, True), (3, 0.05, True), (40, 0.05, False)]
)
def test_what_is_held_out_is_said(episodes: int, asked: float, warned: bool) -> None:
    dataset = logged(episodes)
    prepared = prepare(dataset, get_task("jax-pointmass"), 0.99, asked)
    words, warn = held_out_words(prepared, dataset, asked)
    apart = len(prepared.held_out)
    assert f"{max(1, round(asked * episodes))} of {episodes} episodes, {apart} of" in words
    assert warn == warned == ("--holdout 0" in words)


def test_rows_are_the_same_in_pieces_and_are_read_where_they_lie(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset, task = logged(7), get_task("jax-pointmass")
    whole = prepare(dataset, task, 0.9, 0.2)
    monkeypatch.setattr("warmstart.replay.rows.PIECE", 5)
    pieces = prepare(dataset, task, 0.9, 0.2)
    np.testing.assert_array_equal(pieces.rows, whole.rows)
    np.testing.assert_array_equal(pieces.held_out, whole.held_out)
    with pytest.raises(ValueError, match="read-only"):
        whole.rows[0, 0] = 1.0
    there = jax.device_put(whole.rows)
    assert there.unsafe_buffer_pointer() == whole.rows.ctypes.data, "no second copy"


def test_images_of_which_nobody_says_where_they_are_seen_are_refused() -> None:
    camera = Camera("eye", (2, 2, 3))
    blind = dataclasses.replace(
        logged(2), frames=np.zeros((3, camera.size), np.uint8), cameras=(camera,)
    )
    with pytest.raises(DataError, match="which of them does each row see"):
        prepare(blind, get_task("jax-pointmass"), 0.9, 0.0)
