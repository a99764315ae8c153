"""The episodes before and after, put into the page itself."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".gif": "image/gif",
    ".png": "image/png",
}
LARGEST = 16 * 2**20
"""Bytes; a larger film is named instead of embedded, so that the page can still be sent."""

CAPTIONS = {"before": "Before: the pre-trained policy", "after": "After: the end of the run"}


def films(folder: Path, label: str) -> str:
    """HTML of `videos/before.*` and `videos/after.*`; empty where there is neither.

    Args:
        folder: the run folder.
        label: name of the run, "" when the page shows only one.
    """
    found = [
        (caption, path)
        for name, caption in CAPTIONS.items()
        for path in sorted((Path(folder) / "videos").glob(f"{name}.*"))
        if path.suffix in TYPES
    ]
    if not found:
        return ""
    title = f"Before and after, {label}" if label else "Before and after"
    cells = "".join(_film(path, caption) for caption, path in found)
    return f'<h2>{escape(title)}</h2>\n<div class="films">{cells}</div>'


def _film(path: Path, caption: str) -> str:
    if path.stat().st_size > LARGEST:
        return f'<p class="empty">{escape(caption)}: {escape(path.name)}, too large to embed.</p>'
    kind = TYPES[path.suffix]
    data = f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
    shown = (
        f'<video src="{data}" controls muted loop playsinline aria-label="{escape(caption)}">'
        "</video>"
        if kind.startswith("video")
        else f'<img src="{data}" alt="{escape(caption)}">'
    )
    return f"<figure>{shown}<figcaption>{escape(caption)}</figcaption></figure>"
