"""The Python of docs/agent.md runs as it is printed, on fewer updates and steps."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
from driven import recipe

import warmstart as ws

PAGE = Path(__file__).parents[2] / "docs" / "agent.md"


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng, env, rows = np.random.default_rng(0), gymnasium.make("Pendulum-v1"), []
    obs, _ = env.reset(seed=0)
    for step in range(60):
        action = rng.uniform(-2.0, 2.0, 1).astype(np.float32)
        after, reward, terminated, _, _ = env.step(action)
        rows.append((obs, action, reward, terminated, step % 20 == 19, after))
        obs = after
    names = ("obs", "actions", "rewards", "terminated", "truncated", "next_obs")
    columns = zip(names, zip(*rows, strict=True), strict=True)
    np.savez("logs.npz", **{name: np.array(column) for name, column in columns})

    def few(method: str, env: Any, **words: Any) -> ws.Agent:
        made = recipe(method, steps=40)
        return ws.Agent(made, env, progress=False, ignore=("few-rows",), **words)

    text = PAGE.read_text().replace("20_000", "40").replace("range(200)", "range(12)")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 2
    scope: dict[str, Any] = {"ws": SimpleNamespace(Agent=few)}
    for code in blocks:
        code = code.replace("import warmstart as ws\n", "")
        exec(compile(code, "docs/agent.md", "exec"), scope)
