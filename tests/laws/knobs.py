"""Which field of a recipe changes which program: the search for dead knobs."""

from __future__ import annotations

import contextlib
import itertools
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from jax.interpreters.partial_eval import dce_jaxpr
from tiny import problem

from warmstart import values
from warmstart.api.extend import anneals
from warmstart.engine.carry import Carries, budget_of, preloaded
from warmstart.engine.episodes import Ended
from warmstart.engine.online import observe
from warmstart.engine.phases import Block, Carry, Learning, Observed, Owed
from warmstart.engine.position import Position
from warmstart.engine.seeds import Seeds, keys_of
from warmstart.engine.setup import Setup
from warmstart.engine.stepper import Due, Stepper
from warmstart.equations.endings import ENDINGS
from warmstart.errors import RecipeError
from warmstart.nets.linear import INITS
from warmstart.nets.mlp import ACTIVATIONS
from warmstart.nets.policies import STDS
from warmstart.parts import AlignedBaseline, Expectile, ToReturns
from warmstart.recipe import Recipe
from warmstart.replay import Stores, empty_ring
from warmstart.state import Optimiser
from warmstart.types import Clock, Evaluated, Step
from warmstart.values import register


@register
@dataclass(frozen=True)
class Echo:
    """One number that learns the mean reward."""

    optimiser: Optimiser = Optimiser()
    name: str = "echo"

    def build(self, key: Any, obs_dim: int, action_dim: int) -> Any:
        return jnp.zeros(())

    def loss(self, key: Any, view: Any, net: Any, batch: Any) -> Any:
        return jnp.mean((net - batch.reward) ** 2), {}


WORDS = {
    "extras": ((Echo(),),),
    "value_fit": (Expectile(), ToReturns(), AlignedBaseline()),
    "init": tuple(INITS),
    "head_init": tuple(INITS),
    "activation": tuple(ACTIVATIONS),
    "std": STDS,
    "layer_norm": (True, "first"),
    "subset": (2, 1),
    "end": (0.25,),
    "share": (0.25, 0.5),  # of 4 rows; less than one of them is refused
    "minibatches": (1, 2, 4),
    "updates": (2, 4, 8),
    "last_hidden_scale": (0.3,),
    "head_scale": (0.3,),
    "log_std_affine": ((0.5, -1.5),),
    "log_std_range": ((-7.0, 1.5),),
    "capacity": (5,),
    "steps": (9,),
    "kind": ("simba", "mlp", "deterministic", "gaussian"),
    "ends": ("goal", *ENDINGS),
    "proposals": (("uniform",), ("uniform", "current")),
}


BESIDE = (
    (r"^finetune.*\.minibatches$", "finetune.rhythm.updates", 4),
    (r"^replay\.source\.share$", "replay.preload.kind", "none"),
    (r"\.backup\.penalty$", "replay.preload.kind", "all"),
)
"""(path, another, what that has): without it hardly another value of a field would be legal."""


def others(recipe: Recipe, path: str, value: Any) -> Iterator[tuple[Recipe, Recipe]]:
    """Pairs of recipes that differ in one field alone: as it is, and with another value."""
    parent, _, name = path.rpartition(".")
    holder = values.get(recipe, parent) if parent else recipe
    hint = typing.get_type_hints(type(holder)).get(name)
    words = typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()
    candidates: list[Any] = [*words, *WORDS.get(name, ())]
    if isinstance(value, bool):
        candidates.append(not value)
    elif isinstance(value, int):
        candidates += [value + 1, value + 4, max(value - 1, 1)]
    elif isinstance(value, float):
        candidates += [value * 0.5 + 0.07]
    elif isinstance(value, tuple) and value and isinstance(value[0], str):
        candidates += [tuple(v for v in value if v != gone) for gone in value]
    elif isinstance(value, tuple):
        candidates.append(tuple(v + 1 for v in value))
    elif value is None and (parts := [h for h in typing.get_args(hint) if is_dataclass(h)]):
        candidates += [part() for part in parts if isinstance(part, type)]
    elif value is None:
        candidates += [(-1.0, 1.0)] if "tuple" in str(hint) else [1, 0.5]
    for pattern, beside, has in BESIDE:
        if re.search(pattern, path) and values.get(recipe, beside) != has:
            with contextlib.suppress(RecipeError):  # where it is legal as it is
                recipe = recipe.with_(beside, has)
    for candidate in candidates:
        if candidate == value and type(candidate) is type(value):
            continue
        try:
            yield recipe, recipe.with_(path, candidate)
        except RecipeError:
            continue


