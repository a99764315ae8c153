"""Floor 6: which part of a carry acting reads; only the rest is donated to learning."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from warmstart.engine.many import Many, Shape
from warmstart.engine.phases import Carry, Online
from warmstart.types import Clock, Step


class Parts:
    """Which leaves of a carry acting reads; the others are learning's alone."""

    def __init__(self, online: Online, carry: Many, memory: Any) -> None:
        self._tree, leaves = carry.shape.treedef, carry.leaves[0]
        self._shapes = [
            jax.ShapeDtypeStruct(x.shape[1:] if carry.batched else x.shape, x.dtype) for x in leaves
        ]
        places: Carry = self._tree.unflatten(list(range(len(leaves))))
        self._acting, self._acting_tree = jax.tree.flatten((places.state, places.diverged))
        self._reads = self._found(online, memory)
        self._keeps = [i for i in range(len(leaves)) if i not in set(self._reads)]
        self._shape = {n: Shape(jax.tree.structure([0] * n)) for n in range(len(leaves) + 1)}

    def _found(self, online: Online, memory: Any) -> list[int]:
        """Places of the leaves that the acting program does not leave unused."""

        def act(leaves: list[Any], key: Any, memory: Any, obs: Any) -> Any:
            state, bad = self._acting_tree.unflatten(leaves)
            zero = jnp.int32(0)
            step = Step(obs[None], jnp.zeros(1), jnp.ones(1))
            clock, view = Clock(zero, zero, zero), online.recipe.finetune.learner.view(state)
            shown = online.recipe.acting(key, clock, view, memory, step, "evaluate")
            return bad, shown, online.act(key, clock, state, memory, step)

        leaves = [self._shapes[i] for i in self._acting]
        obs = jax.ShapeDtypeStruct((online.spec.obs_dim,), jnp.float32)
        key = jax.ShapeDtypeStruct((2,), jnp.uint32)
        program = jax.make_jaxpr(act)(leaves, key, memory, obs).jaxpr
        needed = {v for v in program.outvars if not isinstance(v, Literal)}
        for step in reversed(program.eqns):
            if needed.intersection(step.outvars):
                needed.update(v for v in step.invars if not isinstance(v, Literal))
        return [i for i, v in zip(self._acting, program.invars, strict=False) if v in needed]

    def acting(self, read: list[Any]) -> tuple[Any, Any]:
        """The state as far as acting reads it, and the mark of divergence; zeros elsewhere."""
        known = dict(zip(self._reads, read, strict=True))
        shapes = {i: self._shapes[i] for i in self._acting if i not in known}
        known |= {i: jnp.zeros(s.shape, s.dtype) for i, s in shapes.items()}
        return self._acting_tree.unflatten([known[i] for i in self._acting])

    def join(self, kept: list[Any], read: list[Any]) -> Carry:
        """A carry of its two parts."""
        places = dict(zip([*self._keeps, *self._reads], [*kept, *read], strict=True))
        return self._tree.unflatten([places[i] for i in range(len(places))])

    def read(self, carry: Many) -> Many:
        """What acting reads of a carry."""
        return self._taken(carry, self._reads)

    def kept(self, carry: Many) -> Many:
        """What it does not."""
        return self._taken(carry, self._keeps)

    def diverged(self, carry: Many) -> bool:
        """Whether a loss of any seed was no finite number."""
        at = self._acting[-1]
        return any(np.asarray(own[at]).any() for own in carry.leaves)

    def _taken(self, carry: Many, places: list[int]) -> Many:
        leaves = [[own[i] for i in places] for own in carry.leaves]
        return Many(self._shape[len(places)], leaves, carry.batched)
