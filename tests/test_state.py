"""The one gradient step, and how long it is, against NumPy in float64."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.errors import RecipeError
from warmstart.methods import METHODS
from warmstart.recipe import Recipe
from warmstart.state import Optimiser, Scalar, State, Warming, descend
from warmstart.types import Clock

N = 10


def taken(optimiser: Optimiser, clocks: list[Clock]) -> list[float]:
    """A number that descends on w^4 / 4, after each step, in float64."""
    with jax.enable_x64(True):
        net: Any = Scalar(jnp.asarray(1.0, jnp.float64))
        state = State({"a": net}, {}, {"a": optimiser.build().init(net)}, {}, {}, {})
        step = jax.jit(
            lambda state, clock: descend(
                "a", state, lambda net: (net.raw**4 / 4, {}), optimiser, clock
            )[0]
        )
        out = []
        for clock in clocks:  # counts of 64 bits, so that their share is a float64
            state = step(state, Clock(*(jnp.asarray(n, jnp.int64) for n in clock)))
            out.append(float(state.nets["a"].raw))
        return out


def adam(rates: list[float], warmup: int = 0, decay: float = 0.0) -> list[float]:
    """The same by hand: Adam (Kingma & Ba 2015, algorithm 1), decay added behind it."""
    w, m, v, out = 1.0, 0.0, 0.0, []
    for t, rate in enumerate(rates, 1):
        g = w**3
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        step = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8) + decay * w
        w -= rate * min(t / warmup if warmup else 1.0, 1.0) * step
        out.append(w)
    return out


def clocks(online: bool) -> list[Clock]:
    """N moments of a phase of N updates, or of N environment steps with two updates at each."""
    numbers = [(2 * n, n, N) if online else (n, 0, N) for n in range(int(online), N)]
    return [Clock(*each) for each in numbers]


COSINE = [0.1 * (1 + np.cos(np.pi * n / N)) / 2 for n in range(N)]


def test_the_rate_falls_to_zero_by_half_a_cosine() -> None:
    got = taken(Optimiser(0.1, decay="cosine"), clocks(online=False))
    np.testing.assert_allclose(got, adam(COSINE), rtol=1e-12)
    assert COSINE[0] == 0.1  # the first step is the longest
    still = taken(Optimiser(0.1), clocks(online=False))
    np.testing.assert_allclose(still, adam([0.1] * N), rtol=1e-12)


def test_online_it_falls_with_the_environment_steps() -> None:
    got = taken(Optimiser(0.1, decay="cosine"), clocks(online=True))
    np.testing.assert_allclose(got, adam(COSINE[1:]), rtol=1e-12)


def test_behind_a_warm_up_it_falls_all_the_same() -> None:
    warming = Warming(0.1, 0.5, None, warmup=4, decay="cosine")
    got = taken(warming, clocks(online=False))
    np.testing.assert_allclose(got, adam(COSINE, warmup=4, decay=0.5), rtol=1e-12)


def test_where_nobody_knows_the_phase_it_is_refused() -> None:
    optimiser = Optimiser(decay="cosine")
    net: Any = Scalar(jnp.ones(()))
    state = State({"a": net}, {}, {"a": optimiser.build().init(net)}, {}, {}, {})
    with pytest.raises(RecipeError, match="set decay=none for this one"):
        descend("a", state, lambda net: (net.raw, {}), optimiser)


@pytest.mark.parametrize("method", ["iql", "jsrl", "pex"])
@pytest.mark.parametrize("preset", ["paper", "quick"])
def test_the_actor_of_iql_has_it_offline_alone(method: str, preset: str) -> None:
    recipe: Recipe = METHODS[method].recipe(preset)
    offline: Any = recipe.pretrain[0].learner
    online: Any = recipe.finetune.learner
    assert offline.actor_optimiser == dataclasses.replace(online.actor_optimiser, decay="cosine")
    assert online.actor_optimiser.decay == "none"
    for name in ("critic", "value"):
        assert offline.optimiser(name).decay == "none"
