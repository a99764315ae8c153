"""The same recipe under other package versions, or on other arithmetic: is the content the same?

Simulators answer differently from version to version, so a dataset that is made again elsewhere
need not have the same rows; that it tells the same story can be read from its statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warmstart.data.manifest import is_folder, read_manifest
from warmstart.errors import DataError

_CIRCUMSTANCES = ("packages", "policy", "arithmetic")


def compare_versions(folder: Path) -> list[str]:
    """One sentence for each dataset beside `folder` that differs in such circumstances alone.

    Raises:
        DataError: the manifest of `folder` cannot be read.
    """
    mine = read_manifest(folder)
    start = folder.name.rsplit("-", 1)[0]
    others = [p for p in sorted(folder.parent.glob(f"{start}-*")) if p != folder and is_folder(p)]
    told = []
    for other in others:
        try:
            theirs = read_manifest(other)
        except DataError:  # says so itself once it is opened
            continue
        if _wish(theirs) == _wish(mine):
            told.append(
                f"{other.name}, made with {_versions(theirs, mine)}, {_content(theirs, mine)}"
            )
    return told


def _wish(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in manifest["recipe"].items() if k not in _CIRCUMSTANCES}


def _versions(theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> str:
    there, here = (m["recipe"].get("packages", {}) for m in (theirs, mine))
    names = sorted(name for name in {*there, *here} if there.get(name) != here.get(name))
    words = [f"{n} {there.get(n, 'of an unknown version')}" for n in names]
    if theirs["recipe"].get("policy") != mine["recipe"].get("policy"):
        words.append("other code of the policy")
    if theirs["recipe"].get("arithmetic") != mine["recipe"].get("arithmetic"):
        words.append(_arithmetic(theirs["recipe"].get("arithmetic")))
    return " and ".join(words)


def _arithmetic(known: Mapping[str, Any] | None) -> str:
    if known is None:
        return "an unknown instruction set"
    flags = f" and XLA_FLAGS {' '.join(known['xla_flags'])}" if known["xla_flags"] else ""
    return f"instruction set {known['instruction_set']}{flags}"


def _content(theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> str:
    if theirs["sha256"] == mine["sha256"]:
        return "holds the same rows."
    pairs = []
    for words, value in (
        ("rows", lambda s: f"{s['rows']:,}"),
        ("mean return", lambda s: f"{s['return']['mean']:.4g}"),
        ("mean length", lambda s: f"{s['length']['mean']:.4g}"),
        ("successes", lambda s: f"{s['success_rate']:.1%}"),
    ):
        try:
            there, here = value(theirs["statistics"]), value(mine["statistics"])
        except KeyError:
            continue
        pairs.append(f"{words} {there} there and {here} here")
    why = "as may happen across versions and instruction sets"
    return f"holds other rows, {why}: {', '.join(pairs)}."
