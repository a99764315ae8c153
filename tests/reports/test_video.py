from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from warmstart.errors import RunError
from warmstart.reports import video
from warmstart.reports.video import record_episode, trajectory_figure
from warmstart.types import EnvStep, Spec


class Slide:
    """A white square that moves right; ends after `length` steps."""

    spec = Spec(obs_dim=1, action_dim=1)

    def __init__(self, length: int = 5, render: str = "frames") -> None:
        self.length, self.mode, self.at = length, render, 0

    def reset(self, seed: int) -> np.ndarray:
        self.at = seed
        return np.array([0.0], np.float32)

    def step(self, action: np.ndarray) -> EnvStep:
        self.at += int(action[0])
        return EnvStep(np.array([self.at], np.float32), 0.0, self.at >= self.length, False, False)

    def render(self) -> np.ndarray | None:
        if self.mode == "broken":
            raise RuntimeError("no GL context")
        if self.mode == "none":
            return None
        frame = np.zeros((33, 47, 3), np.uint8)
        frame[10:20, 4 * self.at : 4 * self.at + 10] = 255
        return frame

    def close(self) -> None:
        pass


def right(obs: np.ndarray) -> np.ndarray:
    return np.ones(1)


def test_an_episode_becomes_a_gif_with_all_its_frames(tmp_path: Path) -> None:
    path = record_episode(Slide(), right, 0, tmp_path / "videos" / "before.gif", fps=20)
    assert path == tmp_path / "videos" / "before.gif"
    with Image.open(path) as film:
        assert (film.n_frames, film.size, film.info["duration"]) == (6, (47, 33), 50)  # type: ignore[attr-defined]
    assert [p.name for p in path.parent.iterdir()] == ["before.gif"], "no draft is left"


def test_an_episode_becomes_an_mp4(tmp_path: Path) -> None:
    imageio = pytest.importorskip("imageio.v2")
    path = record_episode(Slide(), right, 0, tmp_path / "after.gif.mp4", fps=10, max_steps=3)
    assert path is not None and path.suffix == ".mp4"
    with imageio.get_reader(path) as film:
        assert film.count_frames() == 4


def test_without_ffmpeg_the_film_is_a_gif(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(video, "_has_ffmpeg", lambda: False)
    assert record_episode(Slide(), right, 0, tmp_path / "a.mp4") == tmp_path / "a.gif"


@pytest.mark.parametrize(("mode", "reason"), [("none", "gives no frames"), ("broken", "no GL")])
def test_no_picture_no_film(tmp_path: Path, mode: str, reason: str, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        assert record_episode(Slide(render=mode), right, 0, tmp_path / "a.mp4") is None
    assert reason in caplog.text
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"Cannot write .*gif"):
        record_episode(Slide(), right, 0, tmp_path / "file" / "a.gif")


def test_paths_lie_inside_their_maze(tmp_path: Path) -> None:
    walls = np.array([[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]])
    paths = [np.array([[-0.5, 0.0], [0.5, 0.1]]), np.zeros((0, 2))]
    figure = trajectory_figure(walls, paths, goal=np.array([0.5, 0.0]))
    [axes] = figure.axes
    assert len(axes.patches) == walls.sum()
    assert axes.get_xlim() == (-2.0, 2.0) and axes.get_ylim() == (-1.5, 1.5)
    top_left = min(p.get_xy() for p in axes.patches)  # type: ignore[attr-defined]
    assert top_left == (-2.0, -1.5)
    figure.savefig(tmp_path / "maze.png")
    wide = trajectory_figure(walls, paths, extent=(0, 8, 0, 6))
    assert wide.axes[0].get_xlim() == (0.0, 8.0)
