"""Which files beside a Python file it imports, found by reading and not by running it."""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.machinery import all_suffixes
from pathlib import Path

_INSTALLED = tuple(
    Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")
)


def imported_beside(files: Iterable[Path], root: Path) -> list[Path]:
    """The files below `root` that these import, and those in turn, sorted; not they themselves.

    What a name means is looked up below `root` and beside the importing file alone, so this may
    name more than an import would find, and never what is installed. Imports by names that are
    made while the code runs are not seen.
    """
    root = root.resolve()
    if any(root.is_relative_to(place) for place in _INSTALLED):
        return []
    begun = [path.resolve() for path in files]
    known, waiting = set(begun), list(begun)
    while waiting:
        path = waiting.pop()
        for found in _named(path, root):
            if found not in known:
                known.add(found)
                waiting.append(found)
    return sorted(known - set(begun))


def _named(path: Path, root: Path) -> Iterator[Path]:
    try:
        tree = ast.parse(path.read_bytes()) if path.suffix == ".py" else ast.Module([], [])
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return  # an import of it ends there as well
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(root, alias.name.split("."), root)
        elif isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else []
            start = path.parents[node.level - 1] if 0 < node.level <= len(path.parents) else root
            for alias in node.names:
                yield from _files(start, [*parts, alias.name], root)


def _files(start: Path, parts: list[str], root: Path) -> Iterator[Path]:
    """What stands for each part of a dotted name: a package's `__init__`, or a module."""
    for part in parts:
        for place in (start / part / "__init__", start / part):
            for suffix in all_suffixes():
                path = place.with_name(place.name + suffix)
                if path.is_file() and path.resolve().is_relative_to(root):
                    yield path.resolve()
        start = start / part
