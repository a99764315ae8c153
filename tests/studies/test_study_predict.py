"""Core-hours: from rates between metric lines, or from what the arms took before."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from made_results import result
from made_runs import STUDY, planned

from warmstart.studies import predict as module
from warmstart.studies.predict import Rates, predict
from warmstart.studies.store import Store
from warmstart.studies.worker import Stopped


def line(kind: str, phase: str, counter: int, wall: float, tag: str | None = None) -> dict:
    own = {"tag": tag} if tag else {}
    counters = {"updates": counter, "env_steps": 0 if phase == "pretrain" else counter}
    return {"kind": kind, "phase": phase, "wall": wall, "seed": 0, **counters, **own}


def test_rates_are_read_behind_the_first_lines_which_compile() -> None:
    records = [line("train", "pretrain", 100, 20.0)]
    records += [line("train", "pretrain", 100 * (i + 1), 20.0 + i) for i in range(1, 4)]
    records += [line("train", "online", 100, 40.0)]
    records += [line("train", "online", 100 * (i + 1), 40.0 + 2 * i) for i in range(1, 6)]
    records += [line("eval", "online", 600, 54.0, "final"), line("diagnose", "online", 600, 54.0)]
    found = module._rates(records)
    assert found.update == pytest.approx(0.01) and found.step == pytest.approx(0.02)
    assert found.episode == pytest.approx(2.0)  # two episodes in 4 seconds
    assert found.begin == pytest.approx(54.0 - 4.0 - 12.0)


def test_a_rollout_is_timed_whole() -> None:
    walls = [40.0 + 0.5 * i + 10.0 * (i // 5) for i in range(15)]  # learns for 10 s each 500 steps
    records = [line("train", "online", 100 * (i + 1), wall) for i, wall in enumerate(walls)]
    found = module._rates(records, 1_500, 500)
    assert found.step == pytest.approx((5 * 0.5 + 10.0) / 500)


def test_a_run_costs_its_updates_steps_and_episodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_time", lambda *_: Rates(10.0, 0.1, 0.01, 1.0))
    said: list[str] = []
    where = (tmp_path / "results", tmp_path / "runs")
    unknown = predict(STUDY, STUDY.everything, *where)
    assert unknown.hours(5) == 0.0 and len(unknown.unknown) == 4
    costs = predict(STUDY, STUDY.everything, *where, probe=True, tell=said.append)
    seconds = costs.seconds["jax-pointmass"]
    assert not costs.unknown and len(said) == 2  # online all three do the same work
    assert seconds["pre"] == pytest.approx(10 + 100 * 0.1 + 100 + 3 * 20)
    # 20 episodes at 250 steps, 100 at the end, and at the switch 100, without one 20.
    assert seconds["kept"] == pytest.approx(10 + 300 * 0.01 + 220)
    assert seconds["alone"] == pytest.approx(10 + 300 * 0.01 + 140)
    assert costs.hours(5) == pytest.approx(5 * sum(seconds.values()) / 3600)
    again = predict(STUDY, STUDY.everything, *where)
    assert again == costs  # the probe lies beside the results
    assert json.loads((tmp_path / "results" / "probes.json").read_text())


def test_what_an_arm_took_says_it_best(tmp_path: Path) -> None:
    work = planned(tmp_path)
    step = next(s for s in work.steps if s.arm == "kept")
    for seed, seconds in enumerate((10.0, 30.0, 900.0)):
        made = result("kept", seed, study="toy", task="jax-pointmass", seconds=seconds)
        made = dataclasses.replace(made, declared=step.declared)  # whatever its schedule was
        Store(tmp_path / "results").add(made)
    costs = predict(STUDY, ("kept",), tmp_path / "results", tmp_path / "runs")
    assert costs.seconds["jax-pointmass"] == {"kept": 30.0}
    assert costs.unknown == (("jax-pointmass", "pre"),)


def test_ctrl_c_in_a_probe_is_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(_work: object) -> None:
        raise Stopped

    monkeypatch.setattr(module, "run_unit", stopped)
    with pytest.raises(KeyboardInterrupt):
        predict(STUDY, ("alone",), tmp_path / "r", tmp_path / "s", probe=True, tell=lambda _: None)
