"""From random behaviour an actor-critic finds the way to a goal that stands in an image alone."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.data.makers.pixel_reach import make_pixel_reach
from warmstart.envs.make import make_env
from warmstart.envs.pixel_reach import HORIZON, PixelReach, drawn
from warmstart.learners import ActorCritic
from warmstart.methods import td3
from warmstart.nets.pixels import EncoderSpec
from warmstart.tasks import get_task
from warmstart.types import Camera, Clock, Spec, Transition, WithPixels

SPEC = Spec(2 + 16 * 16 * 3, 2, HORIZON, (Camera("camera", (16, 16, 3)),))
EPISODES, UPDATES, TRIALS = 100, 1500, 20
QUICK = {"xla_backend_optimization_level": 2}
"""The tests' compiler saves its own time; here the program's counts."""
LEARNER: ActorCritic = td3.learner(
    hidden=(64,), batch=64, discount=0.7, tau=0.05, lr=3e-3,
    encoder=EncoderSpec(filters=(8, 16), bottleneck=16, shift=1),
)  # fmt: skip


def _halved(images: np.ndarray) -> np.ndarray:
    """32 x 32 pixels as 16 x 16, flat: means of four."""
    four = images.reshape(-1, 16, 2, 16, 2, 3).mean((2, 4))
    return np.rint(four).astype(np.uint8).reshape(len(four), -1)


def _logged() -> Transition:
    """Random moves."""
    data = make_pixel_reach(make_env(get_task("pixel-reach"))(), 0, EPISODES, gain=0.0, noise=1.0)
    assert data.frames is not None and data.frame is not None and data.next_frame is not None
    ones = np.ones(len(data), np.float32)
    obs, after = (
        WithPixels(numbers, _halved(data.frames[at]))
        for numbers, at in ((data.obs, data.frame), (data.next_obs, data.next_frame))
    )
    rows = Transition(
        obs, data.actions, data.rewards, ones, after, 0 * ones, 0 * ones, ones, ones, ones
    )
    return jax.tree.map(jnp.asarray, rows)


@partial(jax.jit, compiler_options=QUICK)
def _learnt(rows: Transition, seed: jax.Array) -> Any:
    def body(i: jax.Array, state: Any) -> Any:
        key = jax.random.fold_in(seed, i)
        pick = jax.random.randint(key, (1, LEARNER.batch), 0, len(rows.reward))
        clock = Clock(i, jnp.int32(0), jnp.int32(UPDATES))
        return LEARNER.update(key, clock, state, jax.tree.map(lambda x: x[pick], rows))[0]

    return jax.lax.fori_loop(0, UPDATES, body, LEARNER.init(seed, SPEC))


@jax.jit
def _action(state: Any, obs: Any) -> jax.Array:
    return LEARNER.view(state).policy(obs).mode()


def _black(obs: Any) -> Any:
    return obs._replace(pixels=0 * obs.pixels)


def _distance(state: Any, sighted: bool) -> float:
    """From hand to goal in the last third of an episode, on average; with no state nobody moves."""
    envs, seen = [PixelReach() for _ in range(TRIALS)], []
    for seed, env in enumerate(envs):
        env.reset(seed=1000 + seed)
    for t in range(HORIZON):
        actions = np.zeros((TRIALS, 2), np.float32)
        if state is not None:
            hands = np.stack([env.hand for env in envs])
            images = _halved(np.stack([drawn(env.hand, env.goal) for env in envs]))
            actions = np.asarray(_action(state, WithPixels(hands, images * np.uint8(sighted))))
        for env, action in zip(envs, actions, strict=True):
            reward = env.step(action)[1]
            if 3 * t >= 2 * HORIZON:
                seen.append(-reward)
    return float(np.mean(seen))


def test_the_goal_is_found_by_sight() -> None:
    """Critics alone teach the encoder; one that sees black images finds nothing."""
    rows, seed = _logged(), jax.random.key(0)
    black = rows._replace(obs=_black(rows.obs), next_obs=_black(rows.next_obs))
    sighted = _distance(_learnt(rows, seed), True)
    blind = _distance(_learnt(black, seed), False)
    still = _distance(None, False)
    assert sighted < 0.4 < 0.6 < min(blind, still), (sighted, blind, still)
