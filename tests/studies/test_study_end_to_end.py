"""A whole study on a toy, in processes of its own, one of which is killed on the way."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from warmstart.cli import main
from warmstart.studies.store import Store

SMALL = {"nets.hidden": "8", "learner.batch": "8"}
FILE = f"""
from warmstart.studies.study import Arm, Pretraining, Study

SMALL = {SMALL}
FREE = {{**SMALL, "finetune.learner.constraint": "NoConstraint"}}
STUDY = Study(
    "toy", "A toy.", {{"pre": Pretraining("td3_bc", SMALL, steps=60)}},
    {{"kept": Arm("td3_bc", "pre", SMALL), "free": Arm("td3_bc", "pre", FREE)}},
    ("jax-pointmass",), "quick", 200,
    {{"episodes": 2, "fixed_episodes": 2, "early": (0, 100), "log_every": 100}},
)
"""


def test_a_study_whose_worker_is_killed(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(FILE)
    killed: list[int] = []

    def kill() -> None:
        """The first worker, once its pre-training has begun."""
        folder = tmp_path / "studies" / "runs" / "toy" / "jax-pointmass"
        until = time.monotonic() + 300
        while time.monotonic() < until:
            begun = [p for p in folder.glob("seed-0-*/pre-*/metrics.jsonl") if p.stat().st_size]
            if begun:
                lock = begun[0].parents[1] / "lock"
                killed.append(int(lock.read_text().split()[1]))
                os.kill(killed[0], signal.SIGKILL)
                return
            time.sleep(0.02)

    killer = threading.Thread(target=kill)
    killer.start()
    line = ["study", "run", "mine.py", "--seeds", "0,1", "--diagnose-every", "50"]
    assert main(line) == 0
    killer.join()
    said = capsys.readouterr().out
    assert killed and "its worker ended early" in said and "seed 1 is done" in said
    found, left_out = Store("studies/results").read("toy")
    assert not left_out and len(found) == 6
    for seed in (0, 1):
        pre, kept, free = (
            next(r for r in found if (r.arm, r.seed) == (arm, seed))
            for arm in ("pre", "kept", "free")
        )
        assert kept.pretrained == free.pretrained == pre.pretrained is not None
        assert kept.before == free.before == pre.offline[-1][1]
        assert [s for s, _ in kept.curve] == [0, 100, 200] == [s for s, _ in kept.frozen]
        assert free.frozen == () and kept.curve[0] == free.curve[0]
        assert [s for s, _ in kept.diagnose["q_online"]] == [0, 50, 100, 200]
        assert kept.value_range and kept.value_range > 0
        assert kept.seconds > 0 and kept.memory_mb and kept.versions["jax"]
    assert len({r.pretrained for r in found}) == 2  # one for each seed
    before = {p: p.stat().st_mtime for p in Path("studies/results").rglob("*.json")}
    assert main([*line, "--workers", "2"]) == 0  # nothing is left to do
    assert before == {p: p.stat().st_mtime for p in Path("studies/results").rglob("*.json")}
    assert main(["study", "report", "mine.py"]) == 0
    assert "<svg" in Path("studies/toy.html").read_text()
    assert main(["study", "show", "mine.py", "--json"]) == 0
    shown = capsys.readouterr().out
    assert '"unknown": []' in shown
