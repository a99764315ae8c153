"""The multilayer perceptron that most methods use as the trunk of every network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp

from warmstart.nets.linear import LayerNorm, Linear, layer_norm, linear
from warmstart.types import Array

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "elu": jax.nn.elu,
    "gelu": jax.nn.gelu,
    "swish": jax.nn.swish,
}


class MLP(eqx.Module):
    """Dense, LayerNorm (where there is one), activation, once for each hidden layer.

    The last hidden layer is normalised and activated too: the output are features for a linear
    head. `first` is apart from `layers` because a critic that judges many actions of one
    observation splits it (`EnsembleCritic.call_actions`) and goes on with `rest`.

    Attributes:
        first: [in, hidden[0]].
        layers: the hidden layers behind it.
        norms: none, one (the first layer's) or one for each hidden layer.
        activations: a name of `ACTIVATIONS` for each hidden layer.
    """

    first: Linear
    layers: tuple[Linear, ...]
    norms: tuple[LayerNorm, ...]
    activations: tuple[str, ...] = eqx.field(static=True)

    def __call__(self, x: Array) -> Array:
        """Inputs [..., in] to features [..., hidden[-1]]."""
        return self.rest(self.first(x))

    def rest(self, h: Array) -> Array:
        """Everything behind the first layer: `h` [..., hidden[0]] is its output."""
        h = self._activate(0, h)
        for index, layer in enumerate(self.layers, start=1):
            h = self._activate(index, layer(h))
        return h

    def _activate(self, index: int, h: Array) -> Array:
        if index < len(self.norms):
            h = self.norms[index](h)
        return ACTIVATIONS[self.activations[index]](h)


def mlp(
    key: Array,
    n_in: int,
    hidden: Sequence[int],
    *,
    activation: str = "relu",
    norm: bool | str = False,
    eps: float = 1e-6,
    init: str = "orthogonal",
    scale: float = 1.0,
    last_scale: float | None = None,
) -> MLP:
    """A fresh `MLP`.

    Args:
        key: random key.
        n_in: input size.
        hidden: size of each hidden layer, at least one.
        activation: a name of `ACTIVATIONS`.
        norm: True puts a LayerNorm behind every Dense; "first" only behind the first, followed by
            tanh there and by `activation` later (the nets of Acme's TD3, Hoffman et al. 2020).
        eps: the LayerNorm's epsilon.
        init: a name of `warmstart.nets.linear.INITS`.
        scale: factor (the gain of `orthogonal`) of the hidden weights.
        last_scale: that of the last hidden layer, where it differs.
    """
    scales = [scale] * len(hidden)
    if last_scale is not None:
        scales[-1] = last_scale
    sizes = [n_in, *hidden]
    keys = jax.random.split(key, len(hidden))
    layers = [
        linear(k, i, o, init, s)
        for k, i, o, s in zip(keys, sizes[:-1], sizes[1:], scales, strict=True)
    ]
    normed = hidden[:1] if norm == "first" else hidden if norm else ()
    activations = [activation] * len(hidden)
    if norm == "first":
        activations[0] = "tanh"
    return MLP(
        layers[0],
        tuple(layers[1:]),
        tuple(layer_norm(size, eps) for size in normed),
        tuple(activations),
    )
