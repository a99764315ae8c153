"""One episode as a film, and paths in a maze from above."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from warmstart.files.durable import cannot_write
from warmstart.types import HostEnv

log = logging.getLogger(__name__)

INK, WALL, GOAL = "#26303a", "#c9d1d8", "#c8553d"
PATHS = ("#2f6fbb", "#2a8f6f", "#8d5fb0", "#d1842a", "#5b6b7a")


def record_episode(
    env: HostEnv,
    act: Callable[[np.ndarray], np.ndarray],
    seed: int,
    path: Path,
    fps: int = 30,
    max_steps: int = 1000,
) -> Path | None:
    """Play one episode and write what `env.render()` shows.

    The film is an mp4 where imageio and ffmpeg are there (the extra `video`), and a GIF otherwise
    or when `path` ends in `.gif`. Frames go to the file as they come: memory stays flat for mp4.

    Args:
        env: made so that it renders to uint8 frames [H, W, 3].
        act: observation [O] to action [A].
        seed: of the episode.
        path: where to write; its ending is corrected to what was written.
        fps: frames a second.
        max_steps: longer episodes are cut here.

    Returns:
        The path of the film, or None, with the reason in the log, when the environment cannot be
        rendered.

    Raises:
        RunError: the file cannot be written.
    """
    obs = env.reset(seed)
    frames = _frames(env, act, obs, max_steps)
    try:
        first = next(frames)
    except Exception as error:  # simulators without a display fail in many ways of their own
        log.warning("No video %s: rendering failed (%s).", path.name, error)
        return None
    if first is None:
        log.warning("No video %s: the environment gives no frames (render mode).", path.name)
        return None
    shown = (frame for frame in chain([first], frames) if frame is not None)
    film = path.suffix != ".gif" and _has_ffmpeg()
    path = path.with_suffix(".mp4" if film else ".gif")
    draft = path.with_name(f"part-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        (_write_mp4 if film else _write_gif)(draft, shown, fps)
        os.replace(draft, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if draft.exists():
            draft.unlink()
    return path


def _frames(
    env: HostEnv, act: Callable[[np.ndarray], np.ndarray], obs: np.ndarray, max_steps: int
) -> Iterator[np.ndarray | None]:
    yield env.render()
    for _ in range(max_steps):
        step = env.step(np.asarray(act(obs)))
        obs = step.obs
        yield env.render()
        if step.terminated or step.truncated:
            return


def _has_ffmpeg() -> bool:
    try:
        import imageio_ffmpeg

        return bool(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return False


def _write_mp4(path: Path, frames: Iterator[np.ndarray], fps: int) -> None:
    import imageio.v2 as imageio

    # Two pixels: yuv420p, which every browser plays, needs even sides.
    writer: Any = imageio.get_writer(path, format="FFMPEG", fps=fps, macro_block_size=2)  # type: ignore[arg-type]
    with writer:
        for frame in frames:
            writer.append_data(np.asarray(frame, np.uint8))


def _write_gif(path: Path, frames: Iterator[np.ndarray], fps: int) -> None:
    images = (Image.fromarray(np.asarray(frame, np.uint8)).quantize(128) for frame in frames)
    next(images).save(
        path, save_all=True, append_images=images, duration=max(20, round(1000 / fps)), loop=0
    )


def trajectory_figure(
    walls: np.ndarray,
    paths: Sequence[np.ndarray],
    goal: np.ndarray | None = None,
    extent: tuple[float, float, float, float] | None = None,
) -> Figure:
    """Paths through a maze, seen from above: no renderer needed.

    Args:
        walls: [R, C], true where a cell is wall; row 0 is drawn at the top.
        paths: positions [T, 2] as (x, y), one array for each episode.
        goal: (x, y), drawn as a star.
        extent: (left, right, bottom, top) of the maze in the coordinates of `paths`. By default
            cells have side 1 and the maze is centred on the origin, as in Gymnasium-Robotics
            with a maze size scaling of 1.
    """
    walls = np.asarray(walls, bool)
    rows, columns = walls.shape
    left, right, bottom, top = extent or (-columns / 2, columns / 2, -rows / 2, rows / 2)
    width, height = (right - left) / columns, (top - bottom) / rows
    figure = Figure(figsize=(4.8, max(2.0, 4.8 * (top - bottom) / (right - left))))
    axes = figure.add_axes((0.02, 0.02, 0.96, 0.96))
    for row, column in np.argwhere(walls):
        corner = (left + column * width, top - (row + 1) * height)
        axes.add_patch(Rectangle(corner, width, height, color=WALL, linewidth=0.5))
    for index, path in enumerate(paths):
        path = np.asarray(path, float).reshape(-1, 2)
        color = PATHS[index % len(PATHS)]
        axes.plot(path[:, 0], path[:, 1], color=color, linewidth=1.6, alpha=0.85)
        axes.plot(*path[:1].T, marker="o", markersize=6, color=color, linestyle="none")
        axes.plot(*path[-1:].T, marker="x", markersize=6, color=color, linestyle="none")
    if goal is not None:
        axes.plot(
            *np.asarray(goal, float)[:2], marker="*", markersize=16, color=GOAL, markeredgecolor=INK
        )
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    axes.axis("off")
    return figure
