"""The method of docs/methods/add-your-own.md, as its reader would save and run it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from warmstart.cli import main
from warmstart.runs.records import read

PAGE = (Path(__file__).parents[1] / "docs" / "methods" / "add-your-own.md").read_text()
LOOK = ["--preset", "quick", "--episodes", "1", "--fixed-episodes", "1", "--steps", "40"]


def _small(stage: str) -> list[str]:
    paths = (f"{stage}.learner.{net}.net.hidden=8" for net in ("policy", "critic"))
    return [word for path in paths for word in ("--set", path)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the page's code in it and a first run of it."""
    folder = tmp_path_factory.mktemp("own")
    code = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
    assert len(code) == 1 and len(code[0].splitlines()) < 50
    (folder / "my_method.py").write_text(code[0])
    with pytest.MonkeyPatch.context() as here:
        here.chdir(folder)
        here.setenv("WARMSTART_DATA", str(folder / "made"))
        words = ["run", "my_method.py:recipe", "jax-pointmass", *LOOK, "--pretrain-steps", "20"]
        assert main([*words, *_small("pretrain.0"), *_small("finetune"), "--name", "first"]) == 0
        yield folder


def _online(run: Path) -> dict[str, float]:
    return [line for line in read(run) if line["kind"] == "train"][-1]["values"]


def test_the_pages_method_clones_where_the_critics_say_so(folder: Path) -> None:
    found = _online(folder / "runs" / "first")
    assert 0.0 < found["cloned_share"] < 1.0 and found["constraint_gap"] > 0.0


@pytest.mark.laws
def test_its_number_is_alive_in_an_arm_of_its_own(folder: Path) -> None:
    words = ["finetune", "my_method.py:recipe", "--from", "runs/first", "--name", "arm", *LOOK]
    never = ["--set", "margin=1000"]
    assert main([*words, *_small("finetune"), *never]) == 0
    found = _online(folder / "runs" / "arm")
    assert found["cloned_share"] == 0.0 and found["constraint_gap"] == 0.0


def test_it_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "my_method.py:recipe"]) == 0
    shown = capsys.readouterr().out
    assert "clones an action only where" in shown and "constraint.margin" in shown
    assert "by how much the critics must prefer" in shown
    assert "Cite" not in shown  # the file names no paper
