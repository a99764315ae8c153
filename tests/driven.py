"""Small Gymnasium environments, and what drives an agent in them."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from tiny import tiny

import warmstart as ws
from warmstart.config import names_of
from warmstart.methods import METHODS
from warmstart.recipe import Recipe


class Reach(gymnasium.Env[Any, Any]):
    """Observes a dict, acts in a box that is not symmetric; episodes of 3 to 6 steps.

    Everything is a function of the reset seed and of the actions.
    """

    observation_space = spaces.Dict(
        {"here": spaces.Box(-9.0, 9.0, (2,)), "clock": spaces.Box(0.0, 9.0, (1,), np.float64)}
    )
    action_space = spaces.Box(np.float32([0.0, -3.0]), np.float32([2.0, 5.0]))

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        start = int(self.np_random.integers(0, 1000))
        self.mark, self.t, self.action = start / 1000.0, 0, np.zeros(2)
        self.length, self.ends = 3 + start % 4, start % 2 == 0
        return self._obs(), {}

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action), action
        self.t, self.action = self.t + 1, np.asarray(action, np.float64)
        over = self.t == self.length
        reward = -abs(float(self.action[0]) - self.mark)
        info = {"success": bool(reward > -0.1)}
        return self._obs(), reward, over and self.ends, over and not self.ends, info

    def _obs(self) -> dict[str, Any]:
        here = np.array([self.mark, self.action[0]], np.float32)
        return {"here": here, "clock": np.array([self.t], np.float64)}


ID = "AgentReach-v0"
if ID not in gymnasium.registry:
    gymnasium.register(ID, Reach, max_episode_steps=7)


def logged(episodes: int = 12) -> dict[str, Any]:
    """Uniform behaviour in it, as arrays in its own units."""
    rng, env, rows = np.random.default_rng(3), Reach(), []
    for episode in range(episodes):
        obs, _ = env.reset(seed=1000 + episode)
        over = False
        while not over:
            action = rng.uniform(env.action_space.low, env.action_space.high).astype(np.float32)
            after, reward, terminated, truncated, _ = env.step(action)
            rows.append((obs, action, reward, terminated, truncated, after))
            obs, over = after, terminated or truncated
    obs, actions, rewards, terminated, truncated, after = zip(*rows, strict=True)

    def told(seen: Any) -> dict[str, np.ndarray]:
        return {key: np.stack([one[key] for one in seen]) for key in seen[0]}

    return {
        "observations": told(obs),
        "actions": np.stack(actions),
        "rewards": np.array(rewards),
        "terminated": np.array(terminated),
        "truncated": np.array(truncated),
        "next_obs": told(after),
    }


def pendulum_log(path: str) -> None:
    """Three short episodes of Pendulum-v1 by uniform actions, as an NPZ file."""
    rng, env, rows = np.random.default_rng(0), gymnasium.make("Pendulum-v1"), []
    obs, _ = env.reset(seed=0)
    for step in range(60):
        action = rng.uniform(-2.0, 2.0, 1).astype(np.float32)
        after, reward, terminated, _, _ = env.step(action)
        rows.append((obs, action, reward, terminated, step % 20 == 19, after))
        obs = after
    names = ("obs", "actions", "rewards", "terminated", "truncated", "next_obs")
    columns = zip(names, zip(*rows, strict=True), strict=True)
    np.savez(path, **{name: np.array(column) for name, column in columns})


def recipe(method: str = "wsrl", **numbers: Any) -> Recipe:
    """A method with few numbers; those that it does not have are left out."""
    few = {"pretrain_steps": 6, "steps": 30, "warmup": 4, **numbers}
    known = names_of(METHODS[method].PRESETS["quick"])
    return tiny(method, **{name: number for name, number in few.items() if name in known})


WORDS: dict[str, Any] = {"holdout": 0.0, "progress": False}


def agent(method: str | Recipe = "wsrl", env: Any = ID, **more: Any) -> ws.Agent:
    """An agent that has not begun; with data where the method reads any."""
    made = recipe(method) if isinstance(method, str) else method
    data = logged() if made.needs_dataset else None
    told = {} if isinstance(env, str) else {"horizon": 7}
    return ws.Agent(made, env, **{"data": data, **told, **WORDS, **more})


def ready(method: str | Recipe = "wsrl", env: Any = ID, **more: Any) -> ws.Agent:
    """An agent that is handed over."""
    made = agent(method, env, **more)
    made.pretrain()
    made.hand_over()
    return made


class Loop:
    """A user's own loop, which can be left and taken up between two steps."""

    def __init__(self, learner: ws.Agent, env: Any = None) -> None:
        self.agent, self.env = learner, env or gymnasium.make(ID)
        self.over = True

    def go(self, steps: int, learn: bool = True) -> Loop:
        """So many more steps."""
        for _ in range(steps):
            if self.over:
                self.agent.begin(self.env.reset(seed=self.agent.reset_seed())[0])
            *answer, info = self.env.step(self.agent.act())
            self.agent.observe(*answer, info)
            self.over = answer[2] or answer[3]
            if learn:
                self.agent.learn()
        return self


def weights(learner: ws.Agent) -> Any:
    """All that is learnt and remembered, on the host."""
    learner.learn()
    live = learner._live
    with live.lesson:
        tree = live.trainer.carry.get(lambda c: (c.state, c.ring)).host()
        return tree, live.trainer.memory.host()
