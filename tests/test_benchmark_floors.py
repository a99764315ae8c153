"""`python -m benchmarks.floors`: what it tries, in which episodes, and what it writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import floors
from warmstart.tasks import get_task
from warmstart.types import EnvStep, Spec


class Line:
    """One step an episode; success above 0.9, and the reward is the action."""

    spec = Spec(obs_dim=3, action_dim=1, horizon=1)

    def __init__(self) -> None:
        self.seeds: list[int] = []

    def reset(self, seed: int) -> np.ndarray:
        self.seeds.append(seed)
        return np.zeros(3, np.float32)

    def step(self, action: np.ndarray) -> EnvStep:
        value = float(action[0])
        return EnvStep(np.zeros(3, np.float32), value, False, True, value > 0.9)

    def render(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def test_it_finds_the_best_constant_and_measures_it_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line()
    monkeypatch.setattr(floors, "make_env", lambda task: lambda: line)
    found = floors.measure(get_task("pointmaze-large"), episodes=6, first=2)
    assert found["constant"]["action"] == [1.0] and found["constant"]["success"] == 1.0
    assert (found["constant"]["tried"], found["constant"]["episodes"]) == (20, 6)
    assert found["none"] == {"success": 0.0, "return": 0.0, "return_std": 0.0, "episodes": 6}
    assert 0 < found["uniform"]["return_std"] < 1
    assert found["linear"]["tried"] == 20
    first, later = set(line.seeds[12:52]), set(line.seeds[52:58])
    assert len(first) == 2 and len(later) == 6 and not first & later


def test_where_none_is_better_the_first_episodes_count(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line()
    monkeypatch.setattr(floors, "make_env", lambda task: lambda: line)
    monkeypatch.setattr(line, "step", lambda action: EnvStep(np.zeros(3), 0.0, False, True, False))
    found = floors.measure(get_task("pointmaze-large"), episodes=6, first=2)
    assert (found["constant"]["episodes"], found["constant"]["success"]) == (2, 0.0)
    assert len(line.seeds) == 6 + 6 + 2 * 20 + 2 * 20


@pytest.mark.parametrize(("width", "count"), [(1, 20), (2, 80), (3, 26), (8, 42)])
def test_the_grid_spans_the_action_box(width: int, count: int) -> None:
    actions = np.array(floors.grid(width, np.random.default_rng(0)))
    assert actions.shape == (count, width) and np.abs(actions).max(axis=0).tolist() == [1] * width
    assert np.any(actions, axis=1).all()


def test_what_stands_in_the_record_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(floors, "RECORD", tmp_path / "floors.json")
    monkeypatch.setattr(floors, "DESK", tmp_path / ".workspace")
    monkeypatch.setattr(floors.tasks_table, "write", lambda: None)
    words = ["floors", "jax-pointmass", "--episodes", "1", "--first", "1"]
    monkeypatch.setattr("sys.argv", words)
    floors.main()
    assert "jax-pointmass (1 of 1)" in capsys.readouterr().out
    one = json.loads((tmp_path / "floors.json").read_text())["jax-pointmass"]
    assert one["environment"]["jax_env"] == "point-mass" and one["uniform"]["episodes"] == 1
    floors.main()
    assert capsys.readouterr().out == ""
    one["environment"]["horizon"] = 7  # measured in an environment that is no more
    (tmp_path / "floors.json").write_text(json.dumps({"jax-pointmass": one}))
    floors.main()
    assert "jax-pointmass (1 of 1)" in capsys.readouterr().out
