"""Learned weights move the way that closes their gap."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.parts import Fixed, Learned, Scheduled, temperature
from warmstart.state import Optimiser, State
from warmstart.types import Clock

CLOCK = Clock(jnp.int32(0), jnp.int32(0), jnp.int32(1))


def _state(weight: Learned) -> State:
    net = weight.start()
    opts = {"w": weight.optimiser.build().init(net)}
    return State(nets={"w": net}, targets={}, opts=opts, pretrained={}, stats={}, signals={})


def _after(weight: Learned, gap: float, dims: int = 1, steps: int = 1) -> float:
    state = _state(weight)
    for _ in range(steps):
        state = weight.step(state, "w", jnp.float32(gap), dims)
    return float(weight.at(state, "w", CLOCK))


FORMS: list[Any] = [(form, on) for form in ("exp", "softplus") for on in ("weight", "log")]


@pytest.mark.parametrize(("form", "loss_on"), FORMS)
def test_the_temperature_rises_while_the_entropy_is_too_low(form, loss_on) -> None:
    weight = temperature(-1.0, 0.5, 1e-2, form, loss_on)
    assert weight.at(_state(weight), "w", CLOCK) == pytest.approx(0.5)
    assert _after(weight, gap=-4.0, dims=3) > 0.5 > _after(weight, gap=-2.0, dims=3)
    assert _after(weight, gap=-3.0, dims=3) == pytest.approx(0.5)


@pytest.mark.parametrize(("form", "loss_on"), FORMS)
def test_a_multiplier_rises_while_the_gap_is_too_wide(form, loss_on) -> None:
    weight = Learned(init=2.0, target=0.8, form=form, loss_on=loss_on)
    assert _after(weight, 1.0) > 2.0 > _after(weight, 0.5)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.01, 20.0), st.sampled_from(["exp", "softplus"]), st.floats(0.5, 5.0))
def test_init_is_the_weight_and_not_the_raw_number(init: float, form: Any, scale: float) -> None:
    weight = Learned(init=init, form=form, scale=scale)
    assert float(weight.at(_state(weight), "w", CLOCK)) == pytest.approx(init, rel=1e-4)


def test_the_raw_softplus_of_one() -> None:
    raw = Learned(init=1.0, form="softplus").start().raw
    np.testing.assert_allclose(raw, math.log(math.e - 1), rtol=1e-6)  # 0.5413


def test_cal_ql_s_multiplier_starts_at_five_e() -> None:
    raw = Learned(init=5 * math.e, scale=5.0).start().raw
    np.testing.assert_allclose(raw, 1.0, rtol=1e-6)


def test_the_gradient_of_each_form() -> None:
    """Plain numbers: after one step of Adam without momentum's memory, raw moves by lr."""
    up = Learned(init=1.0, optimiser=Optimiser(lr=0.1))
    np.testing.assert_allclose(_after(up, 3.0), math.exp(0.1), rtol=1e-5)
    np.testing.assert_allclose(_after(up, -3.0), math.exp(-0.1), rtol=1e-5)


def test_bounds_hold() -> None:
    assert _after(Learned(init=1.0, clip=(0.5, 1.05), optimiser=Optimiser(0.5)), 9.0) == (
        pytest.approx(1.05)
    )


def test_a_fixed_weight_stays() -> None:
    state = _state(Learned())
    assert Fixed(3.0).at(state, "w", CLOCK) == 3.0
    assert Fixed(3.0).step(state, "w", jnp.float32(9.0), 1) is state


@pytest.mark.parametrize(
    ("form", "done", "want"),
    [
        ("exponential", 0, 0.4),
        ("exponential", 25_000, 0.4 * math.sqrt(0.5)),
        ("exponential", 50_000, 0.2),
        ("exponential", 90_000, 0.2),
        ("linear", 25_000, 0.3),
        ("linear", 90_000, 0.2),
    ],
)
def test_a_scheduled_weight_follows_the_clock(form: Any, done: int, want: float) -> None:
    weight = Scheduled(0.4, 0.2, 50_000, form)
    clock = CLOCK._replace(updates=jnp.int32(done))
    assert float(weight.at(_state(Learned()), "w", clock)) == pytest.approx(want, rel=1e-5)
