"""`warmstart check`: the laws of a method of the user's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from warmstart import api
from warmstart.api import laws
from warmstart.errors import RecipeError
from warmstart.methods import METHODS

LISTED = '''"""A part that holds numbers by number, which come back by word."""

from dataclasses import dataclass, field
from typing import Any

from warmstart.methods import td3_bc
from warmstart.parts import BehaviourCloning
from warmstart.values import register


@register
@dataclass(frozen=True)
class Listed(BehaviourCloning):
    numbers: Any = field(default_factory=lambda: {1: 2})


def recipe(preset="paper"):
    return td3_bc.recipe("quick").with_("finetune.learner.constraint", Listed())
'''


def _line(**values: Any) -> dict[str, Any]:
    return {
        "kind": "train", "seed": 0, "phase": "online", "stage": 0, "updates": 4, "env_steps": 8,
        "wall": 1.0, "values": values,
    }  # fmt: skip


def test_a_part_that_changes_on_the_way_through_json_is_found(tmp_path: Path) -> None:
    (tmp_path / "listed.py").write_text(LISTED)
    law = next(api.check(str(tmp_path / "listed.py")))
    assert "JSON" in law.name and not law.holds
    assert next(api.check("td3_bc", preset="quick")).holds


def test_a_part_that_holds_a_list_is_refused_with_what_to_hold_instead(tmp_path: Path) -> None:
    text = LISTED.replace("numbers: Any", "numbers: list").replace("{1: 2}", "[1, 2]")
    text = text.replace("Listed", "Lined")
    (tmp_path / "listed.py").write_text(text)
    with pytest.raises(RecipeError, match=r"numbers cannot be \[1, 2\]; give a tuple"):
        api.check(str(tmp_path / "listed.py")).__next__()


def test_a_number_that_is_not_finite_is_found() -> None:
    assert laws._finite([_line(loss=1.0)]).holds
    found = laws._finite([_line(loss=1.0), _line(loss=None)])
    assert not found.holds and "loss is not finite at online update 4, seed 0" in found.seen


def test_lines_that_part_are_found() -> None:
    ours = [_line(loss=1.0), _line(loss=2.0)]
    assert laws._equal("", ours, [{**line, "wall": 9.0} for line in ours]).holds
    assert not laws._equal("", ours, ours[:1]).holds
    found = laws._equal("", ours, [ours[0], _line(loss=2.5)])
    assert not found.holds and "train line, online, update 4, step 8" in found.seen


@pytest.mark.parametrize("method", METHODS)
def test_every_method_can_be_made_small(method: str) -> None:
    recipe = laws._small(method, None).recipe
    assert recipe.finetune.steps == laws.STEPS and recipe.finetune.rhythm.every <= laws.BLOCK
    assert all(stage.updates == laws.UPDATES for stage in recipe.pretrain)


def test_no_such_method(refused: Callable[..., str]) -> None:
    assert "Did you mean 'wsrl'" in refused("check", "wsrrl")


@pytest.mark.laws
def test_a_method_of_the_table_passes(call: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = call("check", "td3_bc", "--preset", "quick", "--json")
    told = json.loads(out)
    assert code == 0 and told["method"] == "td3_bc"
    assert len(told["laws"]) == 4 and all(law["holds"] for law in told["laws"])
