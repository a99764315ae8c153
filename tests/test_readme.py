"""The README's Python runs as it is printed, on fewer updates and steps."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import warmstart

README = Path(__file__).parents[1] / "README.md"
FEW: dict[str, Any] = {
    "steps": 60,
    "schedule": {"episodes": 2, "fixed_episodes": 2, "online_every": 0, "early": (0,)},
}


@pytest.mark.laws
def test_the_python_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert blocks

    def short(given: dict[str, Any]) -> dict[str, Any]:
        changes = {"replay.warmup.steps": 5, **given.pop("changes", {})}
        return {**FEW, **given, "changes": changes}

    def run(*args: Any, **kwargs: Any) -> Any:
        return warmstart.run(*args, pretrain_steps=40, **short(kwargs))

    def finetune(*args: Any, **kwargs: Any) -> Any:
        return warmstart.finetune(*args, **short(kwargs))

    few = SimpleNamespace(report=warmstart.report)
    few.run, few.finetune = run, finetune
    for block in blocks:
        code = block.replace("import warmstart as ws\n", "")
        exec(compile(code, "README.md", "exec"), {"ws": few})
    assert (tmp_path / "with-and-without-warm-up.html").stat().st_size > 10_000