def _traced(program: Any, *args: Any) -> tuple[Any, str]:
    """The shapes that a program gives, and its text, without what nobody reads.

    Operations are compared before they are lowered, which is half of the time.
    """
    traced = jax.jit(program).trace(*args)
    closed = traced.jaxpr
    used, _ = dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars))
    consts = [(np.shape(c), np.asarray(c).tobytes()) for c in closed.consts]
    return traced.out_info, f"{_written(used)} {consts}"


def _written(jaxpr: Jaxpr) -> str:
    """The operations of a program, its variables numbered in their order.

    JAX's own text says once what several calls share, and what is shared is a matter of its
    caches: two traces of one program can read differently.
    """
    numbers: dict[Any, int] = {}

    def atom(x: Any) -> str:
        if isinstance(x, Literal):
            return f"{np.asarray(x.val).tobytes()}:{x.aval}"
        return f"{numbers.setdefault(x, len(numbers))}:{x.aval}"

    def plain(x: Any) -> str:
        if isinstance(x, ClosedJaxpr):
            return f"{_written(x.jaxpr)}{[np.asarray(c).tobytes() for c in x.consts]}"
        if isinstance(x, Jaxpr):
            return _written(x)
        if isinstance(x, tuple | list):
            return f"({','.join(map(plain, x))})"
        return "" if callable(x) else re.sub(r"0x[0-9a-f]+", "", str(x))

    lines = [f"{[*map(atom, jaxpr.constvars)]}{[*map(atom, jaxpr.invars)]}"]
    for eqn in jaxpr.eqns:
        given = ",".join(f"{name}={plain(x)}" for name, x in eqn.params.items())
        outs, ins = [*map(atom, eqn.outvars)], [*map(atom, eqn.invars)]
        lines.append(f"{outs} {eqn.primitive}[{given}] {ins}")
    return "\n".join([*lines, f"{[*map(atom, jaxpr.outvars)]}"])


KEY, CLOCK = jax.random.PRNGKey(0), Clock(*(jnp.int32(i) for i in (1, 2, 3)))


