"""Slow copies."""

from __future__ import annotations

import jax

from warmstart.equations.bellman import polyak
from warmstart.state import State


def follow(name: str, state: State, tau: float) -> State:
    """One Polyak step of the slow copy of a network towards it."""
    slow = jax.tree.map(lambda t, o: polyak(t, o, tau), state.targets[name], state.nets[name])
    return state.replace(targets={**state.targets, name: slow})
