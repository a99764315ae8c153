"""The Python of docs/robot.md runs as it is printed, on fewer updates and steps."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from driven import pendulum_log, recipe

import warmstart as ws

PAGE = Path(__file__).parents[2] / "docs" / "robot.md"


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pendulum_log("logs.npz")

    def few(method: str, env: Any, **words: Any) -> ws.Agent:
        made = recipe(method, steps=40)
        return ws.Agent(made, env, progress=False, ignore=("few-rows",), **words)

    guard, code = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    scope: dict[str, Any] = {}
    exec(compile(guard, "docs/robot.md", "exec"), scope)
    assert scope["guard"]([0.0], None) is None and "too near" in scope["guard"]([1.0], None)
    code = code.replace("import warmstart as ws\n", "").replace("run(400", "run(20")
    scope = {"ws": SimpleNamespace(Agent=few, Learner=ws.Learner, Actor=ws.Actor)}
    exec(compile(code, "docs/robot.md", "exec"), scope)
    assert scope["report"]["sent"] == 20
