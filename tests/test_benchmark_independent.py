"""The driver of the comparison with plain PyTorch, without PyTorch."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny import Fixed, problem, tiny

from benchmarks.independent import __main__ as independent


def _policy(action: float) -> dict[str, np.ndarray]:
    """Layers [3 -> 4 -> 2] whose action is a constant."""
    return {
        "mean": np.ones(3, np.float32),
        "std": np.full(3, 2.0, np.float32),
        "w0": np.zeros((4, 3), np.float32),
        "b0": np.ones(4, np.float32),
        "w1": np.zeros((2, 4), np.float32),
        "b1": np.full(2, np.arctanh(action), np.float32),
    }


def test_a_saved_policy_acts_as_it_was_trained() -> None:
    policy = _policy(0.5)
    np.testing.assert_allclose(independent.action_of(policy, np.zeros(3)), 0.5, rtol=1e-6)
    policy["w0"][0] = 1.0
    policy["w1"][:, 0] = 0.25
    obs = np.array([3.0, 5.0, 1.0])  # normalised 1, 2, 0: the first unit is relu(3 + 1)
    expected = np.tanh(np.arctanh(0.5) + 0.25 * 4.0)
    np.testing.assert_allclose(independent.action_of(policy, obs), expected, rtol=1e-6)


def test_a_saved_policy_is_scored_on_the_task() -> None:
    task = problem(tiny("sac"), Fixed)
    env = Fixed()
    env.reset(0)
    total = sum(env.step(np.full(2, 0.5, np.float32)).reward for _ in range(5))
    env.close()
    found = independent.score(task, _policy(0.5), 1, 0)
    assert found == pytest.approx(100 * float(task.fraction(total, False)), abs=1e-3)


def test_the_table_says_what_lies_apart() -> None:
    kept = {
        "maze iql": {
            "ours 0": [[10, 40.0], [20, 50.0]],
            "ours 1": [[10, 42.0], [20, 52.0]],
            "theirs 0": [[10, 41.0], [20, 10.0]],
            "theirs 1": [[10, 43.0], [20, 12.0]],
        },
        "maze td3_bc": {"ours 0": [[10, 1.0]], "theirs 0": [[10, 99.0]]},
        "maze cal_ql": {"ours 0": [[10, 1.0]]},
    }
    rows = list(independent.table(kept, "maze", ""))
    assert [row.split()[0] for row in rows] == ["maze", "td3_bc", "iql", "iql"]
    assert [row.endswith("apart") for row in rows[1:]] == [False, False, True]


def test_what_is_there_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trained: list[str] = []
    for whose in ("ours", "theirs"):
        monkeypatch.setattr(
            independent, whose, lambda *_, whose=whose: (trained.append(whose), [[7, 5.0]])[1]
        )
    kept = tmp_path / "curves.json"
    words = ["independent", "--python", sys.executable, "--json", str(kept), "--methods", "iql"]
    monkeypatch.setattr(sys, "argv", [*words, "--seeds", "0,1"])
    independent.main()
    independent.main()
    assert trained == ["ours", "theirs"] * 2 and "iql" in capsys.readouterr().out
    assert len(json.loads(kept.read_text())["maze2d-umaze iql"]) == 4


def test_the_restatement_knows_nothing_of_us() -> None:
    names = set()
    for node in ast.walk(ast.parse(independent.PLAIN.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    assert "torch" in names and not {n for n in names if n.startswith(("warmstart", "jax"))}
