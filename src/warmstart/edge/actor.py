"""Floor 7: a policy in NumPy alone, for one environment at a time.

Calling a compiled program costs some 80 microseconds, whatever it computes; a small network of a
policy is done in a few. Acting in one environment, making data and robots are served by this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from warmstart.errors import RecipeError
from warmstart.nets.mlp import MLP
from warmstart.nets.policies import DeterministicPolicy, GaussianPolicy, PolicyEnsemble
from warmstart.nets.simba import SimBa
from warmstart.views import View

Function = Callable[[np.ndarray], np.ndarray]
Moments = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

_ACTIVATIONS: dict[str, Function] = {
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0.0))),
    "gelu": lambda x: 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x * x * x))),
    "swish": lambda x: x * _sigmoid(x),
}


class NumpyActor:
    """The policy of a view, as it was when this was made.

    `actor(obs)` is what the policy does in evaluation (the mode); `actor.sample(obs, rng)` draws.
    Observations are flat, [O] or [B, O]; actions are in [-1, 1], [A] or [B, A], float32. They
    equal the compiled policy's up to rounding.

    Args:
        view: how a learner looks at the state of one seed.

    Raises:
        RecipeError: the policy is no network that is known here.
    """

    def __init__(self, view: View) -> None:
        state = jax.device_get(view.state)
        self._kind = view.kind
        self._scale = _scaler(state.stats, view.normalise)
        self._mean, self._moments = _policy(state.nets["actor"])

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        """The mode: tanh of the mean, or the mean inside the box."""
        mean = self._mean(self._scaled(obs))
        if self._kind == "deterministic":
            return mean
        return np.tanh(mean) if self._kind != "plain" else np.minimum(np.maximum(mean, -1.0), 1.0)

    def sample(self, obs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One draw; a deterministic policy gives its one action."""
        if self._moments is None:
            return self(obs)
        mean, log_std = self._moments(self._scaled(obs))
        noise = rng.standard_normal(mean.shape, np.float32)
        drawn = mean + np.exp(log_std) * noise
        return np.tanh(drawn) if self._kind != "plain" else np.clip(drawn, -1.0, 1.0)

    def _scaled(self, obs: np.ndarray) -> np.ndarray:
        x = np.asarray(obs, np.float32)
        if self._scale is None:
            return x
        mean, inverse = self._scale
        return (x - mean) * inverse


def _scaler(stats: dict[str, Any], normalise: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean and inverse deviation, with the floors of `views.scaled`."""
    if normalise == "none":
        return None
    var = np.asarray(stats["var"])
    std = np.sqrt(var) + 1e-3 if normalise == "dataset" else np.sqrt(var + 1e-8)
    return np.asarray(stats["mean"]), (1.0 / std).astype(np.float32)


def _policy(net: Any) -> tuple[Function, Moments | None]:
    """The mean (or action) of a policy network, and where it has one its mean and log-std."""
    if isinstance(net, DeterministicPolicy):
        trunk, head = _trunk(net.trunk), _linear(net.head)
        return lambda x: np.tanh(head(trunk(x))), None
    if isinstance(net, GaussianPolicy):
        return _gaussian(net)
    if isinstance(net, PolicyEnsemble):
        return _matched(net)
    raise RecipeError(
        f"A policy of type {type(net).__name__} has no form in NumPy: act through the run's own "
        "evaluation instead."
    )


def _gaussian(net: GaussianPolicy) -> tuple[Function, Moments]:
    trunk, head = _trunk(net.trunk), _linear(net.mean)
    spread: Any = net.spread
    raw = _linear(spread) if hasattr(spread, "weight") else None
    low, high = net.log_std_range

    def centre(features: np.ndarray) -> np.ndarray:
        return np.tanh(head(features)) if net.bounded_mean else head(features)

    def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        features = trunk(x)
        mean = centre(features)
        u = raw(features) if raw is not None else np.broadcast_to(spread, mean.shape)
        if net.affine is not None:
            u = net.affine[0] * u + net.affine[1]
        if net.std == "tanh":
            return mean, low + 0.5 * (high - low) * (1.0 + np.tanh(u))
        if net.std == "uniform_sigmoid":
            return mean, low + (high - low) * _sigmoid(u)
        return mean, np.clip(u, low, high)

    return lambda x: centre(trunk(x)), moments


def _matched(net: PolicyEnsemble) -> tuple[Function, Moments]:
    """Several policies as one Gaussian with their moments (see `equations.ensemble`)."""
    count = len(net.members.mean.weight)
    members = [_gaussian(jax.tree.map(lambda x, i=i: x[i], net.members)) for i in range(count)]

    def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        means, log_stds = (np.stack(each) for each in zip(*(m(x) for _, m in members), strict=True))
        centre = means.mean(axis=0)
        second = np.mean(np.exp(2.0 * log_stds) + means**2, axis=0)
        log_std = 0.5 * np.log(np.maximum(second - centre**2, 1e-20))
        return centre, np.clip(log_std, -20.0, 2.0)

    return lambda x: np.mean([mean(x) for mean, _ in members], axis=0), moments


def _trunk(net: Any) -> Function:
    if isinstance(net, MLP):
        layers: list[Function] = []
        for i, layer in enumerate((net.first, *net.layers)):
            layers.append(_linear(layer))
            if i < len(net.norms):
                layers.append(_norm(net.norms[i]))
            layers.append(_ACTIVATIONS[net.activations[i]])
        return _chain(layers)
    if isinstance(net, SimBa):
        return _chain([_linear(net.first), *map(_block, net.blocks), _norm(net.norm)])
    raise RecipeError(
        f"A trunk of type {type(net).__name__} has no form in NumPy: act through the run's own "
        "evaluation instead."
    )


def _chain(layers: list[Function]) -> Function:
    def run(x: np.ndarray) -> np.ndarray:
        for layer in layers:
            x = layer(x)
        return x

    return run


def _block(block: Any) -> Function:
    inner = _chain(
        [_norm(block.norm), _linear(block.up), _ACTIVATIONS["relu"], _linear(block.down)]
    )
    return lambda x: x + inner(x)


def _linear(layer: Any) -> Function:
    weight, bias = np.ascontiguousarray(layer.weight), np.asarray(layer.bias)
    return lambda x: x @ weight + bias


def _norm(layer: Any) -> Function:
    scale, offset, eps = np.asarray(layer.scale), np.asarray(layer.offset), np.float32(layer.eps)

    def norm(x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        variance = (centred * centred).mean(-1, keepdims=True)
        return centred / np.sqrt(variance + eps) * scale + offset

    return norm


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * x))
