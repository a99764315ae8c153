"""Image files and films as arrays of bytes: PNG, JPEG, and what ffmpeg reads."""

from __future__ import annotations

import importlib
import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from warmstart.errors import DataError

ENDINGS = (".png", ".jpg", ".jpeg")
_KINDS = ("L", "RGB", "RGBA")


def decoded(held: bytes | Path, where: str) -> np.ndarray:
    """One image [H, W, C] uint8; C is 1, 3 or 4.

    Raises DataError for a file that is missing, torn, no image, or of more than 8 bits a colour.
    """
    try:
        with Image.open(io.BytesIO(held) if isinstance(held, bytes) else held) as image:
            image.load()
            if image.mode == "P":
                image = image.convert("RGB")
            mode, array = image.mode, np.asarray(image)
    except Exception as error:  # Pillow passes on whatever its decoders stumble over
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{where} cannot be read as an image ({reason}): write or copy it again, as PNG."
        ) from error
    if mode not in _KINDS:
        raise DataError(
            f"{where} is an image of kind {mode}: write it with 8 bits a colour, as grey, RGB or "
            "RGBA."
        )
    return array.reshape(*array.shape[:2], -1)


def stacked(images: Sequence[np.ndarray], where: Sequence[str]) -> np.ndarray:
    """Images of one size as [N, H, W, C]. Raises DataError where a size changes."""
    for image, name in zip(images, where, strict=True):
        if image.shape != images[0].shape:
            raise DataError(
                f"{name} has {list(image.shape)}, {where[0]} {list(images[0].shape)}: give all "
                "images of a camera one size."
            )
    return np.stack(images)


def read_paths(source: Path, column: str, paths: Sequence[str]) -> np.ndarray:
    """The images that a table names by paths from its own folder, [N, H, W, C] uint8.

    Raises DataError for a path that leaves that folder, and as `decoded`.
    """
    home, files = source.parent.resolve(), []
    for path in paths:
        file = (home / path).resolve()
        if not file.is_relative_to(home):
            raise DataError(
                f"{source}: column '{column}' names {path}, outside of its folder: put images "
                "beside or below the table."
            )
        files.append(file)
    names = [f"{source}: {path}" for path in paths]
    images = [decoded(file, name) for file, name in zip(files, names, strict=True)]
    return stacked(images, names)


def names_images(column: Any) -> bool:
    """Whether an Arrow column holds names of image files."""
    types: Any = importlib.import_module("pyarrow.types")
    if not (types.is_string(column.type) or types.is_large_string(column.type)):
        return False
    return len(column) > 0 and str(column[0]).lower().endswith(ENDINGS)


def read_film(path: Path) -> np.ndarray:
    """All frames of a film, [N, H, W, 3] uint8.

    Raises DataError where the extra `video` is not installed, or the film is missing or torn.
    """
    if importlib.util.find_spec("imageio_ffmpeg") is None:
        raise DataError(
            f"{path} is read with ffmpeg, which is not installed: run "
            "`pip install 'warmstart[video]'`."
        )
    reader: Any = importlib.import_module("imageio.v3")
    try:
        return np.asarray(reader.imread(path, plugin="FFMPEG"), np.uint8)
    except Exception as error:  # the library passes on whatever ffmpeg says
        raise DataError(
            f"{path} cannot be read as a film ({' '.join(str(error).split())[:200]}): download or "
            "record it again."
        ) from error
