"""What a part finds missing beside it. A part with `check(learner)` is asked before anything runs.

Each function raises RecipeError, with the change that fixes it, where `learner` lacks something.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from warmstart.errors import RecipeError


@runtime_checkable
class Checks(Protocol):
    """A part that does not fit beside everything."""

    def check(self, learner: Any) -> None:
        """Raise RecipeError where this part cannot work in `learner`; see `needs`."""
        ...


def need_density(learner: Any, what: str) -> None:
    """`what` reads log-densities of the policy."""
    if not learner.policy.has_density:
        kind = learner.policy.distribution
        if not hasattr(learner.policy, "kind"):
            raise RecipeError(
                f"{what} needs a policy with a density, and this one is {kind} and has none; take "
                "pretrain and finetune from the same method"
            )
        raise RecipeError(
            f"{what} needs a stochastic policy, and this one is {kind}; "
            "set learner.policy.kind=gaussian"
        )


def need_value(learner: Any, part: str, fix: str = "Expectile") -> None:
    """`part` reads one state value V(s), fitted as `fix` does."""
    if learner.value is None:
        raise RecipeError(
            f"{part} needs a state value, and this learner has none; "
            f"set learner.value=ValueSpec and learner.value_fit={fix}"
        )
    if learner.value.members:
        raise RecipeError(
            f"{part} needs one state value, and this one is an ensemble of "
            f"{learner.value.members} baselines; set learner.value.members=0"
        )


def need_members(learner: Any, part: str, subset: int | None) -> None:
    """`part` draws `subset` of the critics (None: it takes all)."""
    members = getattr(learner.critic, "members", None)
    if subset is not None and members is not None and subset > members:
        raise RecipeError(
            f"{part}.subset={subset} draws from an ensemble of {members} critics; in its place set "
            f"learner.{part}.subset={members}, or learner.critic.members={subset}"
        )


def need_baselines(learner: Any, part: str) -> None:
    """`part` fits an ensemble of baselines Z_i(s), where no other part reads one state value."""
    for other in (learner.improvement, learner.backup):
        if getattr(other, "reads_value", False):
            raise RecipeError(
                f"{part} fits an ensemble of baselines, and {type(other).__name__} reads one state "
                "value; set learner.value_fit=Expectile"
            )
    if not learner.value.members:
        raise RecipeError(
            f"{part} fits an ensemble of baselines, and this value is one network; "
            f"set learner.value.members={learner.critic.members if learner.critic else 2}"
        )
