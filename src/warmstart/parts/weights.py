"""How strongly a term counts: fixed, or learned so that a gap meets its target.

SAC's temperature, CQL's multiplier and a trust region's multiplier are one class: each moves
its weight w by gradient descent on -sign * w * stop_gradient(gap - target).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.errors import RecipeError
from warmstart.ranges import Count, Finite, Positive
from warmstart.state import Optimiser, Scalar, State, descend
from warmstart.types import Clock, Event
from warmstart.values import register

TEMPERATURE = "temperature"
"""The name under which a learned temperature stands in the state."""


class Weight(Protocol):
    """How strongly a term counts. A subclass, frozen and registered, writes `at`.

    One that is learned by descent subclasses `Learned`; one that follows what an update measured
    has `read` as well, see `ReadsMetrics`.
    """

    subscribes: ClassVar[tuple[Any, ...]] = ()

    def signals(self) -> dict[str, Any]:
        """What it remembers at the start, in `State.signals`: nothing."""
        return {}

    def observe(self, signals: dict[str, Any], event: Event) -> dict[str, Any]:
        """Its signals after something happened: as they were."""
        del event
        return signals

    @abstractmethod
    def at(self, state: State, name: str, clock: Clock) -> Array:
        """The weight [] now."""

    def step(self, state: State, name: str, gap: Array, dims: int) -> State:
        """The state after an update in which the term was `gap` [], `dims` is A: nothing moves."""
        del name, gap, dims
        return state


@runtime_checkable
class ReadsMetrics(Protocol):
    """A weight, or another part, that follows what an update measured."""

    def signals(self) -> dict[str, Any]:
        """What it remembers at the start, in `State.signals`, under names of its own."""
        ...

    def read(self, signals: dict[str, Any], metrics: dict[str, Array]) -> dict[str, Any]:
        """The signals after a step of the critics, or of the actor, that logged `metrics`.

        Called once after each, within the compiled update; both steps' names are those of the
        metrics file (`td_loss`, `q_mean`, `actor_loss`), so ask whether yours is there. One that
        never is is refused before anything is learnt (see `require_read`).
        """
        ...


def require_read(reader: ReadsMetrics, signals: Any, steps: Sequence[Any]) -> None:
    """Refuse (RecipeError) a reader that changes none of its signals after any of the steps.

    By shapes alone; `steps` are the metrics that each of them logs.
    """
    for metrics in steps:
        read = jax.make_jaxpr(lambda s, m: {**s, **reader.read(s, m)})(signals, metrics).jaxpr
        if read.outvars != read.invars[: len(read.outvars)]:
            return
    names = sorted({name for metrics in steps for name in metrics} - {"updates"})
    raise RecipeError(
        f"{type(reader).__name__}.read() changes nothing at any step, as if it knew none of the "
        f"metrics; read some of {', '.join(names)}"
    )


@register
@dataclass(frozen=True)
class Fixed(Weight):
    """A constant weight."""

    value: Finite = 1.0

    def at(self, state: State, name: str, clock: Clock) -> Array:
        """The weight."""
        del state, name, clock
        return jnp.asarray(self.value, jnp.float32)


@register
@dataclass(frozen=True)
class Learned(Weight):
    """A weight that rises while `sign * (gap - target)` is positive.

    Attributes:
        init: the weight's first value (not the raw parameter's).
        target: what the gap should be; times the action dimension where `per_dim`.
        sign: +1 for a multiplier on a constraint gap <= target, -1 for a temperature, whose gap
            is the entropy.
        form: w = exp(raw) or softplus(raw).
        scale: w is multiplied by it, and is kept inside `clip`.
        loss_on: "weight" descends on w itself, "log" on log w (as the released code of Cal-QL
            and REDQ does for the temperature).
    """

    init: Positive = 1.0
    target: Finite = 0.0
    per_dim: bool = False
    sign: Finite = 1.0
    form: Literal["exp", "softplus"] = "exp"
    scale: Finite = 1.0
    clip: tuple[Finite, Finite] = (0.0, 1e6)
    loss_on: Literal["weight", "log"] = "weight"
    optimiser: Optimiser = Optimiser()

    def start(self) -> Scalar:
        """The raw parameter that gives `init`."""
        w = jnp.asarray(self.init / self.scale, jnp.float32)
        raw = jnp.log(w) if self.form == "exp" else jnp.log(jnp.expm1(w))
        return Scalar(raw)

    def at(self, state: State, name: str, clock: Clock) -> Array:
        """The weight now, a constant for whoever multiplies by it."""
        del clock
        return jax.lax.stop_gradient(self._weight(state.nets[name]))

    def _weight(self, net: Scalar) -> Array:
        w = jnp.exp(net.raw) if self.form == "exp" else jax.nn.softplus(net.raw)
        return jnp.clip(self.scale * w, *self.clip)

    def step(self, state: State, name: str, gap: Array, dims: int) -> State:
        """One descent step of the weight, given the gap [] and the action dimension."""
        target = self.target * dims if self.per_dim else self.target
        excess = jax.lax.stop_gradient(gap - target)

        def loss(net: Scalar) -> tuple[Array, dict[str, Array]]:
            w = self._weight(net)
            w = w if self.loss_on == "weight" else jnp.log(w)
            return -self.sign * w * excess, {}

        return descend(name, state, loss, self.optimiser)[0]


@register
@dataclass(frozen=True)
class Scheduled(Weight):
    """A weight that goes from `start` to `end` over `updates` critic steps of its phase.

    "exponential" is w_k = start * (end / start)^(k / updates), "linear" the straight line; both
    stay at `end` after it.
    """

    start: Finite = 0.4
    end: Finite = 0.2
    updates: Count = 50_000
    form: Literal["exponential", "linear"] = "exponential"

    def at(self, state: State, name: str, clock: Clock) -> Array:
        """The weight now."""
        del state, name
        done = jnp.clip(clock.updates / self.updates, 0.0, 1.0)
        if self.form == "linear":
            return self.start + (self.end - self.start) * done
        return self.start * (self.end / self.start) ** done


def temperature(
    target: float = -1.0,
    init: float = 1.0,
    lr: float = 3e-4,
    form: Literal["exp", "softplus"] = "exp",
    loss_on: Literal["weight", "log"] = "weight",
) -> Learned:
    """SAC's entropy temperature with target entropy `target` times the action dimension.

    Haarnoja et al. 2018b, eq. 18.
    """
    return Learned(
        init=init,
        target=target,
        per_dim=True,
        sign=-1.0,
        form=form,
        loss_on=loss_on,
        clip=(0.0, 1e8),
        optimiser=Optimiser(lr=lr),
    )
