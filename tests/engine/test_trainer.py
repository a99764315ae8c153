"""Time, seeds and looking: none of them changes what is learnt."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import jax
import numpy as np
import pytest
from tiny import QUIET, Diary, Fixed, finish, learnt, same_bits, tiny, trainer

from warmstart.engine import Schedule, Trainer
from warmstart.engine.host_runner import HostRunner
from warmstart.engine.seeds import Program
from warmstart.engine.stepper import Stepper
from warmstart.engine.steps import Steps
from warmstart.replay import Layout

LOOKING = Schedule(
    episodes=2, fixed_episodes=2, offline_every=4, online_every=5, early=(1, 3), log_every=3
)


@functools.cache
def alone(method: str) -> Any:
    """What seed 2 alone learns when nobody looks."""
    run = trainer(tiny(method), (2,))
    finish(run)
    return learnt(run)


@pytest.mark.parametrize(
    "method", ["wsrl", "cal_ql", pytest.param("td3_bc", marks=pytest.mark.laws)]
)
def test_a_seed_alone_equals_it_among_others_bitwise(method: str) -> None:
    together = trainer(tiny(method), (5, 2))
    finish(together)
    same_bits(jax.tree.map(lambda x: x[1:], learnt(together)), alone(method))


def _programs(loop: HostRunner) -> list[int]:
    """How many programs of acting and of learning were compiled."""
    return [loop.stepper.acts.programs(), loop.stepper.learns.programs()]


@pytest.mark.parametrize("method", ["wsrl", "cal_ql"])
def test_looking_and_pausing_change_nothing_and_compile_nothing_new(method: str) -> None:
    expected = alone(method)  # its own compilation is not counted
    compiled, begun, tags = [], -1, []

    def listen(event: str, duration_secs: float, **more: Any) -> None:
        if event.endswith("backend_compile_duration"):
            compiled.append(event)

    run = trainer(tiny(method), (2,), LOOKING, pause=lambda: True)
    jax.monitoring.register_event_duration_secs_listener(listen)
    for event in run.run():
        if event.env_steps == 12:  # every program has run by then
            begun = len(compiled)
        if event.kind == "eval":
            tags.append(event.tag)
    same_bits(learnt(run), expected)
    assert tags.count("pretrained") == tags.count("switch") == tags.count("final") == 1
    assert isinstance(run.loop, HostRunner) and _programs(run.loop) == [1, 1]
    assert 0 < begun == len(compiled)


def test_after_a_score_of_pre_training_the_run_may_be_left_with_the_state_that_earned_it() -> None:
    """Else the best checkpoint would hold a later state, or the next stage's."""
    recipe = tiny("td3_bc", pretrain_steps=6, steps=4)
    recipe = dataclasses.replace(recipe, pretrain=recipe.pretrain * 2)
    scored, met = None, []
    for event in (run := trainer(recipe, (2,), LOOKING)).run("pretrained"):
        if event.kind == "eval":
            scored = run.state.host()
        elif event.kind == "safe" and scored is not None:
            same_bits(run.state.host(), scored)
            met.append((event.stage, event.updates))
            scored = None
    assert met == [(0, 4), (0, 6), (1, 4), (1, 6)]


def _rows(run: Trainer, count: int) -> Any:
    return Layout.of(run.problem.spec).unpack(run.rows(0, count))


def test_the_ring_holds_final_observations_and_acting_sees_the_reset() -> None:
    run = trainer(tiny("sac", steps=30))
    events = finish(run)
    rows = _rows(run, 30)
    for i in range(29):
        if rows.last[0, i]:
            # The true last observation is stored, and the next row begins a new episode.
            assert rows.next_obs[0, i, 1] == rows.t[0, i] + 1
            assert rows.obs[0, i + 1, 1] == 0 and rows.t[0, i + 1] == 0
        else:
            np.testing.assert_array_equal(rows.next_obs[0, i], rows.obs[0, i + 1])
        assert rows.next_obs[0, i, 2] == rows.action[0, i, 0]
    np.testing.assert_array_equal(rows.obs[0, :, 1], rows.t[0])
    ends = np.flatnonzero(rows.last[0])
    terminated = rows.mask[0] == 0
    assert terminated.any() and (rows.last[0][~terminated] > 0).any()
    assert not (terminated & (rows.last[0] == 0)).any()
    lengths = [event.values["length"] for event in events if event.kind == "episode"]
    assert lengths == [int(rows.t[0, i]) + 1 for i in ends]


class Waiting(Diary):
    """A simulator with the fault: at an end it answers with the next episode's beginning."""

    def step(self, action: np.ndarray) -> Any:
        out = super().step(action)
        if out.terminated or out.truncated:
            self.t = 0
            return out._replace(obs=self._obs())
        return out


def test_the_check_above_sees_an_early_reset() -> None:
    run = trainer(tiny("sac", steps=12), world=Waiting)
    finish(run)
    rows = _rows(run, 12)
    assert any(rows.next_obs[0, i, 1] != rows.t[0, i] + 1 for i in np.flatnonzero(rows.last[0]))


def _updates(run: Trainer) -> list[int]:
    """Critic steps done after every environment step."""
    done = []
    for event in run.run():
        if event.kind == "safe" and event.phase == "online" and event.env_steps:
            done.append(run.position.done[0])
    return done


def test_no_update_in_the_warm_up_and_then_each_step_its_ratio() -> None:
    recipe = tiny("wsrl", steps=8)
    per_step = recipe.finetune.rhythm.updates
    done = _updates(trainer(recipe, pause=lambda: True))[:8]
    assert done == [0] * 4 + [per_step * (i + 1) for i in range(4)]


