"""Milliseconds of an update as the engine runs it: rows drawn, a loop without the host, seeds side
by side."""

from __future__ import annotations

import time
from typing import Any

import jax.numpy as jnp
import numpy as np

from warmstart.engine.phases import Block, Carry, Learning
from warmstart.engine.seeds import Seeds, keys_of
from warmstart.learners import Learner
from warmstart.replay import FromDataset, Layout, Newest, Source, Stores, Windows, empty_ring
from warmstart.state import key_for
from warmstart.types import Clock, Spec

SPEC = Spec(obs_dim=17, action_dim=6, horizon=1000)
ROWS = 100_000
CONTEXT = 20
ROLLOUT = 2_048


def source_of(learner: Learner) -> Source:
    """What a learner draws from the dataset; a rollout of zeros where it wants one."""
    if getattr(learner, "on_policy", False):
        return Newest(ROLLOUT)
    return Windows(CONTEXT) if learner.windows else FromDataset()


def update_ms(learner: Learner, seeds: int, repeats: int, spec: Spec = SPEC) -> tuple[float, float]:
    """Milliseconds per update of all seeds (the least of `repeats` rounds), compile seconds."""
    many, layout = Seeds(seeds), Layout.of(spec)
    keys = many.place(keys_of(range(seeds)))
    rows = np.random.default_rng(0).normal(size=(ROWS, layout.width)).astype(np.float32)
    rows = np.tanh(rows)
    rows[:, layout.t] = np.arange(ROWS) % 1000
    rows[:, layout.last] = rows[:, layout.t] == 999
    dataset = many.share(rows)
    block = Block(learner, source_of(learner), layout)

    def begin(key: Any) -> Any:
        """A fresh state, with a frozen policy where the learner asks for one."""
        state, old = (learner.init(key_for(key, name), spec) for name in ("init", "old"))
        return state.replace(pretrained={"actor": old.nets["actor"], "stats": old.stats})

    state = many.compile(begin)(keys)
    ring = many.compile(lambda key: empty_ring(1, layout.width))(keys)
    sums = many.compile(block.zeros)(state)
    none = many.place(np.zeros(many.count, np.int32))
    parts = (state, ring, sums, none)
    carry = many.zip(lambda state, ring, *rest: Carry(state, ring, (), *rest), *parts)

    def learn(key: Any, carry: Carry, dataset: Any, n: Any) -> Carry:
        clock = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(1))
        stores = Stores(dataset, carry.ring)
        learning = Learning(carry.state, carry.source, carry.sums, carry.diverged)
        return carry._replace(**block.learn(key, clock, learning, stores, n)._asdict())

    program = many.compile(learn, shared=(2, 3), donate=(1,))

    def take(carry: Any, n: int) -> tuple[Any, float]:
        began = time.perf_counter()
        carry = program(keys, carry, dataset, np.int32(n * learner.minibatches))
        carry.get(lambda c: c.sums).host()
        return carry, time.perf_counter() - began

    carry, compiled = take(carry, 1)
    carry, once = take(carry, 2)
    n = max(2, int(0.8 / max(once / 2, 1e-4)))
    best = np.inf
    for _ in range(repeats):
        carry, seconds = take(carry, n)
        best = min(best, seconds / n)
    return 1e3 * best, compiled
