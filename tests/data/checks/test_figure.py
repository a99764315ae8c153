"""The figure: whole or not at all, for every kind of dataset."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from ill import Patient, clean, mass, maze, spoil
from PIL import Image

from warmstart.data.checks.figure import draw, write_figure
from warmstart.errors import DataError, RunError


@pytest.mark.parametrize("case", [maze(), mass(), Patient(clean(1, 1))], ids=["maze", "mass", "1"])
def test_it_is_written_and_shows_something(case: Patient, tmp_path: Path) -> None:
    figure = draw(case.data, case.env, case.task)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert ("Places" in titles) == (case.env is maze().env)
    path = write_figure(figure, tmp_path / "data.png")
    image = np.asarray(Image.open(path).convert("L"))
    assert min(image.shape) > 800 and image.std() > 5 and image.min() < 80
    assert [p.name for p in tmp_path.iterdir()] == ["data.png"]


def test_as_svg_and_with_missing_numbers(tmp_path: Path) -> None:
    data = spoil("rewards", 5, np.nan, spoil("obs", 3, np.inf, maze().data))
    path = write_figure(draw(data, maze().env, maze().task), tmp_path / "data.svg")
    assert path.read_text().startswith("<?xml") and "Return of an episode" in path.read_text()


def test_what_cannot_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no rows"):
        draw(clean().take([]))
    with pytest.raises(RunError, match=r"end it in \.png or \.svg"):
        write_figure(draw(clean()), tmp_path / "data.jpg")
    with pytest.raises(RunError, match="Cannot write"):
        write_figure(draw(clean()), tmp_path / "gone" / "data.png")


def test_actions_are_named_by_the_limits_of_the_environments_box() -> None:
    case = mass()
    count = case.data.actions.shape[1]
    box = np.linspace(-2.0, 0.0, count), np.linspace(4.0, 10.0, count)
    env = SimpleNamespace(action_box=box, spec=None, simulator=None)
    for given, wanted in ((env, ["0: -2 to 4", f"{count - 1}: 0 to 10"]), (None, ["0", "1"])):
        (axes,) = (a for a in draw(case.data, given).axes if "Actions" in a.get_title(loc="left"))
        shown = [label.get_text() for label in axes.get_yticklabels()]
        assert [shown[0], shown[-1]] == wanted
