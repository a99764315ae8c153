"""One measurement of another library, in an environment of its own: `benchmarks.peers` calls it.

    python benchmarks/peers_side.py sbx loop sac Pendulum-v1 256 --seconds 20

prints one line of JSON: environment steps a second of the whole loop (`loop`), or milliseconds of
an update (`update`). Nothing of `warmstart` is imported here.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

BATCH = 256
OBS, ACTIONS, ROWS = 17, 6, 100_000


def loop(library: str, method: str, env_id: str, width: int, seconds: float) -> float:
    """Steps a second behind the first updates, one update a step, no evaluation."""
    from stable_baselines3.common.callbacks import BaseCallback

    class Clock(BaseCallback):
        """Times the steps from `start` on, until the seconds are over."""

        def __init__(self, start: int) -> None:
            super().__init__()
            self.start, self.began, self.speed = start, 0.0, 0.0

        def _on_step(self) -> bool:
            done = self.num_timesteps - self.start
            if done == 0:
                self.began = time.perf_counter()
            if done <= 0:
                return True
            spent = time.perf_counter() - self.began
            self.speed = done / spent
            return spent < seconds

    model, clock = _model(library, method, env_id, width), Clock(start=600)
    model.learn(total_timesteps=10**9, callback=clock)
    return clock.speed


def _model(library: str, method: str, env_id: str, width: int) -> Any:
    if library == "sbx":
        import sbx

        kind = {"sac": sbx.SAC, "td3": sbx.TD3}[method]
    else:
        import stable_baselines3 as sb3

        kind = {"sac": sb3.SAC, "td3": sb3.TD3}[method]
    return kind(
        "MlpPolicy",
        env_id,
        policy_kwargs={"net_arch": [width, width]},
        batch_size=BATCH,
        learning_starts=500,
        train_freq=1,
        gradient_steps=1,
        seed=0,
    )


def update(library: str, method: str, width: int, seconds: float) -> float:
    """Milliseconds of an update on rows that are drawn as the library draws them."""
    take = _d3rlpy(method, width) if library == "d3rlpy" else _baselines(library, method, width)
    take(20)  # compiled, warm
    began = time.perf_counter()
    take(20)
    n = max(20, int(20 * seconds / 3 / (time.perf_counter() - began)))
    rounds = []
    for _ in range(3):
        began = time.perf_counter()
        take(n)
        rounds.append((time.perf_counter() - began) / n)
    return 1e3 * min(rounds)


def _baselines(library: str, method: str, width: int) -> Any:
    import gymnasium
    import numpy as np

    class Sizes(gymnasium.Env):
        """An environment of the wanted sizes, which nobody steps."""

        observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (OBS,), np.float32)
        action_space = gymnasium.spaces.Box(-1, 1, (ACTIONS,), np.float32)

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            return np.zeros(OBS, np.float32), {}

        def step(self, action: Any) -> Any:
            return np.zeros(OBS, np.float32), 0.0, False, False, {}

    gymnasium.register("Sizes-v0", entry_point=Sizes, max_episode_steps=1000)
    model = _model(library, method, "Sizes-v0", width)
    model.learn(total_timesteps=510)  # sets up what `train` needs
    rng, buffer = np.random.default_rng(0), model.replay_buffer
    for _ in range(2_000):
        obs, after = rng.normal(size=(2, 1, OBS))
        end = np.zeros(1, bool)
        buffer.add(obs, after, rng.uniform(-1, 1, (1, ACTIONS)), rng.normal(size=1), end, [{}])

    def take(n: int) -> None:
        if library == "sbx":
            model.train(gradient_steps=n, batch_size=BATCH)
            import jax

            jax.block_until_ready(model.policy.actor_state.params)
        else:
            model.train(gradient_steps=n, batch_size=BATCH)

    return take


def _d3rlpy(method: str, width: int) -> Any:
    import d3rlpy
    import numpy as np

    nets = {
        f"{name}_encoder_factory": d3rlpy.models.VectorEncoderFactory([width, width])
        for name in ("actor", "critic")
    }
    configs = {
        "sac": d3rlpy.algos.SACConfig,
        "td3": d3rlpy.algos.TD3Config,
        "td3_bc": d3rlpy.algos.TD3PlusBCConfig,
        "iql": d3rlpy.algos.IQLConfig,
        "cal_ql": d3rlpy.algos.CalQLConfig,
    }
    more = {}
    if method == "iql":
        more["value_encoder_factory"] = d3rlpy.models.VectorEncoderFactory([width, width])
    config = configs[method](batch_size=BATCH, **nets, **more)
    rng = np.random.default_rng(0)
    ends = np.zeros(ROWS, np.float32)
    ends[999::1000] = 1.0
    dataset = d3rlpy.dataset.MDPDataset(
        rng.normal(size=(ROWS, OBS)).astype(np.float32),
        rng.uniform(-1, 1, (ROWS, ACTIONS)).astype(np.float32),
        rng.normal(size=(ROWS, 1)).astype(np.float32),
        ends,
    )
    algo = config.create(device="cpu:0")
    algo.build_with_dataset(dataset)

    def take(n: int) -> None:
        for _ in range(n):
            algo.update(dataset.sample_transition_batch(BATCH))

    return take


def main() -> None:
    """Measure what the words say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", choices=["sbx", "sb3", "d3rlpy"])
    parser.add_argument("what", choices=["loop", "update"])
    parser.add_argument("method")
    parser.add_argument("env", help="an environment's id; for an update `-`")
    parser.add_argument("width", type=int)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    if given.what == "loop":
        found = loop(given.library, given.method, given.env, given.width, given.seconds)
    else:
        found = update(given.library, given.method, given.width, given.seconds)
    print(json.dumps({"value": found}))


if __name__ == "__main__":
    main()
