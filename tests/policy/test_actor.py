"""The policy in NumPy does what the compiled one does."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.errors import RecipeError, RunError
from warmstart.nets.distributions import Squashed
from warmstart.nets.spec import NetSpec, PolicySpec
from warmstart.policy import describe as describing
from warmstart.policy.describe import describe, holds_own, restored
from warmstart.policy.networks import NETWORKS, build
from warmstart.policy.of_state import NumpyActor
from warmstart.state import State
from warmstart.views import View

OBS, ACTIONS = 5, 3
MLP = NetSpec((16, 8))
SPECS: dict[str, tuple[PolicySpec, str]] = {
    **{name: (PolicySpec(NetSpec((16, 8), name)), "squashed") for name in
       ("relu", "tanh", "elu", "gelu", "swish")},
    "layer norm": (PolicySpec(NetSpec((16, 8), layer_norm=True)), "squashed"),
    "first layer norm": (PolicySpec(NetSpec((16, 8), layer_norm="first")), "squashed"),
    "simba": (PolicySpec(NetSpec((16, 16), kind="simba")), "squashed"),
    "tanh std": (PolicySpec(MLP, std="tanh", log_std_range=(-5.0, 2.0)), "squashed"),
    "uniform": (PolicySpec(MLP, std="uniform", squash=False), "plain"),
    "sigmoid": (PolicySpec(MLP, std="uniform_sigmoid", log_std_range=(-5.0, 0.0)), "squashed"),
    "bounded mean": (PolicySpec(MLP, squash=False, bounded_mean=True), "plain"),
    "affine": (PolicySpec(MLP, log_std_affine=(0.5, -1.0)), "squashed"),
    "deterministic": (PolicySpec(MLP, kind="deterministic"), "deterministic"),
    "matched": (PolicySpec(MLP, agents=3), "matched"),
}  # fmt: skip


def view(name: str, normalise: Any = "none") -> View:
    spec, kind = SPECS[name]
    net = spec.build(jax.random.key(3), OBS, ACTIONS)
    stats = {"mean": jnp.arange(5.0), "var": jnp.arange(5.0) + 0.5, "count": jnp.float32(9)}
    return View(State({"actor": net}, {}, {}, {}, stats, {}), kind, normalise)


class Fixed:
    """A generator of one draw."""

    def __init__(self, noise: np.ndarray) -> None:
        self.noise = noise

    def standard_normal(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        del dtype
        return self.noise.reshape(shape)


@pytest.mark.parametrize("name", SPECS)
def test_mode_and_draw_are_the_compiled_policys(name: str) -> None:
    seen = view(name)
    actor = NumpyActor(seen)
    rng = np.random.default_rng(0)
    obs = rng.standard_normal((7, OBS)).astype(np.float32)
    noise: Any = rng.standard_normal((7, ACTIONS)).astype(np.float32)
    policy = seen.policy(obs)
    modes = np.asarray(policy.mode())
    assert np.allclose(actor(obs), modes, atol=2e-6) and np.abs(modes).max() > 0.05
    assert np.allclose(actor(obs[0]), modes[0], atol=2e-6) and actor(obs[0]).shape == (ACTIONS,)
    drawn = actor.sample(obs, Fixed(noise))  # type: ignore[arg-type]
    if name == "deterministic":
        assert np.array_equal(drawn, actor(obs))
        return
    told: Any = policy
    free = told.mean + jnp.exp(told.log_std) * noise
    true = jnp.tanh(free) if isinstance(policy, Squashed) else jnp.clip(free, -1, 1)
    assert np.allclose(drawn, true, atol=1e-5)
    assert drawn.dtype == actor(obs).dtype == np.float32


@pytest.mark.parametrize("normalise", ["dataset", "running"])
def test_observations_are_scaled_as_the_view_scales_them(normalise: str) -> None:
    seen = view("relu", normalise)
    obs = np.random.default_rng(1).standard_normal((4, OBS)).astype(np.float32) * 10
    assert np.allclose(NumpyActor(seen)(obs), seen.policy(obs).mode(), atol=1e-5)


def test_what_is_no_known_network_is_refused() -> None:
    state = State({"actor": jnp.zeros(3)}, {}, {}, {}, {}, {})
    with pytest.raises(RecipeError, match="no form in NumPy"):
        NumpyActor(View(state, "squashed", "none"))


def test_one_action_takes_less_than_a_compiled_call() -> None:
    """12 against 80 microseconds on a quiet machine; a busy one must not fail this."""
    spec = PolicySpec(NetSpec((256, 256)))
    net = spec.build(jax.random.key(0), 17, 6)
    seen = View(State({"actor": net}, {}, {}, {}, {}, {}), "squashed", "none")
    actor, obs = NumpyActor(seen), np.zeros(17, np.float32)
    run = jax.jit(lambda net, obs: seen.policy(obs, net).mode())
    assert best(lambda: actor(obs)) < best(lambda: np.asarray(run(net, obs)))


def best(call: Any) -> float:
    call()
    times = []
    for _ in range(300):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


class Pair(NamedTuple):
    """A network that somebody wrote as a named tuple."""

    weight: Any
    bias: Any


def test_a_network_of_ones_own_is_kept_by_its_leaves_and_has_no_form_in_numpy() -> None:
    net = Pair(jnp.ones((2, 3)), jnp.arange(3.0))
    described, tensors = describe({"actor": net})
    assert described["actor"]["class"] == "Pair" and len(tensors) == 2 and holds_own(described)
    again = restored(described, tensors, {"actor": Pair(None, None)._replace(weight=0, bias=0)})
    assert isinstance(again["actor"], Pair) and np.array_equal(again["actor"].weight, net.weight)
    with pytest.raises(RunError, match="a network of the kind 'Pair' has no form in NumPy"):
        build(described, tensors)
    with pytest.raises(RecipeError, match="is no pytree of arrays"):
        describe({"actor": Pair(jnp.ones(2), lambda x: x)})


def test_both_tables_of_networks_have_the_same_kinds() -> None:
    assert set(describing._NAMES.values()) == set(NETWORKS)
    for name, made in NETWORKS.items():
        if made is not None and "policy" in name:
            assert isinstance(made, type) and hasattr(made, "onnx"), name
