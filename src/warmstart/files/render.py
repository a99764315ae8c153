"""How the figures look, and how they are saved: as PNG and as inline SVG.

In the SVG every colour of `PALETTE` becomes a CSS variable of the same name, so that the page
decides what it looks like on a light and on a dark screen.
"""

from __future__ import annotations

import io
import re
from typing import Any

import matplotlib
from matplotlib.figure import Figure

PALETTE = {
    "ink": "#1f2933",
    "muted": "#66727e",
    "rule": "#dde3e8",
    "shade": "#f2f5f7",
    "warmup": "#f6e7c6",
    "c0": "#1f6fb4",
    "c1": "#cf5c36",
    "c2": "#23876a",
    "c3": "#8a56ac",
    "c4": "#a67c12",
    "c5": "#c2427d",
    "c6": "#3c8dad",
    "c7": "#6d6f2c",
}
COLORS = [value for name, value in PALETTE.items() if re.fullmatch(r"c\d", name)]
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": PALETTE["ink"],
    "axes.labelcolor": PALETTE["muted"],
    "axes.edgecolor": PALETTE["rule"],
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": PALETTE["rule"],
    "grid.linewidth": 0.7,
    "xtick.color": PALETTE["rule"],
    "ytick.color": PALETTE["rule"],
    "xtick.labelcolor": PALETTE["muted"],
    "ytick.labelcolor": PALETTE["muted"],
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "warmstart",
}


def png(figure: Figure) -> bytes:
    """The figure on white, as PNG."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=160, facecolor="white")
    figure.set_layout_engine("none")  # it has found its places: the SVG need not ask again
    return out.getvalue()


def svg(figure: Figure, name: str, alt: str) -> str:
    """The figure as inline SVG, its colours as CSS variables.

    Args:
        figure: drawn with `STYLE`.
        name: prefix of every id, so that several figures can share a page.
        alt: what a person who cannot see it should be told; must be escaped for an attribute.
    """
    out = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(out, format="svg", transparent=True)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'(id="|url\(#|href="#)', rf"\1{name}-", text)
    text = re.sub(r"font: ([\d.]+px) [^;\"]+", r"font: \1 var(--sans)", text)
    for color, value in PALETTE.items():
        text = text.replace(value, f"var(--{color})")
    box = re.search(r'viewBox="[^"]+"', text)
    opening = f'<svg role="img" aria-label="{alt}" {box.group() if box else ""} '
    opening += 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    return re.sub(r"<svg[^>]*>", lambda _: opening, text, count=1)
