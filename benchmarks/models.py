"""What a model of the world costs at MOPO's sizes: a step of its fit, and a round of rollouts.

`make bench` prints these lines behind the table of updates; `python -m benchmarks.models` alone.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peak import peak
from warmstart.engine.phases import Block, Learning
from warmstart.engine.seeds import Seeds
from warmstart.learners import DynamicsFit
from warmstart.methods import mopo
from warmstart.replay import Imagined, Layout, Stores, empty_ring
from warmstart.types import Clock, Spec

SPEC = Spec(obs_dim=17, action_dim=6, horizon=1000)
ROWS = 100_000
STEPS = 4
"""Fit steps of one timed call."""


def products(shapes: list[tuple[int, int, int]]) -> float:
    """Floating-point operations of matrix products [rows, in] x [in, out]."""
    return float(sum(2 * a * b * c for a, b, c in shapes))


def network(rows: int) -> list[tuple[int, int, int]]:
    """The products of one network of MOPO's model on so many rows."""
    sizes = [SPEC.obs_dim + SPEC.action_dim, 200, 200, 200, 200, 2 * (SPEC.obs_dim + 1)]
    return [(rows, a, b) for a, b in pairwise(sizes)]


def fastest(call: Callable[[], Any], rounds: int) -> float:
    """Seconds of the fastest of so many calls, behind one that compiles."""
    jax.block_until_ready(call())
    best = np.inf
    for _ in range(rounds):
        began = time.perf_counter()
        jax.block_until_ready(call())
        best = min(best, time.perf_counter() - began)
    return best


def table(repeats: int) -> list[dict[str, Any]]:
    """Print and return milliseconds, the floor by arithmetic at the peak, and the share of it."""
    recipe, layout = mopo.recipe("paper"), Layout.of(SPEC)
    fit, dream = recipe.pretrain
    assert isinstance(fit.learner, DynamicsFit)
    model, batch = fit.learner.model, fit.learner.fit.batch
    rows = np.tanh(np.random.default_rng(0).normal(size=(ROWS, layout.width))).astype(np.float32)
    stores = Stores(jnp.asarray(rows), empty_ring(1, layout.width))
    key, clock = jax.random.PRNGKey(0), Clock(jnp.int32(0), jnp.int32(0), jnp.int32(10**6))
    block = Block(fit.learner, fit.source, layout)

    def begin(learner: Any) -> Any:
        return learner.study(learner.init(key, SPEC), layout.unpack(stores.dataset))

    state = jax.jit(lambda: begin(fit.learner))()
    start = Learning(state, fit.source.init(key, stores, layout), block.zeros(state), jnp.int32(0))

    @jax.jit
    def learn(start: Learning, stores: Stores) -> Learning:
        return block.learn(key, clock, start, stores, jnp.int32(STEPS))

    source = dream.source
    assert isinstance(source, Imagined)
    # Round after round into a buffer of one round: what a round costs, not what five of them weigh.
    source = dataclasses.replace(source, keep=1)
    policy = jax.jit(lambda: begin(dream.learner))()
    want = Block(dream.learner, source, layout).wanted()

    @jax.jit
    def imagine(state: Any, memory: Any, stores: Stores) -> Any:
        seen = stores._replace(view=dream.learner.view(state))
        return source.draw(key, clock, seen, memory, want).memory.added

    memory = source.init(key, stores, layout)
    networks = model.members
    actor = [(1, SPEC.obs_dim, 256), (1, 256, 256), (1, 256, 2 * SPEC.action_dim)]
    way = networks * products(network(1)) + products(actor)
    cases = [
        (
            "a step of the model's fit (7 of 4 x 200, batch 256)",
            lambda: learn(start, stores),
            3 * networks * products(network(batch)),
            STEPS,
        ),
        (
            "a round of rollouts (50,000 starts, 5 steps)",
            lambda: imagine(policy, memory, stores),
            source.starts * source.horizon * way,
            1,
        ),
    ]
    out = []
    for name, call, work, count in cases:
        # Beside each other, so that a busy machine is as busy for both.
        limit = peak(1024, 1024, 1024)[0]
        ms = 1e3 * fastest(call, repeats) / count
        limit = max(limit, peak(1024, 1024, 1024)[0])
        floor = work / limit / 1e6
        print(f"{name:58s}  {ms:9.1f}ms  floor {floor:8.1f}ms  {floor / ms:4.0%} of peak")
        out.append({"name": name, "ms": ms, "gflop": work / 1e9, "peak_gflops": limit})
    return out


if __name__ == "__main__":
    Seeds(1)  # the allocator's setting comes before the first program
    table(8)
