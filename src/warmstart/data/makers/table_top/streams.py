"""Logged data for OGBench's cube, scene and puzzle, from the oracles in its package.

"play" and "noisy" are OGBench's own recipe (Park et al. 2025; numbers of its
`generate_manipspace.py`): long streams of subtasks that know nothing of the task, each row then
labelled with the task's reward in the state before the action. A stream is cut behind each row
whose state has the goal, where the environment would have ended, and after the task's time limit.
While the goal stays met every row is such an end: those rows are kept, as in OGBench, as episodes
of one row. "demos" are our own: the Markov oracle, sent from subtask to subtask until the goal is
met.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from warmstart.data.makers.roll import Episodes, Progress, joined, numbers, roll
from warmstart.data.makers.table_top.labels import STREAM, labelled
from warmstart.data.makers.table_top.oracles import arm_of, borrowed_randomness, disturbed, oracles
from warmstart.data.makers.table_top.subtasks import Subtask, next_subtask
from warmstart.errors import TaskError, did_you_mean
from warmstart.types import Dataset, HostEnv

KINDS = ("play", "noisy", "demos")


def make_table_top(
    env: HostEnv,
    seed: int,
    episodes: Episodes = 100,
    progress: Progress | None = None,
    *,
    kind: str = "play",
    noise: float | None = None,
    random_share: float | None = None,
    demo_every: int = 0,
) -> Dataset:
    """Streams of 1,000 steps, demonstrations, or streams with some demonstrations among them.

    Args:
        env: one of OGBench's cube, scene or puzzle tasks.
        seed: of everything random; stream or demonstration i is a function of (seed, i) alone.
        episodes: how many streams or demonstrations, or which.
        progress: called with (episodes done, episodes in all).
        kind: "play": smooth plans; "noisy": the Markov oracle with noise; "demos": see above.
        noise: each noisy stream and each demonstration draws its noise from [0, noise]; None: 0.1
            in streams, 0.05 in demonstrations: at 0.08 one in five drops its cube for good.
        random_share: share of uniform random actions; None: 0.1 in "noisy", else 0.
        demo_every: not 0: each episode of which i + 1 is a multiple of this is a demonstration.

    Returns:
        Rows in order; in `info["successes"]` an episode succeeds if it comes to the goal from
        elsewhere.

    Raises:
        TaskError: another environment, an unknown kind, or a share outside [0, 1].
    """
    bare = arm_of(env)
    if kind not in KINDS:
        raise TaskError(f"There is no kind of data '{kind}'. {did_you_mean(kind, KINDS)}")
    share = (0.1 if kind == "noisy" else 0.0) if random_share is None else random_share
    if not 0.0 <= share <= 1.0:
        raise TaskError(f"random_share is {share}: choose a share between 0 and 1.")
    chosen, pieces = numbers(episodes), []
    with borrowed_randomness():
        for done, i in enumerate(chosen):
            demo = kind == "demos" or (demo_every > 0 and (i + 1) % demo_every == 0)
            if demo:
                guide = partial(_Guide, bare, 0.05 if noise is None else noise)
                pieces.append(roll(env, guide, seed, range(i, i + 1)))
            else:
                rng = np.random.default_rng([seed, i])
                level = 0.1 if noise is None else noise
                pieces.append(_stream(env, bare, kind == "play", level, share, rng))
            if progress is not None:
                progress(done + 1, len(chosen))
    return joined(pieces)


class _Guide:
    """Leads one episode to the task's goal, as a policy for `roll`."""

    def __init__(self, bare: Any, noise: float, rng: np.random.Generator) -> None:
        np.random.seed(int(rng.integers(2**31)))
        self._bare, self._rng = bare, rng
        self._noise = float(rng.uniform(0.0, noise))
        self._oracles = oracles(bare, plans=False)
        self._errand: Subtask | None = None

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        info = self._bare.compute_ob_info()
        if self._errand is None or self._oracles[self._errand.kind].done:
            self._errand = next_subtask(self._bare, info, self._rng)
            self._oracles[self._errand.kind].reset(obs, info)
        oracle = self._oracles[self._errand.kind]
        action = oracle.select_action(obs, {**info, **self._errand.told})
        return disturbed(np.asarray(action), self._noise, self._rng)


def _stream(
    env: HostEnv, bare: Any, plans: bool, noise: float, share: float, rng: np.random.Generator
) -> Dataset:
    """One stream, labelled for the task of `env` and cut; drawn again where a cube was lost."""
    agents = oracles(bare, plans)
    np.random.seed(int(rng.integers(2**31)))
    while True:
        bare._mode = "data_collection"
        try:
            obs, actions, qpos = _wander(bare, agents, plans, noise, share, rng)
        finally:
            bare._mode = "task"
        if _healthy(bare, qpos):
            return labelled(bare, obs.astype(np.float32), actions, env.spec.horizon, STREAM)


def _wander(
    bare: Any,
    agents: dict[str, Any],
    plans: bool,
    noise: float,
    share: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observations [T + 1, O], actions [T, 5], and the simulator's positions before each action."""
    start = int(rng.integers(2**31))
    # Twice: what an earlier episode or task left in the model is then gone from the stream.
    bare.reset(seed=start)
    obs, info = bare.reset(seed=start)
    # Only where there are two cubes can one be put on the other.
    stacking = float(rng.uniform(0.0, 0.25))
    level = 0.0 if plans else float(rng.uniform(0.0, noise))
    agent = agents[info["privileged/target_task"]]
    agent.reset(obs, info)
    observed, actions, positions = [obs], [], []
    for _ in range(STREAM):
        if share and rng.random() < share:
            action = rng.uniform(-1.0, 1.0, 5)
        else:
            action = disturbed(np.asarray(agent.select_action(obs, info)), level, rng)
        action = action.astype(np.float32)
        obs, _, _, _, info = bare.step(action)
        observed.append(obs)
        actions.append(action)
        positions.append(info["prev_qpos"])
        if agent.done:
            obs, info = bare.set_new_target(p_stack=stacking)
            agent = agents[info["privileged/target_task"]]
            agent.reset(obs, info)
    return np.array(observed), np.array(actions), np.array(positions)


def _healthy(bare: Any, qpos: np.ndarray) -> bool:
    """OGBench's check of the scene: the cube stays in sight, or in the drawer."""
    if not hasattr(bare, "_drawer_center"):
        return True
    y, z = qpos[:, 15], qpos[:, 16]
    inside = (z >= 0.06) & (z <= 0.08)
    return not np.any((y >= 0.29) | ((y <= -0.3) & ~inside))
