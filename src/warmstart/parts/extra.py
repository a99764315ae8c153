"""A network beside actor, critics and value, with a loss of its own."""

from __future__ import annotations

from typing import Any, Protocol

from jax import Array

from warmstart.state import Info, Optimiser, State, descend
from warmstart.types import Clock, Transition
from warmstart.views import View


class Extra(Protocol):
    """A frozen, registered dataclass that brings a network.

    The network stands in `state.nets` under `name`, crosses at the switch, and is saved and resumed
    like every other. Parts find it as `view.state.nets[name]`.
    """

    @property
    def name(self) -> str:
        """Its name in the state, none of "actor", "critic", "value" or of a weight."""
        ...

    @property
    def optimiser(self) -> Optimiser:
        """How it learns."""
        ...

    def build(self, key: Array, obs_dim: int, action_dim: int) -> Any:
        """A fresh network: a pytree of arrays with a call (an Equinox module)."""
        ...

    def loss(self, key: Array, view: View, net: Any, batch: Transition) -> tuple[Array, Info]:
        """The loss [] of `net` on rows [B], and what is to be logged.

        `net` stands in for the network in the state; only it gets a gradient.
        """
        ...


def descend_extra(
    extra: Extra, key: Array, clock: Clock, state: State, view: View, batch: Transition
) -> tuple[State, Info]:
    """One gradient step of an extra network."""
    return descend(
        extra.name, state, lambda net: extra.loss(key, view, net, batch), extra.optimiser, clock
    )