def test_blocks_and_their_first_factor() -> None:
    recipe = (
        tiny("sac", steps=9, random=2)
        .with_("finetune.rhythm.every", 3)
        .with_("finetune.rhythm.updates", 2)
        .with_("finetune.rhythm.first", 5)
    )
    assert _updates(trainer(recipe, pause=lambda: True))[:9] == [0, 0, 10, 10, 10, 12, 12, 12, 14]


def test_an_episode_owes_an_update_for_each_of_its_rows() -> None:
    recipe = tiny("cal_ql", steps=11)
    done = _updates(trainer(recipe, pause=lambda: True, world=Fixed))[:11]
    assert done == [0] * 4 + [5] * 5 + [10] * 2


def test_a_long_block_is_several_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny("cal_ql", steps=11)
    whole = trainer(recipe, world=Fixed)
    finish(whole)
    monkeypatch.setattr("warmstart.engine.stepper.LARGEST_CALL", 2)
    parts = trainer(recipe, world=Fixed)
    finish(parts)
    same_bits(learnt(whole), learnt(parts))


@pytest.mark.parametrize("method", ["wsrl", "adaptive_bc"])  # whose weight hears of ended episodes
def test_a_step_that_owes_nothing_changes_the_ring_alone(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs no call that hands the networks through, and the bits are those of that call."""
    recipe = tiny(method, steps=9).with_("replay.warmup.steps", 6)
    lessons: list[Program] = []

    def called(program: Program, *args: Any, inner: Any = Program.__call__) -> Any:
        if getattr(program.program, "__func__", None) is Steps.learn:
            lessons.append(program)
        return inner(program, *args)

    monkeypatch.setattr(Program, "__call__", called)
    apart = trainer(recipe, (0, 4), world=Fixed)
    finish(apart)
    # Steps 7 to 9 owe updates; step 5 ends an episode, of which one of the methods hears.
    assert len(lessons) == (3 if method == "wsrl" else 4)
    monkeypatch.setattr(Stepper, "_changes_ring_alone", lambda self, now: False)
    whole = trainer(recipe, (0, 4), world=Fixed)
    finish(whole)
    same_bits(learnt(apart), learnt(whole))


def test_the_frozen_policy_acts_first() -> None:
    """With a fresh online actor the warm-up's actions are still the pre-trained policy's."""
    acts = []
    for choice in ("keep", "fresh"):
        run = trainer(tiny("wsrl", steps=5).with_("handover.actor", choice))
        finish(run)
        acts.append(_rows(run, 5).action[0])
    np.testing.assert_array_equal(acts[0][:4], acts[1][:4])
    assert np.any(acts[0][4] != acts[1][4])


@pytest.mark.parametrize("by", ["random", "online"])
def test_other_warm_ups(by: str) -> None:
    run = trainer(tiny("sac", steps=5).with_("replay.warmup.by", by))
    finish(run)
    assert np.all(np.abs(_rows(run, 5).action) <= 1)


def test_metrics_are_means_over_the_updates_since_the_last_line() -> None:
    fine = Schedule(**{**vars(QUIET), "log_every": 1})
    coarse = Schedule(**{**vars(QUIET), "log_every": 4})
    lines = {}
    for name, schedule in (("fine", fine), ("coarse", coarse)):
        events = finish(trainer(tiny("td3_bc", pretrain_steps=4, steps=1), schedule=schedule))
        lines[name] = [e.values for e in events if e.kind == "train" and e.phase == "pretrain"]
    assert len(lines["fine"]) == 4 and len(lines["coarse"]) == 1
    mean = np.mean([line["td_loss"] for line in lines["fine"]])
    np.testing.assert_allclose(lines["coarse"][0]["td_loss"], mean, rtol=1e-5)
    # The actor moves every second update: its mean is over the two updates in which it did, and
    # of the others there is nothing to say.
    steps = [line["actor_loss"] for line in lines["fine"][1::2]]
    assert all("actor_loss" not in line for line in lines["fine"][::2])
    np.testing.assert_allclose(lines["coarse"][0]["actor_loss"], np.mean(steps), rtol=1e-5)


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_forgetting_the_sums_touches_nothing_else(seeds: tuple[int, ...]) -> None:
    """An agent does it after every lesson."""
    running = trainer(tiny("sac"), seeds)
    running.position.phase = "online"
    loop, carry, memory = running.open(), running.carry, running.memory
    assert isinstance(loop, HostRunner)
    for _ in range(20):
        carry, memory, _ = loop.advance(carry, memory, 1)
    running.carry = carry = loop.catch_up(carry)
    assert sum(np.sum(x) for x in jax.tree.leaves(running.sums.host())) != 0
    same_bits(running.sums.host(), carry.get(lambda c: c.sums).host())
    running.forget()
    assert all(not np.any(x) for x in jax.tree.leaves(running.sums.host()))
    places = carry.shape.treedef.unflatten(range(carry.shape.treedef.num_leaves))
    summed = set(jax.tree.leaves(places.sums))
    for before, after in zip(carry.leaves, running.carry.leaves, strict=True):
        assert all(
            (x is y) != (i in summed) for i, (x, y) in enumerate(zip(before, after, strict=True))
        )
    assert running.zeros.programs() == 1
    running.forget()
    assert len(running.zeros._compiled) == 1  # no entry a lesson
    running.close()
