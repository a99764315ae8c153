"""A method from the user's own file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from warmstart.api import declare
from warmstart.api.declare import Declared
from warmstart.api.own import find_method, short_name

MINE = '''"""Mine: TD3-BC with a heavier constraint.

pretrain   TD3-BC
handover   everything is kept
replay     the dataset stands in the buffer
acting     with noise
finetune   the same
"""

from dataclasses import dataclass

from warmstart.methods import td3_bc
from warmstart.parts import BehaviourCloning, Fixed
from warmstart.values import register

PRESETS = {"paper": {}, "light": {}}


@register
@dataclass(frozen=True)
class Heavier(BehaviourCloning):
    """A part of our own."""


def recipe(preset="paper"):
    given = td3_bc.recipe("quick" if preset == "light" else "paper")
    return given.with_("finetune.learner.constraint", Heavier(Fixed(1.0)))


def fails():
    return 1 / 0


def nothing():
    return None
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests: a part may be registered from one file only."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine.py").write_text(MINE)
    (folder / "broken.py").write_text("x = 1\ndef recipe(:\n")
    (folder / "wrong.py").write_text("x = 1\n\ny = z\n")
    return folder


@pytest.fixture
def mine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of a good file, in the working directory."""
    monkeypatch.chdir(folder)
    return str(folder / "mine.py")


def test_it_is_declared_written_and_read_back(mine: str) -> None:
    first = declare("mine.py", "jax-pointmass", preset="light", steps=3)
    facts = first.to_json()
    assert facts["method"] == "mine" and first.method == f"{mine}:recipe"
    assert facts["describe"][0] == ["pretrain", "TD3-BC (here: 10,000 updates)"]
    assert Declared.from_json(facts) == first
    assert type(first.recipe.finetune.learner.constraint).__name__ == "Heavier"
    assert short_name(first.method) == "mine"


def test_show_explains_it(mine: str, call: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = call("show", "mine.py:recipe", "--preset", "light")
    assert code == 0 and "heavier constraint" in out and "finetune.steps" in out


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ("none.py:recipe", "no file"),
        ("mine.py:recip", "Did you mean 'recipe'?"),
        ("mine.py:fails", "ZeroDivisionError"),
        ("mine.py:nothing", "NoneType"),
        ("broken.py:recipe", "line 2: SyntaxError"),
        ("wrong.py:recipe", "line 3: NameError"),
    ],
)
def test_a_file_that_does_not_work_says_why(
    mine: str, method: str, says: str, refused: Callable[..., str]
) -> None:
    assert says in refused("run", method, "jax-pointmass")


def test_families_are_the_files(mine: str, refused: Callable[..., str]) -> None:
    assert list(find_method(mine).PRESETS) == ["paper", "light"]
    assert "'light'" in refused("run", "mine.py", "jax-pointmass", "--preset", "lite")
