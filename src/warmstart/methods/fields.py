"""Fields that the Configs of several methods have, each with what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from warmstart.ranges import Count, Finite, NotNegative, Share, Whole
from warmstart.state import Normalise

PretrainSteps = Annotated[Count, "gradient steps of pre-training"]
Steps = Annotated[Whole, "environment steps of fine-tuning"]
Random = Annotated[Whole, "steps by uniform actions before the first update"]
Warmup = Annotated[Whole, "steps by the frozen pre-trained policy before the first update"]
OwnWarmup = Annotated[Whole, "steps by the learner as it stands before the first update"]
Chunk = Annotated[Count, "h, actions of a chunk"]
Every = Annotated[Count, "environment steps between two blocks of updates"]
Updates = Annotated[Whole, "critic updates of a block"]
Hidden = Annotated[tuple[Count, ...], "size of each hidden layer, in every network"]
CriticHidden = Annotated[tuple[Count, ...] | None, "the critics' hidden layers (none: as `hidden`)"]
Activation = Annotated[Literal["relu", "tanh", "elu", "gelu", "swish"], "between hidden layers"]
Init = Annotated[
    Literal[
        "orthogonal", "xavier_uniform", "he_normal", "lecun_normal", "torch", "uniform", "acme"
    ],
    "how hidden weights are drawn",
]
Members = Annotated[Count, "critics of the ensemble"]
Aggregate = Annotated[Literal["min", "mean", "first"], "what the actor climbs, of all critics"]
Subset = Annotated[Count | None, "critics of which a target takes the minimum (none: all)"]
Batch = Annotated[Count, "rows of a minibatch"]
Rate = Annotated[NotNegative, "learning rate"]
CriticRate = Annotated[Rate, "learning rate of the critics"]
Decay = Annotated[NotNegative, "weight decay"]
Tau = Annotated[Share, "how far slow copies move towards their networks at a step (Polyak)"]
Normalised = Annotated[Normalise, "how observations are scaled"]
Std = Annotated[
    Literal["exp", "tanh", "uniform", "uniform_sigmoid"], "where the policy's deviation is from"
]
LogStd = Annotated[tuple[Finite, Finite], "bounds of the policy's log standard deviation"]
Online = Annotated[Share, "share of dataset rows in an online batch"]


@dataclass(frozen=True)
class Phases:
    """How long the two phases are; the defaults are those of most papers."""

    pretrain_steps: PretrainSteps = 1_000_000
    steps: Steps = 1_000_000


@dataclass(frozen=True)
class Common:
    """What nearly every update has."""

    lr: Rate = 3e-4
    batch: Batch = 256
    tau: Tau = 0.005


@dataclass(frozen=True)
class Flow(Common):
    """Of a policy that is a flow, and of the networks beside it; as in FQL's released code."""

    hidden: Hidden = (512, 512, 512, 512)
    flow_steps: Annotated[Count, "Euler steps of the flow"] = 10


@dataclass(frozen=True)
class Pessimistic:
    """Of an ensemble of critics, and of how far below its mean a target stands."""

    members: Members = 2
    pessimism: Annotated[
        NotNegative | None, "deviations below the critics' mean at s' (none: the minimum)"
    ] = 0.0


__all__ = [
    "Activation",
    "Aggregate",
    "Batch",
    "Chunk",
    "Common",
    "CriticHidden",
    "CriticRate",
    "Decay",
    "Every",
    "Flow",
    "Hidden",
    "Init",
    "LogStd",
    "Members",
    "Normalised",
    "Online",
    "OwnWarmup",
    "Pessimistic",
    "Phases",
    "PretrainSteps",
    "Random",
    "Rate",
    "Std",
    "Steps",
    "Subset",
    "Tau",
    "Updates",
    "Warmup",
]
