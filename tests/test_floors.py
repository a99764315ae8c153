"""A file imports from lower floors only, and inside one floor only from its own folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import warmstart

ROOT = Path(warmstart.__file__).parent
FLOORS = [
    ("types", "errors", "ranges", "values", "checksums", "pages"),
    ("equations", "nets", "state"),
    ("views", "parts", "replay", "tasks"),
    ("learners", "handover", "acting"),
    ("recipe", "config"),
    ("methods",),
    ("engine",),
    ("files",),
    ("user_code",),
    ("envs",),
    ("policy",),
    ("data",),
    ("runs",),
    ("link",),
    ("reports",),
    ("api", "agent", "studies", "cli", "commands", "__init__", "__main__"),
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
WINDOWS = {
    ("state", "values"), ("values", "errors"), ("values", "ranges"), ("ranges", "errors"),
    ("nets", "equations"),  # a policy network returns its distribution
    ("parts", "views"),  # a part is an equation seen through a view
    ("handover", "learners"),  # what crosses is in the online learner's shapes
    ("agent", "api"), ("__init__", "agent"),
    ("studies", "api"), ("cli", "api"), ("commands", "api"),
    ("cli", "commands"), ("commands", "cli"), ("__main__", "cli"), ("__init__", "api"),
    ("cli", "studies"), ("commands", "studies"), ("__init__", "studies"),
    ("commands", "__init__"), ("commands", "agent"),
}  # fmt: skip
"""Pairs of rooms on one floor of which the first may look into the second."""
SIMULATORS = {"gymnasium", "gymnasium_robotics", "mujoco", "minari", "h5py", "ogbench"}
FILES = sorted(ROOT.rglob("*.py"))


def _room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full"
            assert node.module is not None
            yield node.module
            if node.module == "warmstart":
                yield from (f"warmstart.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    here = _room(path)
    assert here in FLOOR, f"{here} stands on no floor: add it to the plan"
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] != "warmstart":
            outside = FLOOR[here] < FLOOR["envs"] and parts[0] in SIMULATORS
            assert not outside, f"{path.name} imports {name}; only higher rooms know simulators"
            continue
        there = parts[1] if len(parts) > 1 else "__init__"
        if there == "__init__" and FLOOR[here] < FLOOR["api"] and _names_only(path):
            continue
        lower = FLOOR.get(there, 99) < FLOOR[here]
        assert lower or here == there or (here, there) in WINDOWS, f"{path.name}: {name}"


def _names_only(path: Path) -> bool:
    """`from warmstart import values`: each name is checked by itself."""
    return "from warmstart import" in path.read_text()


def test_engine_and_methods_never_meet() -> None:
    for path in FILES:
        names = {name.split(".")[1] for name in _imports(path) if name.startswith("warmstart.")}
        assert not (_room(path) == "engine" and "methods" in names), path
        assert not (_room(path) == "methods" and "engine" in names), path


ROOMS = sorted(path for path in ROOT.rglob("__init__.py") if path.parent != ROOT)
"""Without the front door, which opens a room only when somebody asks for it."""


@pytest.mark.parametrize("path", ROOMS, ids=lambda p: p.parent.name)
def test_packages_hold_names_and_no_code(path: Path) -> None:
    for node in ast.parse(path.read_text()).body:
        names = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        plain = isinstance(node, ast.Import | ast.ImportFrom)
        assert names or text or plain, f"{path}: line {node.lineno}"


CORE = ("agent/agent.py", "agent/live.py", "learners/actor_critic.py", "recipe.py")
"""Core files, in which a wall would stand in the way."""


def test_files_stay_small() -> None:
    for path in FILES:
        most = 500 if path.relative_to(ROOT).as_posix() in CORE else 300
        assert len(path.read_text().splitlines()) <= most, path


def test_nothing_executes_what_a_file_says() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec"), f"{path}: line {node.lineno}"
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant) and node.value.value is False, path
        assert "pickle" not in set(_imports(path)), path


def test_no_room_hides_a_public_name() -> None:
    """Once a room is imported, it is what `warmstart.NAME` means."""
    rooms = {path.stem for path in ROOT.iterdir()}
    assert not rooms & set(dir(warmstart))
