"""Code of the user's own in a recipe, tried by shapes before anything is learnt.

What acts and learns online is compiled behind the pre-training, and a mistake in it would show
itself hours later. Recipes of the package's own parts alone are not tried: tests do that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp

from warmstart.engine.carry import Carries
from warmstart.engine.position import Position
from warmstart.engine.shared import key_of
from warmstart.errors import RecipeError, WarmstartError, where
from warmstart.learners import unwrapped
from warmstart.parts.weights import require_read
from warmstart.types import Clock, Step


def require_traceable(carries: Carries) -> None:
    """Refuse (RecipeError) a recipe whose own parts cannot be compiled, in any of its phases."""
    recipe = carries.recipe
    if key_of(recipe) is not None:
        return
    key, state = jax.ShapeDtypeStruct((2,), jnp.uint32), None
    rows = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), carries.dataset)
    stages = [Position("pretrain", i) for i in range(len(recipe.pretrain))]
    for at in (*stages, Position("online")):
        phase = "finetune" if at.phase == "online" else f"pretrain.{at.stage}"
        with _named(f"the first state of {phase}"):
            if state is None:
                state = jax.eval_shape(carries.fresh(at), key, rows)
            else:
                state = jax.eval_shape(carries.crossing(at), key, state)
        with _named(f"a batch of {phase}"):
            carries.block(at).check_rows(state, rows)
        with _named(f"an update of {phase}"):
            after, metrics = jax.eval_shape(carries.block(at).tried, state)
            _require_same(state, after, phase)
        for reader in getattr(unwrapped(carries.learner(at)), "readers", ()):
            with _named(f"{type(reader).__name__}.read()"):
                require_read(reader, state.signals, list(metrics.values()))
    with _named("acting"):
        jax.eval_shape(lambda key, state: _acts(carries, key, state), key, state)


def _acts(carries: Carries, key: Any, state: Any) -> Any:
    """Both ways in which the rule acts."""
    spec, zero = carries.problem.spec, jnp.int32(0)
    rule, view = carries.recipe.acting, carries.recipe.finetune.learner.view(state)
    step = Step(jnp.zeros((1, spec.obs_dim)), jnp.zeros(1), jnp.ones(1))
    clock, memory = Clock(zero, zero, zero), rule.init(1, spec)
    shown = rule(key, clock, view, memory, step, "evaluate")
    return shown, carries.online.act(key, clock, state, memory, step)


@contextmanager
def _named(what: str) -> Iterator[None]:
    """What fails, and where, in one sentence."""
    try:
        yield
    except WarmstartError:
        raise
    except Exception as error:
        raise RecipeError(
            f"{what} cannot be compiled ({where(error)}), which shapes alone tell before anything "
            "is learnt; mend it there"
        ) from error


def _require_same(before: Any, after: Any, phase: str) -> None:
    """Refuse (RecipeError) an update that gives a state of another form back."""
    was, now = (
        {jax.tree_util.keystr(path): (leaf.shape, str(leaf.dtype)) for path, leaf in leaves}
        for leaves in map(jax.tree_util.tree_leaves_with_path, (before, after))
    )
    for path in (*was, *now):
        if was.get(path) != now.get(path):
            raise RecipeError(
                f"an update of {phase} changes the form of the state: state{path} was "
                f"{was.get(path, 'absent')} and is {now.get(path, 'absent')} behind it; give back "
                "what came in, in the same shape and type"
            )
