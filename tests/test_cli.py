"""The command line from end to end, and as a process of its own."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from warmstart import api
from warmstart.api import Interrupted
from warmstart.cli import main
from warmstart.commands.exits import STOPPED, WRONG
from warmstart.tasks import Floor, floor_of, get_task

FEW = ["--episodes", "1", "--fixed-episodes", "1"]


def small(*learners: str) -> list[str]:
    """Few episodes, and tiny networks in these learners."""
    nets = [f"{learner}.{net}.net.hidden=8" for learner in learners for net in ("policy", "critic")]
    return [*FEW, *(word for path in nets for word in ("--set", path))]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test in a folder of its own, with a data folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WARMSTART_DATA", str(tmp_path / "made"))


def test_from_pre_training_to_a_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    high = Floor(1_000.0, 1.0, "none", None, 100, True)  # nobody reaches it
    monkeypatch.setattr("warmstart.api.shortfall.floor_of", lambda task: high)
    low = "the policy scored no better than the task's floor (1000.0, by no action at all)"
    first = [
        "--pretrain-steps",
        "20",
        "--name",
        "before",
        *small("pretrain.0.learner", "finetune.learner"),
    ]
    assert main(["pretrain", "td3_bc", "jax-pointmass", *first]) == 0
    told = capsys.readouterr()
    assert "run folder: runs/before" in told.out
    assert f"Before the switch {low}" in " ".join((told.out + told.err).split())
    assert "warmstart finetune td3_bc --from runs/before" in told.out

    second = ["--from", "runs/before", "--steps", "30", *small("finetune.learner")]
    assert main(["finetune", "td3_bc", *second]) == 0
    told = capsys.readouterr()
    assert "What the switch did" in told.out and "wall clock: 0:0" in told.out
    assert f"At the end {low}" in " ".join((told.out + told.err).split())
    floor = floor_of(get_task("jax-pointmass"))
    assert floor is not None and f"floor {floor.words}" in told.out
    page = Path(told.out.split("report: ")[1].strip())
    source = str(Path("runs/before").resolve())
    assert re.search(rf"scored [-\d.]+ in {re.escape(source)}, right after", page.read_text())
    arm = page.parent
    assert json.loads((arm / "run.json").read_text())["source"] == source
    assert json.loads((arm / "summary.json").read_text())["floor"]["score"] == floor.score
    assert f"floor ({floor.score:.1f})" in page.read_text()

    assert main(["evaluate", str(arm), "--episodes", "2", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["checkpoint"] == "latest" and len(scores["seeds"][0]["returns"]) == 2
    scored = [
        {line["seed"]: line for line in map(json.loads, (folder / "metrics.jsonl").open())
         if line.get("tag") == "pretrained"}
        for folder in (Path("runs/before"), arm)
    ]  # fmt: skip
    assert scored[1][0]["values"] == scored[0][0]["values"]
    assert scored[1][0]["carried"] == source and "carried" not in scored[0][0]
    told = json.loads((arm / "summary.json").read_text())
    for words in (told["overall"], told["seeds"][0]):
        assert words["carried"] and words["score_before"] == scored[0][0]["values"]["score"]
        assert words["dip"] is not None
    assert "carried over from its source" in (arm / "report.html").read_text()
    assert main(["finetune", "td3_bc", "--from", str(arm)]) == WRONG
    assert f"give --from {source}" in capsys.readouterr().err

    assert main(["evaluate", str(arm), "--episodes", "2"]) == 0
    assert "score" in capsys.readouterr().out

    assert main(["report", str(arm), "runs/before", "--out", "both"]) == 0
    assert "report: both" in capsys.readouterr().out

    assert main(["resume", str(arm)]) == WRONG
    assert "is finished" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--no-films"]])
def test_episodes_are_drawn_unless_nobody_wants_them(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    films = importlib.import_module("warmstart.api.films")
    monkeypatch.setattr(films, "make_films", lambda driver: drawn.append(driver.folder.name))
    steps = ["--steps", "4", "--name", "run", *small("finetune.learner"), *words]
    assert main(["run", "sac", "jax-pointmass", "--set", "replay.warmup.steps=2", *steps]) == 0
    assert drawn == ([] if words else ["run"])
    assert json.loads(Path("runs/run/run.json").read_text())["schedule"]["films"] is not bool(words)


def test_an_interrupted_run_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise Interrupted("stopped by SIGINT and saved; go on with: warmstart resume runs/it")

    monkeypatch.setattr(api, "resume", stopped)
    assert main(["resume", "runs/it"]) == STOPPED
    assert capsys.readouterr().err.endswith("go on with: warmstart resume runs/it\n")


def test_as_a_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "warmstart", "run", "wsrl", "nowhere", "--threads", "1"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == WRONG and done.stdout == ""
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no such call")
def test_threads_bound_the_cores() -> None:
    look = (
        "import os\nfrom warmstart.commands.threads import bound_threads\nbound_threads(1)\n"
        "import jax\njax.devices()\n"
        "cores = [os.sched_getaffinity(int(task)) for task in os.listdir('/proc/self/task')]\n"
        "print(max(map(len, cores)), os.environ['OMP_NUM_THREADS'])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True)
    assert done.stdout.split() == ["1", "1"], done.stderr
