"""What a program of one's own hears of a run, what a tracker is told, what a notebook shows."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import warmstart as ws
from warmstart.api.trackers import Tracked
from warmstart.cli import main
from warmstart.runs.folder import is_finished
from warmstart.runs.records import read

SMALL: dict[str, Any] = {
    "preset": "quick",
    "steps": 120,
    "pretrain_steps": 40,
    "progress": False,
    "schedule": {"episodes": 1, "fixed_episodes": 1, "films": False, "compare": False},
    "changes": {
        "learner.batch": 8,
        "nets.hidden": (8,),
        "replay.warmup.steps": 20,
    },
}


class Diary(ws.Callback):
    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def on_begin(self, event: Any) -> None:
        self.heard.append(("begin", Path(event.values["folder"]).name))

    def on_evaluation(self, event: Any) -> None:
        self.heard.append(("evaluation", event.values["score"]))

    def on_episode_end(self, event: Any) -> None:
        self.heard.append(("episode", event.values["length"]))

    def on_checkpoint(self, event: Any) -> None:
        self.heard.append(("checkpoint", event.values["step"]))

    def on_end(self, run: Any) -> None:
        self.heard.append(("end", run.folder.name))


class Hasty(ws.Callback):
    def on_evaluation(self, event: Any) -> None:
        raise ZeroDivisionError("no score to divide by")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Diary, str]]:
    """A run with a callback that listens and one that fails."""
    folder, diary, said = tmp_path_factory.mktemp("heard"), Diary(), []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("warmstart").addHandler(handler)
    with pytest.MonkeyPatch.context() as here:
        here.setenv("WARMSTART_DATA", str(folder / "made"))
        run = ws.run(
            "td3_bc", "jax-pointmass", root=folder, name="one", callbacks=[diary, Hasty()], **SMALL
        )
        yield run, diary, "\n".join(said)
    logging.getLogger("warmstart").removeHandler(handler)


def test_a_callback_hears_what_the_metrics_say_in_their_order(told: Any) -> None:
    run, diary, _ = told
    names = [name for name, _ in diary.heard]
    assert names[0] == "begin" and names[-1] == "end" and "checkpoint" in names
    lines = read(run.folder)
    for kind, name, value in (("eval", "evaluation", "score"), ("episode", "episode", "length")):
        written = [line["values"][value] for line in lines if line["kind"] == kind]
        assert [seen for heard, seen in diary.heard if heard == name] == written and written
    steps = [seen for heard, seen in diary.heard if heard == "checkpoint"]
    assert steps == sorted(set(steps))


def test_one_that_fails_is_named_and_the_run_is_whole(told: Any) -> None:
    run, _, said = told
    assert "The callback Hasty failed in on_evaluation (ZeroDivisionError: no score" in said
    assert said.count("Hasty") == 1 and is_finished(run.folder)


def test_what_is_no_callback_is_refused_before_anything_runs(tmp_path: Path) -> None:
    for wrong in (Diary, 3, "wandb"):
        with pytest.raises(ws.WarmstartError, match="a callback is an object with some of"):
            ws.run("td3_bc", "jax-pointmass", root=tmp_path, callbacks=[wrong], **SMALL)
    assert not list(tmp_path.iterdir())


def test_a_run_in_a_notebook(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _, _ = told
    rows: list[dict[str, Any]] = []
    frame = SimpleNamespace(DataFrame=lambda found, columns=None: rows.extend(found) or found)
    monkeypatch.setitem(sys.modules, "pandas", frame)
    run.curves()
    scores = [line["values"]["score"] for line in read(run.folder) if line["kind"] == "eval"]
    assert [row["score"] for row in rows] == scores
    assert {"seed", "phase", "tag", "updates", "env_steps", "wall"} <= set(rows[0])
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ws.WarmstartError, match="pip install pandas"):
        run.curves()
    assert run.plot().axes
    page = run._repr_html_()
    assert page.count("<tr>") == 2 and 'src="data:image/png;base64,' in page
    assert "http" not in page


class Ledger:
    def __init__(self) -> None:
        self.lines: list[tuple[dict[str, float], int]] = []
        self.opened = self.closed = 0
        self.key = ""

    def begin(self, name: str, settings: dict[str, Any], key: str) -> None:
        assert settings["method"] == "td3_bc" and name == "one"
        self.opened, self.key = self.opened + 1, key

    def log(self, values: dict[str, float], step: int) -> None:
        self.lines.append((values, step))

    def end(self) -> None:
        self.closed += 1


def test_a_tracker_is_told_every_number_at_steps_that_never_fall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARMSTART_DATA", str(tmp_path / "made"))
    ledger = Ledger()
    ws.run(
        "td3_bc", "jax-pointmass", root=tmp_path, name="one", callbacks=[Tracked(ledger)], **SMALL
    )
    assert ledger.opened == ledger.closed == 1 and len(ledger.key) == 32
    steps = [step for _, step in ledger.lines]
    assert steps == sorted(steps) and steps[-1] == 160  # 40 updates, then 120 steps
    told = [(k, v) for values, _ in ledger.lines for k, v in values.items()]
    written = [line["values"]["score"] for line in read(tmp_path / "one") if line["kind"] == "eval"]
    assert [v for k, v in told if k.endswith("/score")] == written
    assert any(k == "seed_0/online/final/score" for k, _ in told)


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_a_tracker_that_is_not_installed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    words = ["run", "td3_bc", "jax-pointmass", "--root", str(tmp_path), "--log", name]
    assert main(words) == 2
    assert f"pip install 'warmstart[{name}]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_tracker_that_nobody_knows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "td3_bc", "jax-pointmass", "--root", str(tmp_path), "--log", "wandbb"]
    assert main(words) == 2
    assert "did you mean 'wandb'" in capsys.readouterr().err.lower()


def test_weights_and_biases_is_called_as_it_wants_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    from warmstart.api.trackers import trackers

    called: list[Any] = []
    run = SimpleNamespace(
        log=lambda values, step: called.append(("log", values, step)),
        finish=lambda: called.append(("finish",)),
    )
    fake = ModuleType("wandb")
    fake.init = lambda **kwargs: called.append(("init", kwargs)) or run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", fake)
    (tracked,) = trackers(["wandb", "wandb"])
    tracked.tracker.begin("name", {"method": "iql"}, "key")
    tracked.tracker.log({"a": 1.0}, 3)
    tracked.tracker.end()
    assert called[0][1]["id"] == "key" and called[0][1]["resume"] == "allow"
    assert called[1:] == [("log", {"a": 1.0}, 3), ("finish",)]
