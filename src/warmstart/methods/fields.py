"""Fields that the Configs of several methods have, each with what it means."""

from __future__ import annotations

from typing import Annotated, Literal

from warmstart.ranges import Count, Finite, NotNegative, Share, Whole
from warmstart.state import Normalise

PretrainSteps = Annotated[Count, "gradient steps of pre-training"]
Steps = Annotated[Whole, "environment steps of fine-tuning"]
Random = Annotated[Whole, "steps by uniform actions before the first update"]
Warmup = Annotated[Whole, "steps by the frozen pre-trained policy before the first update"]
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
Subset = Annotated[Count | None, "critics of which a target takes the minimum (none: all)"]
Batch = Annotated[Count, "rows of a minibatch"]
Rate = Annotated[NotNegative, "learning rate"]
Decay = Annotated[NotNegative, "weight decay"]
Tau = Annotated[Share, "how far slow copies move towards their networks at a step (Polyak)"]
Normalised = Annotated[Normalise, "how observations are scaled"]
Std = Annotated[
    Literal["exp", "tanh", "uniform", "uniform_sigmoid"], "where the policy's deviation is from"
]
LogStd = Annotated[tuple[Finite, Finite], "bounds of the policy's log standard deviation"]
Online = Annotated[Share, "share of dataset rows in an online batch"]

__all__ = [
    "Activation",
    "Batch",
    "CriticHidden",
    "Decay",
    "Every",
    "Hidden",
    "Init",
    "LogStd",
    "Members",
    "Normalised",
    "Online",
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
