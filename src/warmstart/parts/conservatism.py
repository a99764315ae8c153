"""What pushes the critic down where there is no data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, get_args

import jax
import jax.numpy as jnp
from jax import Array

from warmstart.equations.conservative import (
    below_bound,
    calibrate,
    soft_maximum,
    uniform_log_density,
)
from warmstart.errors import RecipeError, did_you_mean
from warmstart.parts.needs import need_density, need_members, need_value
from warmstart.parts.weights import Fixed, Weight
from warmstart.ranges import Count, Finite, Positive
from warmstart.state import key_for
from warmstart.types import Transition
from warmstart.values import register
from warmstart.views import View, draw_members

Proposal = Literal["uniform", "current", "next"]

WEIGHT = "conservatism"
"""The name under which a learned multiplier stands in the state."""


class Proposals(NamedTuple):
    """Actions at which the critic is pushed down, constants for its gradient."""

    action: Array  # [N, B, A]
    log_density: Array  # [N, B]
    members: Array | None  # [M] of the critics that are pushed; None for all


class Conservatism(Protocol):
    """What pushes the critics down at actions that the data do not have."""

    @property
    def weight(self) -> Weight:
        """How much the gap counts."""
        ...

    def propose(self, key: Array, view: View, batch: Transition) -> Proposals | None:
        """The actions to push down; None: the critics are ordinary ones."""
        ...


class Pushes(Conservatism, Protocol):
    """One that has a gap."""

    def bounded(self, view: View, batch: Transition) -> Transition:
        """The batch that `gap` sees."""
        ...

    def gap(
        self, q_data: Array, q: Array, proposals: Proposals, batch: Transition
    ) -> tuple[Array, dict[str, Array]]:
        """The mean gap [] from Q at the data [E, B] and at the proposals [E, N, B], and what else
        is to be logged."""
        ...


@register
@dataclass(frozen=True)
class NoConservatism:
    """The zero part: an ordinary critic."""

    weight: Fixed = Fixed(0.0)

    def propose(self, key: Array, view: View, batch: Transition) -> None:
        """Nothing to evaluate."""
        del key, view, batch


@register
@dataclass(frozen=True)
class CQL:
    """CQL(H) with importance sampling, and Cal-QL's calibration (Kumar et al. 2020, eq. 4).

    gap = E_s[ T log sum_j exp((Q(s, a_j) - log mu_j(a_j)) / T) ] - E_D[ Q(s, a) ]

    with `actions` proposals from each of the uniform distribution, pi(.|s) and pi(.|s'), all
    evaluated at s; the last carry their density at s', as every public code base has it.

    Attributes:
        importance: without it the log-densities are left out and the data action joins the list.
        calibrated: policy proposals are floored by a reference value (Cal-QL).
        reference: that value: the row's return-to-go ("returns"), or the learner's V(s) ("value"),
            which `ToReturns` fits to the returns of the data (Nakamoto et al. 2023, sec. 5.2).
        subset: push a random subset of an ensemble, drawn with replacement (released WSRL code).
        clip: bounds of each row's gap, or None.
        proposals: which distributions propose, in any order, `actions` each; with `calibrated` one
            of the policy's own must be among them.
        with_data: without importance sampling, whether the data action joins the list.
    """

    weight: Weight = Fixed(5.0)
    actions: Count = 10
    temperature: Positive = 1.0
    importance: bool = True
    calibrated: bool = False
    reference: Literal["returns", "value"] = "returns"
    subset: Count | None = None
    clip: tuple[Finite, Finite] | None = None
    proposals: tuple[Proposal, ...] = ("uniform", "current", "next")
    with_data: bool = True

    def __post_init__(self) -> None:
        known = get_args(Proposal)
        for name in self.proposals:
            if name not in known:
                raise RecipeError(
                    f"conservatism.proposals cannot be '{name}'. {did_you_mean(str(name), known)}"
                )
        twice = next((name for name in known if self.proposals.count(name) > 1), None)
        if twice is not None:
            raise RecipeError(
                f"conservatism.proposals names '{twice}' twice, and would draw the same actions "
                "twice; name each once, and set conservatism.actions for more of them"
            )
        if self.calibrated and self.proposals == ("uniform",):
            raise RecipeError(
                "conservatism.calibrated bounds the policy's proposals, and there are uniform ones "
                "alone; set learner.conservatism.proposals=uniform,current or "
                "learner.conservatism.calibrated=false"
            )
        if not self.proposals:
            raise RecipeError(
                "conservatism.proposals is empty, and nothing would be pushed down; name some of "
                f"{', '.join(known)}, or set learner.conservatism=NoConservatism"
            )

    def check(self, learner: Any) -> None:
        """Proposals have log-densities, a reference value a network, and a subset is of critics."""
        need_members(learner, "conservatism", self.subset)
        need_density(learner, "conservatism CQL")
        if self.calibrated and self.reference == "value":
            need_value(learner, "conservatism.reference=value", "ToReturns")

    def propose(self, key: Array, view: View, batch: Transition) -> Proposals:
        """The actions to push down, with their log-densities."""
        n, shape = self.actions, batch.action.shape
        drawn: list[tuple[Array, Array]] = []
        for name in self.proposals:
            k = key_for(key, name)
            if name == "uniform":
                flat = jnp.full((n, *shape[:-1]), uniform_log_density(shape[-1]))
                drawn.append((jax.random.uniform(k, (n, *shape), minval=-1.0, maxval=1.0), flat))
            else:
                where = batch.obs if name == "current" else batch.next_obs
                drawn.append(view.policy(where).sample_with_log_prob(k, (n,)))
        actions, densities = zip(*drawn, strict=True)
        return Proposals(
            action=jax.lax.stop_gradient(jnp.concatenate(actions)),
            log_density=jax.lax.stop_gradient(jnp.concatenate(densities)),
            members=draw_members(key_for(key, "members"), view.critic().members, self.subset, True),
        )

    @property
    def reads_returns(self) -> bool:
        """Whether the bound is the rows' return-to-go."""
        return self.calibrated and self.reference == "returns"

    def bounded(self, view: View, batch: Transition) -> Transition:
        """The batch with the reference value in the place of its return-to-go."""
        if not self.calibrated or self.reference == "returns":
            return batch
        return batch._replace(return_to_go=jax.lax.stop_gradient(view.value(batch.obs)))

    def gap(
        self, q_data: Array, q: Array, proposals: Proposals, batch: Transition
    ) -> tuple[Array, dict[str, Array]]:
        """The mean gap [] from Q at the data [E, B] and at the proposals [E, N, B]."""
        info = {}
        if self.calibrated:
            named = zip(self.proposals, jnp.split(q, len(self.proposals), axis=1), strict=True)
            blocks, on_policy = [], []
            for name, block in named:
                if name != "uniform":
                    on_policy.append(block)
                    block = calibrate(block, batch.return_to_go)
                blocks.append(block)
            on_policy = jnp.concatenate(on_policy, axis=1)
            info["bound_rate"] = below_bound(on_policy, batch.return_to_go)
            q = jnp.concatenate(blocks, axis=1)
        if self.importance:
            q = q - proposals.log_density
        elif self.with_data:
            q = jnp.concatenate([q, q_data[:, None]], axis=1)
        gap = soft_maximum(q, self.temperature, axis=1) - q_data
        if self.clip is not None:
            gap = jnp.clip(gap, *self.clip)
        gap = jnp.mean(gap)
        return gap, info