def programs(recipe: Recipe) -> Iterator[str]:
    """All that a recipe decides: host numbers, then each program's text, cheapest first."""
    world, seeds = problem(recipe), Seeds(1)
    carries = Carries(recipe, world, seeds)
    layout = carries.layout
    yield repr([(s.updates // s.learner.minibatches) for s in recipe.pretrain])
    yield repr((recipe.finetune.steps, budget_of(recipe) if anneals(recipe) else None))
    yield _owed(recipe, world, seeds)
    rows = preloaded(recipe, layout, world.rows)
    yield repr((len(rows), rows.tobytes()))
    yield repr(carries.ring().get(lambda ring: ring.rows.shape).items)
    yield repr((recipe.needs_dataset,))
    dataset = jnp.zeros((5, layout.width))
    stores = Stores(dataset, empty_ring(6, layout.width))
    for stage in range(len(recipe.pretrain)):
        yield from _stage(carries, Position("pretrain", stage), stores)
    at, block = Position("online"), carries.online.block
    if recipe.pretrain:
        before = carries.fresh(Position("pretrain", len(recipe.pretrain) - 1))
        before = jax.eval_shape(before, KEY, dataset)
        state, text = _traced(carries.crossing(at), KEY, before)
    else:
        state, text = _traced(carries.fresh(at), KEY, dataset)
    yield text
    sums, text = _update(block, state)
    yield text
    source, text = _remembered(block, stores)
    yield text
    ring, memory = jax.eval_shape(lambda: stores.ring), recipe.acting.init(1, world.spec)
    carry = Carry(state, ring, source, sums, jnp.int32(0))
    seen = Observed(jnp.zeros(layout.width), *(jnp.float32(0),) * 4)
    owed = Owed(*(jnp.int32(1),) * 2)
    yield _traced(carries.online.learn, KEY, carry, dataset, seen, CLOCK, owed)[1]
    step = Step(jnp.zeros((1, layout.obs_dim)), jnp.zeros(1), jnp.zeros(1))
    yield _traced(carries.online.act, KEY, CLOCK, state, memory, step)[1]

    def evaluated(key: Any, state: Any, memory: Any) -> Any:
        view = recipe.finetune.learner.view(state)
        return recipe.acting(key, CLOCK, view, memory, step, "evaluate")

    yield _traced(evaluated, KEY, state, memory)[1]
    event = Evaluated(*(jnp.float32(x) for x in (0.5, 3, 1)))
    yield _traced(
        lambda state, event: observe(recipe.finetune.learner, recipe.acting, state, event),
        state,
        event,
    )[1]


_STAGES: dict[str, tuple[str, ...]] = {}


def _stage(carries: Carries, at: Position, stores: Stores) -> Iterator[str]:
    """The programs of a stage of pre-training.

    The answers behind it have no say in them, so that a change of those traces nothing again.
    """
    stages = repr(carries.recipe.pretrain[: at.stage + 1])  # text, because 1 == 1.0 == True
    if stages not in _STAGES:
        texts, block = [], carries.block(at)
        state, text = _traced(carries.fresh(at), KEY, stores.dataset)
        texts.append(text)
        yield text
        sums, text = _update(block, state)
        texts.append(text)
        yield text
        source, text = _remembered(block, stores)
        texts.append(text)
        yield text
        learning = Learning(state, source, sums, jnp.int32(0))
        _, text = _traced(block.learn, KEY, CLOCK, learning, stores, jnp.int32(4))
        yield text
        while len(_STAGES) >= 4:
            del _STAGES[next(iter(_STAGES))]
        _STAGES[stages] = (*texts, text)
    else:
        yield from _STAGES[stages]


def _update(block: Block, state: Any) -> tuple[Any, str]:
    """Metric sums, and the program of one update of a learner, on rows of its source's shape."""
    learner = block.learner
    axes = block.source.axes(learner.minibatches, learner.batch)
    batch = block.drawn.unpack(jnp.zeros((*axes, block.drawn.width)))
    (_, metrics), text = _traced(learner.update, KEY, CLOCK, state, batch)
    return metrics, text


def _remembered(block: Block, stores: Stores) -> tuple[Any, str]:
    """What a source remembers at the start, and the program that makes it."""

    def init(key: Any, stores: Stores) -> Any:
        return block.source.init(key, stores, block.layout)

    return _traced(init, KEY, stores)


def _owed(recipe: Recipe, world: Any, seeds: Seeds) -> str:
    """What the rhythm owes on a made-up way of steps and episodes."""
    at = Position.start(1, "online")
    setup = Setup(recipe, world, [0], seeds, seeds.place(keys_of([0])))
    stepper = Stepper(setup, None, at)
    for step in range(1, 3 * max(recipe.finetune.rhythm.every, 1) + 12):
        stepper.observed([] if step % 5 else [Ended(0, 0.0, 5, False, 0.0)])
    return repr([due.updates[0] for due in stepper.due if isinstance(due, Due)])


def alive(recipe: Recipe, path: str, value: Any) -> bool:
    """Whether some other value of a field changes something."""
    for base, other in others(recipe, path, value):
        try:
            ours = _kept(recipe) if base is recipe else programs(base)
            pairs = itertools.zip_longest(ours, programs(other))
            if any(one != another for one, another in pairs):
                return True
        except RecipeError:
            return True  # refused at the handover: it is looked at
    return False


_KEPT: dict[Recipe, list[str]] = {}


def _kept(recipe: Recipe) -> list[str]:
    if recipe not in _KEPT:
        _KEPT[recipe] = list(programs(recipe))
    return _KEPT[recipe]
