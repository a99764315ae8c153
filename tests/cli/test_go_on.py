"""What a pre-training says to type next is an online phase that its networks fit."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from warmstart.api import declare
from warmstart.api.declare import declare_finetune
from warmstart.api.in_words import crossing
from warmstart.commands.arguments import declared
from warmstart.commands.launch import online_of
from warmstart.commands.options import Finetune
from warmstart.commands.parse import parse


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("wsrl", {"nets.hidden": "16,16", "pretrain.0.updates": "100"}),
        ("iql", {"nets.hidden": "24,24", "learner.normalise": "dataset"}),
        ("td3_bc", {}),
    ],
)
def test_the_online_phase_has_the_networks_of_its_pretraining(
    method: str, changes: dict[str, Any]
) -> None:
    before = declare(method, "jax-pointmass", preset="quick", changes=changes)
    given = parse(shlex.split(online_of(before, "runs/my pre"))[1:])
    assert isinstance(given, Finetune) and str(given.source) == "runs/my pre"
    arm = declare_finetune(given.method, before, str(given.source), **_said(given))
    crossing(arm.recipe)  # or else: what cannot cross
    assert arm.recipe.finetune.learner == before.recipe.finetune.learner


def _said(given: Finetune) -> dict[str, Any]:
    return {k: v for k, v in declared(given).items() if k in ("changes", "steps")}
