"""Tiny recipes and worlds: what the tests run instead of robots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.config import differences
from warmstart.engine import Problem, RunEvent, Schedule, Trainer
from warmstart.engine.episodes import Episodes
from warmstart.engine.host import HostLoop
from warmstart.methods import METHODS
from warmstart.recipe import Recipe
from warmstart.replay import Layout
from warmstart.tasks import returns_to_go
from warmstart.tasks.reward import RewardTransform
from warmstart.types import Dataset, EnvStep, Spec

SPEC = Spec(obs_dim=3, action_dim=2, horizon=7)
NUMBERS: dict[str, Any] = {
    "hidden": (8,),
    "batch": 4,
    "members": 3,
    "minibatches": 2,
    "proposals": 2,
    "cloning": 4,
    "pretrain_steps": 12,
    "steps": 24,
    "random": 4,
    "warmup": 4,
    "beta": 1.0,
    "every": 2,
    "updates": 2,
    "count": 5,
    "refine": 4,
    "decay": 8,
    "fade": 8,
    "newest": 6,
    "after": 6,
    "ratio_net": (8,),
    "actor_size": (8,),
    "critic_size": (8,),
    "width": 8,
    "context": 3,
    "model_hidden": (8,),
    "networks": 3,
    "elites": 2,
    "model_batch": 4,
    "fit": 12,
    "look": 4,
    "held": 3,
    "starts": 6,
    "round": 4,
    "epoch": 6,
    "refit": 6,
    "most": 4,
    "relook": 2,
    "flow_steps": 3,
    "candidates": 4,
    "rollout": 8,
    "over": 6,
    "noise_hidden": (8,),
    "epochs": 2,
    "offline_batch": 4,
    "length": 3,
}
ALSO = {
    "dt": {"batch"},
    "jsrl": {"beta"},
    "odt": {"pretrain_steps"},
    "ppo": {"hidden", "batch", "epochs"},
    "qc": {"length"},
    "qc_fql": {"length"},
    "rlpd_chunks": {"length"},
    "td3_online": {"random"},
}
"""Which of them `quick` has in common with the paper."""
SPARED = {"td3_bc_pr": {"decay"}}
"""Which stay large: nothing learns by them."""
QUIET = Schedule(
    episodes=1, fixed_episodes=1, offline_every=0, online_every=0, early=(), log_every=10_000
)
"""Look at a run as little as possible."""


def tiny(method: str, **numbers: Any) -> Recipe:
    """A method of the table with small networks and few steps."""
    module = METHODS[method]
    named = differences(module.PRESETS["quick"]).keys() | ALSO.get(method, set())
    named -= SPARED.get(method, set())
    known = {name: number for name, number in NUMBERS.items() if name in named}
    return module.recipe("quick", **{**known, **numbers})


class Diary:
    """A `HostEnv` whose observation says where it is: [reset seed's mark, step, last push].

    Episodes last 3 to 6 steps; those of an even seed terminate, those of an odd one are cut.
    """

    spec = SPEC

    def reset(self, seed: int) -> np.ndarray:
        self.mark, self.t, self.push = (seed % 97) / 97.0, 0, 0.0
        self.length, self.terminates = 3 + seed % 4, seed % 2 == 0
        return self._obs()

    def step(self, action: np.ndarray) -> EnvStep:
        self.t += 1
        self.push = float(action[0])
        end = self.t == self.length
        return EnvStep(
            self._obs(),
            -abs(self.push - self.mark),
            end and self.terminates,
            end and not self.terminates,
            False,
        )

    def _obs(self) -> np.ndarray:
        return np.array([self.mark, self.t, self.push], np.float32)

    def render(self) -> None:
        return None

    def close(self) -> None:
        pass


class Fixed(Diary):
    """The same world with episodes of five steps, all cut."""

    def reset(self, seed: int) -> np.ndarray:
        super().reset(seed)
        self.length, self.terminates = 5, False
        return self._obs()


def logged(episodes: int = 12, world: type[Diary] = Diary) -> Dataset:
    """Random behaviour in the diary."""
    rng, env, rows = np.random.default_rng(3), world(), []
    for episode in range(episodes):
        obs, over = env.reset(1000 + episode), False
        while not over:
            action = rng.uniform(-1, 1, 2).astype(np.float32)
            out = env.step(action)
            rows.append((obs, action, out.reward, out.terminated, out.truncated, out.obs))
            obs, over = out.obs, out.terminated or out.truncated
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    obs, actions, rewards, terminated, truncated, next_obs = columns
    return Dataset(obs, actions, rewards.astype(np.float32), terminated, truncated, next_obs)


@contextmanager
def float64() -> Iterator[None]:
    """Inside, or under it as a decorator, the package computes in float64, also where it says
    float32: two programs of one formula then differ by nothing that a test could see."""
    single = jnp.float32
    with jax.enable_x64(True):
        jnp.float32 = jnp.float64
        try:
            yield
        finally:
            jnp.float32 = single


def rows_of(dataset: Dataset, discount: float = 0.99) -> np.ndarray:
    """Training rows [N, W]."""
    returns = returns_to_go(dataset.rewards, ~dataset.terminated, dataset.ends, discount)
    return Layout.of(SPEC).from_dataset(dataset, dataset.rewards, returns)


def problem(recipe: Recipe, world: type[Diary] = Diary) -> Problem:
    """The diary as the engine sees it, with a dataset where the recipe reads one. The base policy,
    where there is one, does what stands last in the observation."""
    return Problem(
        SPEC,
        world,
        RewardTransform(),
        "finite",
        -1.0,
        (-5.0, 0.0),
        rows_of(logged(world=world)) if recipe.needs_dataset else None,
        rows_of(logged(2, world)),
        base=lambda obs: np.clip(obs[:, -SPEC.action_dim :], -1.0, 1.0),
    )


def trainer(
    recipe: Recipe,
    seeds: Sequence[int] = (0,),
    schedule: Schedule = QUIET,
    world: type[Diary] = Diary,
    **more: Any,
) -> Trainer:
    """A trainer in the diary; with the schedule `QUIET` it does not look at all."""
    run = Trainer(recipe, problem(recipe, world), seeds, schedule, **more)
    if schedule is QUIET:
        run.evaluator.look = lambda *args, **kwargs: []
    return run


def finish(running: Trainer | Iterator[RunEvent]) -> list[RunEvent]:
    """All events of a run."""
    return list(running.run() if isinstance(running, Trainer) else running)


def learnt(run: Trainer) -> Any:
    """State, ring and the acting rule's memory, on the host [S, ...]."""
    state, ring = run.carry.get(lambda c: (c.state, c.ring)).host()
    return state, ring, run.memory.host()


def host_loop(
    world: type[Diary],
    seeds: Sequence[int] = (0,),
    reward: RewardTransform | None = None,
    return_rule: str = "finite",
    failure_reward: float = -1.0,
) -> HostLoop:
    """The worlds of these seeds with their first episodes begun, at the discount 0.9."""
    told = Episodes(
        Layout.of(SPEC),
        seeds,
        reward or RewardTransform(),
        0.9,
        return_rule,
        failure_reward,
        "environment X",
    )
    loop = HostLoop(world, told)
    loop.begin()
    return loop


def same_bits(a: Any, b: Any) -> None:
    """Two trees are equal to the last bit; the first leaf that is not is named."""
    left, right = jax.tree_util.tree_leaves_with_path(a), jax.tree.leaves(b)
    assert len(left) == len(right)
    for (path, x), y in zip(left, right, strict=True):
        x, y = np.asarray(x), np.asarray(y)
        assert x.shape == y.shape and x.dtype == y.dtype, jax.tree_util.keystr(path)
        assert x.tobytes() == y.tobytes(), f"{jax.tree_util.keystr(path)}: {x} {y}"
