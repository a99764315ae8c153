"""Specs: what they build, what they refuse, and that they are plain values."""

import json
from dataclasses import asdict

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.errors import RecipeError
from warmstart.nets import CriticSpec, NetSpec, PolicySpec, ValueSpec

KEY = jax.random.key(0)
SPECS = [
    PolicySpec(),
    PolicySpec(NetSpec(hidden=(32, 32), layer_norm=True, last_hidden_scale=1e-2), std="uniform"),
    PolicySpec(NetSpec(kind="simba", hidden=(32,), head_scale=1.0), std="tanh"),
    PolicySpec(log_std_affine=(1.0, -1.0)),
    PolicySpec(kind="deterministic"),
    CriticSpec(),
    CriticSpec(NetSpec(hidden=(32, 32), layer_norm="first", activation="elu", init="acme"), 2),
    CriticSpec(NetSpec(hidden=(32, 32), layer_norm=True), 10, shared_head=True),
    ValueSpec(),
]


def _build(spec: PolicySpec | CriticSpec | ValueSpec) -> eqx.Module:
    sizes = (17,) if isinstance(spec, ValueSpec) else (17, 6)
    return jax.eval_shape(lambda key: spec.build(key, *sizes), KEY)


@pytest.mark.parametrize("spec", SPECS)
def test_leaves_are_strong_float32_arrays_and_nothing_else(spec) -> None:
    for leaf in jax.tree.leaves(_build(spec)):
        assert isinstance(leaf, jax.ShapeDtypeStruct)
        assert leaf.dtype == jnp.float32 and not leaf.weak_type


@pytest.mark.parametrize("spec", SPECS)
def test_specs_hash_and_round_trip_through_json(spec) -> None:
    plain = json.loads(json.dumps(asdict(spec)))
    net = NetSpec(**plain.pop("net"))
    back = type(spec)(net=net, **plain)
    assert back == spec and hash(back) == hash(spec)


def test_default_head_gain_follows_the_kind() -> None:
    # Orthogonal columns [H, 1]: the norm is the gain.
    mlp_head = NetSpec().head(KEY, 1).weight
    simba_head = NetSpec(kind="simba", hidden=(64,)).head(KEY, 1).weight
    small = NetSpec(head_scale=1e-2).head(KEY, 1).weight
    norms = [float(jnp.linalg.norm(w)) for w in (mlp_head, simba_head, small)]
    np.testing.assert_allclose(norms, [2**0.5, 1.0, 1e-2], rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: NetSpec(activation="rleu"), "Did you mean 'relu'"),
        (lambda: NetSpec(init="xavier"), "Did you mean 'xavier_uniform'"),
        (lambda: NetSpec(head_init="zero"), "Did you mean 'zeros'"),
        (lambda: NetSpec(kind="simbad"), "Did you mean 'simba'"),
        (lambda: NetSpec(layer_norm="last"), "false, true or 'first'"),
        (lambda: NetSpec(hidden=()), "at least one hidden layer"),
        (lambda: NetSpec(kind="simba", hidden=(64, 32)), "same size"),
        (lambda: PolicySpec(kind="gausian"), "Did you mean 'gaussian'"),
        (lambda: PolicySpec(std="unifrom"), "Did you mean 'uniform'"),
        (lambda: PolicySpec(log_std_range=(2.0, -20.0)), "lower bound first"),
        (lambda: PolicySpec(bounded_mean=True), "squash=false"),
        (lambda: CriticSpec(members=0), "a whole number from 1"),
    ],
)
def test_wrong_values_are_refused_with_the_fix(make, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        make()
