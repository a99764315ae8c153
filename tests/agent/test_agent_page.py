"""The Python of docs/agent.md runs as it is printed, on fewer updates and steps."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from driven import pendulum_log, recipe

import warmstart as ws

PAGE = Path(__file__).parents[2] / "docs" / "agent.md"


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pendulum_log("logs.npz")

    def few(method: str, env: Any, **words: Any) -> ws.Agent:
        made = recipe(method, steps=40)
        return ws.Agent(made, env, progress=False, ignore=("few-rows",), **words)

    text = PAGE.read_text().replace("20_000", "40").replace("range(200)", "range(12)")
    text = text.replace("roll(500)", "roll(30)")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 3
    scope: dict[str, Any] = {"ws": SimpleNamespace(Agent=few)}
    for code in blocks:
        code = code.replace("import warmstart as ws\n", "")
        exec(compile(code, "docs/agent.md", "exec"), scope)
