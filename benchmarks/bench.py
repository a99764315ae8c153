"""`make bench`: what an update costs at the papers' sizes, against this machine's limit.

Prints, in one run: milliseconds per update of each method for one seed and for two, the float32
rate as a share of the matrix-product peak measured beside it, compile times, each update against
the sum of its parts, the overhead of one online step, and the peak memory. `--methods sac,td3_bc`
and `--repeats N` narrow it down; `--json FILE` keeps the numbers.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import models, parts
from benchmarks.peak import peak
from benchmarks.updates import SPEC, source_of, update_ms
from warmstart.engine import Problem, Schedule, Trainer
from warmstart.engine.host_runner import HostRunner
from warmstart.engine.phases import Block
from warmstart.engine.seeds import Seeds
from warmstart.files.machine import peak_memory_mb
from warmstart.learners import PPO, ActorCritic, Learner, critic_step
from warmstart.methods import METHODS, cal_ql, cql, iql, sac, td3, td3_bc, wsrl
from warmstart.nets.flows import FlowPolicy
from warmstart.replay import Layout
from warmstart.tasks import RewardTransform
from warmstart.types import Clock, EnvStep, Step, Transition

LEARNERS: dict[str, Learner] = {
    "sac": sac.learner(),
    "redq (10 critics, UTD 4, actor batch 256)": sac.learner(
        members=10, subset=2, aggregate="mean", init="xavier_uniform", minibatches=4
    ),
    "rlpd (10 critics with LayerNorm, UTD 4)": sac.learner(
        members=10, subset=2, aggregate="mean", layer_norm="critic", minibatches=4
    ),
    "cql": cql.learner(max_actions=1),
    "cal_ql": cal_ql.learner(finished_only=False),
    "iql": iql.learner(),
    "td3": td3.learner(),
    "td3_bc": td3_bc.learner(),
    "wsrl (10 critics with LayerNorm, UTD 4, actor batch 1024)": wsrl.recipe(
        "locomotion"
    ).finetune.learner,
    "10 critics, UTD 4, actor batch 1024, no LayerNorm": sac.learner(
        members=10, subset=2, minibatches=4, actor_batch="whole", entropy_backup=False
    ),
}
LEARNERS |= {
    name: METHODS[name].recipe("paper").finetune.learner
    for name in (
        "aca", "adaptive_bc", "awac", "bc", "dsrl", "fql", "gcql", "gctd3bc", "ifql", "off2on",
        "pex", "qc", "qc_fql", "rebrac", "residual", "rlpd_chunks", "simba", "td3_c", "upq",
    )
}  # fmt: skip
LEARNERS |= {
    "ppo (rollout 2,048, 10 passes, minibatches of 64)": METHODS["ppo"].recipe().finetune.learner,
    "dt (3 layers, width 128, context 20, batch 64)": METHODS["dt"].recipe().finetune.learner,
    "dt without dropout": METHODS["dt"].recipe(dropout=0.0).finetune.learner,
    "odt (4 layers, width 512, context 20, batch 64 of its 256)": METHODS["odt"]
    .recipe(batch=64)
    .finetune.learner,
}
"""The methods that are missing here learn with one of these learners."""


def _made(self: FlowPolicy, obs: jax.Array, noise: jax.Array) -> jax.Array:
    """What a flow makes of noise, step by step."""
    for i in range(self.steps):
        t = jnp.full((*noise.shape[:-1], 1), i / self.steps, noise.dtype)
        noise = noise + self.field(obs, noise, t) / self.steps
    return noise


def flops(learner: Learner) -> float:
    """Floating-point operations of one update, as XLA counts them, but of every step of a flow."""
    looped = FlowPolicy.made  # XLA counts the body of a loop once
    FlowPolicy.made = _made
    try:
        return _counted(learner)
    finally:
        FlowPolicy.made = looped


def _counted(learner: Learner) -> float:
    layout = Block(learner, source_of(learner), Layout.of(SPEC)).drawn
    state = jax.eval_shape(lambda: learner.init(jax.random.PRNGKey(0), SPEC))
    state = state.replace(pretrained={"actor": state.nets["actor"], "stats": state.stats})
    u, b = learner.minibatches, learner.batch

    def count(function: Any, *rows: int) -> float:
        batch = jax.tree.map(
            lambda x: jax.ShapeDtypeStruct(x.shape, jnp.float32),
            layout.unpack(np.zeros((*rows, layout.width), np.float32)),
        )
        key = jax.ShapeDtypeStruct((2,), jnp.uint32)
        cost = jax.jit(function).lower(key, state, batch).compile().cost_analysis()
        return (cost or {}).get("flops", 0.0)

    clock = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(1))

    if isinstance(learner, PPO):  # XLA counts the bodies of its loops once
        rows = source_of(learner).axes(1, b)[-1]

        def known(key: Any, state: Any, batch: Transition) -> Any:
            return learner.known(state, batch)

        def step(key: Any, state: Any, batch: Transition) -> Any:
            part = learner.known(state, batch)
            return learner._step(key, clock, state, part, jnp.bool_(True))

        steps = learner.epochs * (rows // b)
        return count(known, rows) + steps * (count(step, b) - count(known, b))
    if not isinstance(learner, ActorCritic):
        update = functools.partial(_updated, learner, clock)
        return count(update, *source_of(learner).axes(u, b))

    def critic(key: Any, state: Any, batch: Transition) -> Any:
        return learner._critic_step(key, clock, state, batch)

    def actor(key: Any, state: Any, batch: Transition) -> Any:
        return learner._actor_step(key, clock, state, batch)

    rows = u * b if learner.actor_batch == "whole" else b
    # XLA counts the body of a loop once: count without tiles.
    tiles, critic_step.SLAB = critic_step.SLAB, 10**9
    try:
        return u * count(critic, b) + count(actor, rows) / learner.actor_every
    finally:
        critic_step.SLAB = tiles


def _updated(learner: Learner, clock: Clock, key: Any, state: Any, batch: Transition) -> Any:
    return learner.update(key, clock, state, batch)


class Still:
    """A simulator that costs nothing."""

    spec = SPEC

    def reset(self, seed: int) -> np.ndarray:
        """Zeros."""
        return np.zeros(SPEC.obs_dim, np.float32)

    def step(self, action: np.ndarray) -> EnvStep:
        """Zeros."""
        return EnvStep(np.zeros(SPEC.obs_dim, np.float32), 0.0, False, False, False)

    def render(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def step_overhead_us(seeds: int, steps: int = 2_000) -> float:
    """Microseconds of one online step with neither simulator nor update, a ring of 1 M rows."""
    recipe = METHODS["wsrl"].recipe("locomotion").with_("finetune.rhythm.updates", 0)
    recipe = recipe.with_("replay.warmup.steps", 0)
    rows = np.zeros((10, Layout.of(SPEC).width), np.float32)
    problem = Problem(SPEC, Still, RewardTransform(), "finite", 0.0, None, rows)
    trainer = Trainer(recipe, problem, range(seeds), Schedule())
    trainer.position.phase = "online"
    loop, carry, memory = trainer.open(), trainer.carry, trainer.memory
    assert isinstance(loop, HostRunner)
    best = np.inf
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(steps // 4):
            carry, memory, _ = loop.advance(carry, memory, 1)
        best = min(best, (time.perf_counter() - began) / (steps // 4))
    return 1e6 * best


def acting_us(method: str, environments: int) -> float:
    """Microseconds of one step of a sequence policy at its authors' sizes, context and all."""
    recipe = METHODS[method].recipe()
    learner, rule = recipe.finetune.learner, recipe.acting
    state = learner.init(jax.random.PRNGKey(0), SPEC)
    zeros = jnp.zeros(environments)
    step = Step(jnp.zeros((environments, SPEC.obs_dim)), zeros, zeros)
    clock = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(1))

    def act(key: Any, state: Any, memory: Any, step: Step) -> Any:
        return rule(key, clock, learner.view(state), memory, step, "explore")

    program, key = jax.jit(act), jax.random.PRNGKey(1)
    _, memory = program(key, state, rule.init(environments, SPEC), step)
    best = np.inf
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(10):
            _, memory = program(key, state, memory, step)
        jax.block_until_ready(memory)
        best = min(best, (time.perf_counter() - began) / 10)
    return 1e6 * best


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", default="", help="comma-separated beginnings of names")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, default=None)
    chosen = parser.parse_args()
    Seeds(1)  # the allocator's setting comes before the first program
    limit = max(peak(1024, 1024, 1024)[0], peak(1024, 256, 256)[0])
    print(f"matrix-product peak: {limit:.0f} GFLOP/s (float32)\n")
    heads = ("1 seed", "of peak", "2 seeds", "of peak", "compile")
    print(f"{'':58s}  " + " ".join(f"{head:>8s}" for head in heads))
    rows = []
    for name, learner in LEARNERS.items():
        if chosen.methods and not name.startswith(tuple(chosen.methods.split(","))):
            continue
        work = flops(learner)
        one, compiled = update_ms(learner, 1, chosen.repeats)
        two, _ = update_ms(learner, 2, chosen.repeats)
        shares = [work / (one * 1e6) / limit, 2 * work / (two * 1e6) / limit]
        print(
            f"{name:58s}  {one:6.2f}ms {shares[0]:8.0%} {two:6.2f}ms {shares[1]:8.0%} "
            f"{compiled:7.1f}s",
            flush=True,
        )
        rows.append({"name": name, "ms_one": one, "ms_two": two, "gflop": work / 1e9})
    for method in ("dt", "odt"):
        if not chosen.methods or method in chosen.methods.split(","):
            times = " us, ".join(f"{acting_us(method, n):.0f}" for n in (1, 20))
            print(f"one step of acting of {method}, for 1 and for 20 environments: {times} us")
    rounds = []
    if not chosen.methods or {"mopo", "moore"} & {*chosen.methods.split(",")}:
        print()
        rounds = models.table(chosen.repeats)
    composed = parts.table(chosen.repeats) if not chosen.methods else []
    overhead = [step_overhead_us(1), step_overhead_us(2)]
    print(
        "\none online step without simulator and update: "
        f"{overhead[0]:.0f} us for one seed, {overhead[1]:.0f} us for two"
    )
    print(f"peak memory: {peak_memory_mb():.0f} MB")
    if chosen.json is not None:
        record = {"peak_gflops": limit, "updates": rows, "models": rounds, "parts": composed}
        record["step_us"] = overhead
        chosen.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
