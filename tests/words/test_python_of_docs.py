"""The pages' Python runs as it is printed, and calls what there is."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from belongings import pendulums_policy, python_of, supply
from commands import PAGES, ROOT, fenced

import warmstart
import warmstart.tasks
from warmstart.api.declare import declare
from warmstart.api.numbers import names_for
from warmstart.cli import main
from warmstart.methods import METHODS

ELSEWHERE = {
    "docs/agent.md": "really learns: agent/test_agent_page.py",
    "docs/robot.md": "the same: link/test_robot_page.py",
}
PRINTED = [
    name
    for page in PAGES
    if (name := str(page.relative_to(ROOT))) not in ELSEWHERE and python_of(name)
]


def before(page: str, folder: Path) -> dict[str, Any]:
    """What the reader of a page has when its Python begins."""
    if page == "docs/studies.md":
        supply("x my_method.py:recipe", page, folder, main)
    if page == "docs/export.md":
        pendulums_policy(folder / "my-policy")
    if page != "docs/data.md":
        return {}
    envs = gymnasium.make_vec("Pendulum-v1", num_envs=2)
    main(["run", "sac", "--env", "Pendulum-v1", "--name", "NAME"])
    pendulums_policy(folder / "runs" / "NAME" / "policies" / "seed-0" / "latest")

    def chance(obs: np.ndarray) -> np.ndarray:
        return np.clip(obs[:, :1], -2, 2)

    return {"ws": warmstart, "gymnasium": gymnasium, "envs": envs, "policy": chance}


@pytest.mark.parametrize("page", PRINTED)
def test_the_python_of_a_page_runs(page: str, tmp_path: Path, short_work: None) -> None:
    names = before(page, tmp_path)
    for block in python_of(page):
        exec(compile(block, page, "exec"), names)
    if page == "README.md":
        assert (tmp_path / "with-and-without-warm-up.html").stat().st_size > 10_000
    if page == "docs/data.md":
        assert (tmp_path / "logged" / "data.npz").is_file()
        assert names["policy"](names["obs"]).shape == (1,)


def test_python_is_marked_as_such() -> None:
    for page in PAGES:
        for language, block in fenced(page.read_text()):
            assert language or not re.search(r"^(import|from) |\bws\.\w", block, re.M), page


def test_calls_in_the_text_take_the_arguments_that_they_are_given() -> None:
    tried = []
    for page in PAGES:
        for code in re.findall(r"`([^`\n]+\))`", page.read_text()):
            try:
                call = ast.parse(code, mode="eval").body
            except SyntaxError:
                continue
            function = _named(call)
            if isinstance(call, ast.Call) and function is not None:
                known = dict(inspect.signature(function).parameters)
                if "declared" in known:  # passed on
                    known |= inspect.signature(declare).parameters
                method = getattr(call.args[0], "value", None) if call.args else None
                words = {*known, *(names_for(method) if method in METHODS else ())}
                assert {word.arg for word in call.keywords} <= words, (page, code)
                tried.append(ast.unparse(call.func))
    assert {"ws.run", "custom_task", "warmstart.data.load", "Recorder"} <= set(tried)


def _named(call: ast.expr) -> Any:
    """What of ours a call names; None: nothing."""
    if not isinstance(call, ast.Call):
        return None
    first, *rest = ast.unparse(call.func).split(".")
    if first in ("ws", "warmstart"):
        found = warmstart
    else:
        found = getattr(warmstart, first, getattr(warmstart.tasks, first, None))
        if not callable(found):
            return None
    for name in rest:
        found = getattr(found, name)
    return found if callable(found) else None
