"""What crosses, what stands still and what is heard, through the whole engine."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest
from tiny import SPEC, Diary, finish, learnt, same_bits, tiny, trainer

from warmstart.engine import RunEvent, Schedule
from warmstart.handover import hand_over
from warmstart.methods import METHODS
from warmstart.parts import BehaviourCloning, ReturnControlled

LOOKS = Schedule(
    episodes=2, fixed_episodes=3, offline_every=0, online_every=9, early=(), log_every=1_000
)


class Worse(Diary):
    """The diary, in which a simulator's episodes from the seventh on lose two more a step."""

    begun = 0

    def reset(self, seed: int) -> np.ndarray:
        self.begun += 1
        return super().reset(seed)

    def step(self, action: np.ndarray) -> Any:
        out = super().step(action)
        return out._replace(reward=out.reward - 2.0) if self.begun > 6 else out


def _rule(rule: ReturnControlled, events: list[RunEvent]) -> list[tuple[float, float]]:
    """(weight, average) after each episode, in float64, from the run's own lines."""
    at = [e for e in events if e.kind == "eval" and e.tag == "switch"]
    assert len(at) == 1
    weight, average, out = rule.init, at[0].values["score"] / 100.0, []
    for event in events:
        if event.kind != "episode" or event.phase != "online":
            continue
        # The diary's returns from -5 to 0 are the shares 0 to 1.
        score, length = (event.values["return"] + 5.0) / 5.0, event.values["length"]
        pull = rule.proportional * (average - rule.target)
        pull += rule.derivative * max(0.0, average - score)
        weight = min(max(weight + length * pull, 0.0), rule.init)
        average += rule.smoothing * (score - average)
        out.append((weight, average))
    return out


@pytest.mark.parametrize("world", [Diary, Worse])
def test_adaptive_bc_hears_the_switch_and_every_episode(world: type[Diary]) -> None:
    rule = ReturnControlled(0.4, proportional=1.5e-2, derivative=3e-2, target=1.05)
    recipe = tiny("adaptive_bc", steps=45)
    online = dataclasses.replace(recipe.finetune.learner, constraint=BehaviourCloning(rule))
    finetune = dataclasses.replace(recipe.finetune, learner=online)
    run = trainer(dataclasses.replace(recipe, finetune=finetune), (0,), LOOKS, world)
    events = finish(run)
    told = _rule(rule, events)
    assert len(told) >= 8
    signals = run.carry.get(lambda c: c.state.signals).host()["return_controlled"]
    np.testing.assert_allclose(signals["weight"][0], told[-1][0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(signals["average"][0], told[-1][1], rtol=1e-4)
    if world is Worse:  # the seventh episode is the first bad one
        assert told[6][0] > told[5][0] + 0.1


@pytest.mark.parametrize("method", ["bc", "td3_bc_pr"])
def test_an_offline_method_stands_still_online(method: str) -> None:
    run, first = trainer(tiny(method)), None
    for event in run.run():
        if event.phase == "online" and first is None:
            first = run.carry.get(lambda c: c.state.nets).host()
    assert first is not None and run.position.env_steps == 24
    same_bits(learnt(run)[0].nets, first)


def test_a_cloned_policy_goes_on_with_fresh_critics() -> None:
    recipe = tiny("bc_sac")
    offline, online = recipe.pretrain[0].learner, recipe.finetune.learner
    source = offline.init(jax.random.PRNGKey(0), SPEC)
    assert set(source.nets) == {"actor"}
    key = jax.random.PRNGKey(1)
    state = hand_over(key, recipe.handover, source, online, SPEC).state
    same_bits(state.nets["actor"], source.nets["actor"])
    same_bits(state.pretrained["actor"], source.nets["actor"])
    fresh = online.init(key, SPEC)
    for name in ("critic", "temperature"):
        same_bits(state.nets[name], fresh.nets[name])
    assert recipe.replay.warmup.by == "policy" and recipe.replay.warmup.steps


@pytest.mark.parametrize("method", ["awac", "td3_c"])
def test_without_retention_nothing_differs_but_the_buffer(method: str) -> None:
    kept, free = (METHODS[method].recipe(preset) for preset in ("paper", "no_retention"))
    assert dataclasses.replace(kept, replay=free.replay) == free
    assert (kept.replay.preload.kind, free.replay.preload.kind) == ("all", "none")
    # The first update sees a thousand rows: as a warm-up, or as the first block.
    waits = free.replay.warmup.steps + free.finetune.rhythm.every
    assert kept.replay.warmup.steps == 0 and waits >= 1_000
