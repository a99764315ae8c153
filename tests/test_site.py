"""The site of `make docs`: every page is found, and every public name is said and explained.

Whether links lead somewhere MkDocs checks itself, with everything that it renders.
"""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import warmstart

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NAVIGATION = re.findall(
    r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
)
OPEN = {
    "parts": "warmstart.parts",
    "replay": "warmstart.replay",
    "acting": "warmstart.acting",
    "learners": "warmstart.learners",
    "distributions": "warmstart.nets.distributions",
    "types": "warmstart.types",
    "views": "warmstart.views",
    "state": "warmstart.state",
    "networks": "warmstart.nets.spec",
}
"""The modules that one's own code is written against, by their page of the reference."""
PUBLIC = sorted(warmstart._HOMES)


def test_every_page_stands_in_the_navigation_once() -> None:
    pages = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
    assert sorted(NAVIGATION) == sorted(["index.md", *pages])  # the first page is the README


def test_the_reference_has_every_public_name_once() -> None:
    said = [
        name
        for page in sorted((DOCS / "api").glob("*.md"))
        for name in re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.M)
    ]
    assert sorted(said) == sorted([*(f"warmstart.{name}" for name in PUBLIC), *OPEN.values()])
    for page, module in OPEN.items():
        assert f"::: {module}\n" in (DOCS / "api" / f"{page}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_explained(name: str) -> None:
    home = import_module(warmstart._HOMES[name])
    assert undocumented(home, name) == []


@pytest.mark.parametrize("module", OPEN.values())
def test_an_open_module_is_explained(module: str) -> None:
    home = import_module(module)
    names = getattr(home, "__all__", None) or [
        name for name in defined(home) if not name.startswith("_")
    ]
    assert len(names) >= 4
    assert [missing for name in names for missing in undocumented(home, name)] == []


def undocumented(home: Any, name: str) -> list[str]:
    """What of a name, and of the members that its own class has, bears no docstring."""
    found = getattr(home, name)
    if not (inspect.isclass(found) or inspect.isfunction(found)):
        return [] if explained(home, name) else [name]
    missing = [] if described(found) else [name]
    if inspect.isclass(found):
        for member, value in vars(found).items():
            inner = getattr(value, "fget", getattr(value, "__func__", value))
            ours = inspect.isfunction(inner) and inner.__module__ == found.__module__
            if ours and (member == "__call__" or not member.startswith("_")):
                missing += [] if inherits(found, member) else [f"{name}.{member}"]
    return missing


def described(found: Any) -> bool:
    """Whether it has a docstring that somebody wrote: a dataclass without gets its signature."""
    text = found.__doc__ or ""
    drawn = text.startswith(f"{getattr(found, '__name__', '')}(") and "\n" not in text
    return bool(text.strip()) and not drawn


def inherits(kind: type, member: str) -> bool:
    """Whether a member, or that of a class it overrides, has a docstring."""
    above = (vars(base).get(member) for base in kind.__mro__)
    return any(described(value) for value in above if value is not None)


def defined(home: Any) -> list[str]:
    """What a module defines at its top: classes, functions and values."""
    found: list[str] = []
    for line in ast.parse(inspect.getsource(home)).body:
        if isinstance(line, ast.ClassDef | ast.FunctionDef):
            found.append(line.name)
        elif isinstance(line, ast.Assign | ast.AnnAssign):
            found += assigned(line)
    return found


def assigned(line: ast.Assign | ast.AnnAssign) -> list[str]:
    """The names that a line gives a value."""
    targets = line.targets if isinstance(line, ast.Assign) else [line.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def explained(home: Any, name: str) -> bool:
    """Whether a value is followed by a string where it is assigned, here or where it is from."""
    body = ast.parse(inspect.getsource(home)).body
    for line, after in pairwise([*body, ast.Pass()]):
        if isinstance(line, ast.ImportFrom) and line.module:
            if any((found.asname or found.name) == name for found in line.names):
                return explained(import_module(line.module), name)
        elif isinstance(line, ast.Assign | ast.AnnAssign) and name in assigned(line):
            return isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    return False
