"""What a pre-training says to type next is an online phase that its networks fit."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

import warmstart as ws
from warmstart.api import declare
from warmstart.api.behind import not_taken_over
from warmstart.api.declare import declare_finetune
from warmstart.api.in_words import crossing
from warmstart.commands.arguments import declared
from warmstart.commands.launch import online_of
from warmstart.commands.options import Finetune
from warmstart.commands.parse import parse
from warmstart.errors import RecipeError


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("wsrl", {"nets.hidden": "16,16", "pretrain.0.updates": "100"}),
        ("iql", {"nets.hidden": "24,24", "learner.normalise": "dataset"}),
        ("td3_bc", {}),
        ("sac", {"pretrain": "cql", "replay.warmup.by": "policy", "replay.warmup.steps": "9"}),
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


def test_a_number_of_the_pretraining_is_refused_behind_it() -> None:
    before = declare("wsrl", "jax-pointmass", preset="quick", changes={"bc_weight": "0"})
    for given in (
        {"bc_weight": "0.4"},
        {"bc_weight": "1"},  # the preset's, and not what was pre-trained with
        {"pretrain.0.learner.batch": "64"},
        {"pretrain": "iql"},
        {"pretrain_steps": "10"},
    ):
        (word,) = given
        with pytest.raises(RecipeError, match=f"{word}=.* of the pre-training alone.*'runs/pre'"):
            declare_finetune("wsrl", before, "runs/pre", changes=given)
    for given in ({"warmup": 10, "ratio": 2}, {"bc_weight": ".0"}, {"pretrain": "wsrl"}):
        declare_finetune("wsrl", before, "runs/pre", changes=given)
    longer = declare("wsrl", "jax-pointmass", preset="quick", pretrain_steps=1_000)
    for given in ({"pretrain_steps": "1_000"}, {"pretrain.0.updates": 1_000}):
        declare_finetune("wsrl", longer, "runs/pre", changes=given)
    # What declares the arm at all is no number of a pre-training that is done.
    needed = {"finetune": "iql", "acting": "pex", "pretrain": "iql"}
    iql = declare("iql", "jax-pointmass", preset="quick")
    declare_finetune("sac", iql, "runs/pre", preset="quick", changes=needed)
    cql = declare("cql", "jax-pointmass", preset="quick")
    freed = {"finetune": "sac", "bc_weight": 0.3}  # behind which nothing is held any more
    with pytest.raises(RecipeError, match=r"bc_weight=0\.3 is of the pre-training alone"):
        declare_finetune("cql", cql, "runs/pre", preset="quick", changes=freed)


def test_what_a_fine_tuning_does_not_take_over_is_said() -> None:
    """Cal-QL's bc_weight holds the actor online as well; its rate of cloning is of before alone."""
    before = declare(
        "cal_ql", "jax-pointmass", preset="quick", changes={"bc_weight": "0", "cloning": "20"}
    )

    def said(method: str, **numbers: Any) -> str | None:
        arm = declare_finetune(method, before, "runs/pre", preset="quick", **numbers)
        return not_taken_over(arm, before, "runs/pre")

    assert (words := said("cal_ql")) is not None
    assert "pre-trained with bc_weight=0," in words and words.endswith("--set bc_weight=0")
    assert said("cal_ql", bc_weight=0) is None
    assert said("cal_ql", bc_weight=0.4) is None  # as it was meant
    assert said("cql") is None
    same = declare("iql", "jax-pointmass", preset="quick", changes={"expectile": "0.9"})
    arm = declare_finetune("iql", same, "runs/pre", preset="quick")
    assert arm.recipe.finetune == same.recipe.finetune
    assert not_taken_over(arm, same, "runs/pre") is None
    other = declare("iql", "jax-pointmass", preset="quick", changes={"expectile": "0.8"})
    path = {"finetune.learner.value_fit.expectile": 0.7}
    arm = declare_finetune("iql", other, "runs/pre", preset="quick", changes=path)
    assert not_taken_over(arm, other, "runs/pre") is None
    warmed = declare("wsrl", "jax-pointmass", preset="quick", changes={"replay.warmup.steps": "77"})
    arm = declare_finetune("wsrl", warmed, "runs/pre", preset="quick")
    assert "--set replay.warmup.steps=77" in (not_taken_over(arm, warmed, "runs/pre") or "")


def test_finetune_says_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sizes = {"nets.hidden": "8,8", "finetune.learner.batch": "8", "replay.capacity": "100"}
    before = ws.pretrain(
        "iql", "jax-pointmass", name="pre", root=tmp_path, progress=False, preset="quick",
        schedule={"episodes": 1, "fixed_episodes": 1}, pretrain_steps=4,
        changes={**sizes, "expectile": "0.8"},
    )  # fmt: skip
    ws.finetune(
        "iql", before.folder, name="on", root=tmp_path, progress=False, changes=sizes, steps=8
    )
    assert "--set expectile=0.8" in caplog.text and "not the numbers" in caplog.text
