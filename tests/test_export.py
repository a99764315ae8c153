"""A policy leaves its run: whole, compared, and with what a stranger needs to know of it."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driven import ID, agent, logged, recipe

import warmstart as ws
from warmstart.cli import main
from warmstart.errors import RunError
from warmstart.policy import folder as folders
from warmstart.runs.records import read

SEEDS = (4, 5, 6)
OBS = {"here": np.float32([0.3, 1.5]), "clock": np.array([2.0])}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ws.Run:
    root = tmp_path_factory.mktemp("runs")
    return ws.run(
        recipe("td3_bc"), ID, data=logged(), seeds=SEEDS, holdout=0.0, root=root, name="run",
        schedule={"episodes": 2, "fixed_episodes": 6, "offline_every": 0, "online_every": 15,
                  "early": (0,), "films": False, "compare": False},
        reference=(-3.0, 0.0), progress=False,
    )  # fmt: skip


def facts(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "policy.json").read_text())


def test_the_folder_has_all_and_acts_as_the_run(run: ws.Run, tmp_path: Path) -> None:
    made = ws.export(run.folder, tmp_path / "p", seed=5, license="mit")
    assert made.folder == tmp_path / "p"
    assert sorted(p.suffix for p in made.folder.iterdir()) == [".json", ".md", ".safetensors"]
    policy = ws.load_policy(made.folder)
    assert np.array_equal(policy.act(OBS), ws.actor(run.folder, 5).act(OBS))
    assert policy.card["seed"] == 5 and policy.card["exported"] == made.card["exported"]
    assert list(tmp_path.iterdir()) == [made.folder]
    told = facts(made.folder)["exported"]
    assert told["license"] == "mit" and told["acts_on"] == "observation"
    assert told["parity"]["observations"] == 1000 and told["parity"]["numpy"] < 1e-5
    assert told["parity"]["onnx"] is None and told["onnx"] is None
    assert told["task"]["env_id"] == ID and told["task"]["reference"] == [-3.0, 0.0]
    for file in made.folder.iterdir():
        assert str(run.folder.parent).encode() not in file.read_bytes()


def test_the_score_is_that_of_the_checkpoint_with_its_intervals(
    run: ws.Run, tmp_path: Path
) -> None:
    score = ws.export(run.folder, tmp_path / "p", seed=4).card["exported"]["score"]
    lines = [r for r in read(run.folder) if r["kind"] == "eval" and r.get("tag") == "final"]
    by_seed = {r["seed"]: r["values"] for r in lines}
    values = by_seed[4]
    assert score["value"] == values["score"] and score["tag"] == "final"
    assert score["episodes"] == 6 == values["episodes"]
    low, high = score["interval"]
    scores = [100 * (r + 3.0) / 3.0 for r in values["returns"]]
    assert min(scores) <= low < score["value"] < high <= max(scores)
    seeds = score["seeds"]
    assert seeds["values"] == {str(s): by_seed[s]["score"] for s in SEEDS}
    assert seeds["interval"][0] < seeds["mean"] < seeds["interval"][1]


def test_success_has_an_interval_of_shares() -> None:
    from warmstart.api.measured import _over_episodes

    task = {"success": True, "reference": None}
    told = _over_episodes({"returns": [0.0] * 100, "success": 1.0}, task)
    assert told["interval"][1] == 100.0 and 96.0 < told["interval"][0] < 97.0
    assert told["by"] == "Wilson"


def test_names_and_units_stand_in_card_and_page(run: ws.Run, tmp_path: Path) -> None:
    names = {
        "observation": ["clock", {"name": "x", "unit": "m"}, {"name": "y", "unit": None}],
        "action": [{"name": "push", "unit": "N"}, "turn"],
    }
    ws.export(run.folder, tmp_path / "p", names=names)
    told = facts(tmp_path / "p")
    assert told["observation"]["numbers"][1] == {"name": "x", "unit": "m"}
    assert told["action"]["numbers"][0] == {"name": "push", "unit": "N"}
    page = (tmp_path / "p" / "README.md").read_text()
    assert "x [m], y" in page and "push [N], turn" in page
    ws.export(tmp_path / "p", tmp_path / "again")
    again = facts(tmp_path / "again")
    assert again["action"] == told["action"]
    for name in ("task", "data", "score"):
        assert again["exported"][name] == told["exported"][name] is not None
    plain = ws.export(run.folder, tmp_path / "plain").card
    named = [each["name"] for each in plain["observation"]["numbers"]]
    assert named == ["clock[0]", "here[0]", "here[1]"]


@pytest.mark.parametrize(
    "names, message",
    [
        ({"observation": ["x"]}, r"has 1 for the observation, which is of 3"),
        ({"actions": ["x"]}, r"dict of `observation` and `action`"),
        (["x"], r"dict of `observation` and `action`"),
        ({"action": [3, 4]}, r"names has 3 for the action; give a text"),
        ({"action": [{"name": "a", "units": "N"}, "b"]}, r"a dict of `name` and `unit`"),
    ],
)
def test_names_that_do_not_fit(run: ws.Run, tmp_path: Path, names: Any, message: str) -> None:
    with pytest.raises(RunError, match=message):
        ws.export(run.folder, tmp_path / "p", names=names)
    assert not list(tmp_path.iterdir())


def test_a_place_that_is_taken(run: ws.Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    for name in ("file", "full"):
        with pytest.raises(RunError, match=f"{name}' holds something already; give another"):
            ws.export(run.folder, tmp_path / name)
    assert (tmp_path / "file").read_text() == "mine" == (tmp_path / "full" / "mine").read_text()
    (tmp_path / "empty").mkdir()
    ws.load_policy(ws.export(run.folder, tmp_path / "empty").folder)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_full_disk_leaves_nothing(
    run: ws.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    real, calls = os.fsync, []

    def full(handle: int) -> None:
        if len(calls) == 2 * at:  # each file, and the folder behind it
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        calls.append(handle)
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"disk is full.*then export again\."):
        ws.export(run.folder, tmp_path / "p")
    assert not list(tmp_path.iterdir())


def test_a_method_file_of_the_same_name_is_not_taken_for_the_method(
    run: ws.Run, tmp_path: Path
) -> None:
    from warmstart.api.about import facts as told
    from warmstart.runs.folder import create_run, read_run

    card = folders.read_policy(run.folder / "policies" / "seed-4" / "latest").card
    runs = {
        source: create_run(tmp_path, str(i), {**read_run(run.folder), "method_source": source})
        for i, source in enumerate(("td3_bc", "/home/me/td3_bc.py:recipe"))
    }
    cited = [told(folder, card)["cite"] for folder in runs.values()]
    assert "Fujimoto" in cited[0][0] and cited[1] == []


def test_ctrl_c_leaves_nothing(
    run: ws.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(folders, "write_json_atomic", stopped)
    assert main(["export", str(run.folder), "--to", str(tmp_path / "p")]) == 130
    assert f"stopped: nothing was written to '{tmp_path / 'p'}'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_command_says_what_it_compared(run: ws.Run, tmp_path: Path, capsys: Any) -> None:
    names = tmp_path / "names.json"
    names.write_text('{"action": ["push", "turn"]}')
    words = ["export", str(run.folder), "--to", str(tmp_path / "p"), "--seed", "6", "--best"]
    assert main([*words, "--names", str(names)]) == 0
    said = capsys.readouterr().out
    assert "seed 6" in said and "normalised score" in said and str(tmp_path / "p") in said
    assert "differs from JAX by" in said and "1,000 observations" in said
    assert facts(tmp_path / "p")["action"]["numbers"][1]["name"] == "turn"
    for text, message in (("{", "is no JSON"), (None, "cannot read")):
        names.unlink() if text is None else names.write_text(text)
        assert main([*words[:3], str(tmp_path / "q"), "--names", str(names)]) == 2
        assert message in capsys.readouterr().err


def test_what_cannot_be_exported(
    run: ws.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RunError, match="no seed 9"):
        ws.export(run.folder, tmp_path / "p", seed=9)
    begun = tmp_path / "begun"
    begun.mkdir()
    (begun / "run.json").write_bytes((run.folder / "run.json").read_bytes())
    with pytest.raises(RunError, match="no policy of seed 4 yet"):
        ws.export(begun, tmp_path / "p")
    with pytest.raises(RunError, match="does not exist"):
        ws.export(tmp_path / "nowhere", tmp_path / "p")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"pip install 'warmstart\[onnx\]'"):
        ws.export(run.folder, tmp_path / "p", onnx=True)
    assert not (tmp_path / "p").exists()


def test_two_forms_that_differ_are_not_exported(
    run: ws.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from warmstart.policy.learnt import Policy

    real = Policy.mode
    monkeypatch.setattr(Policy, "mode", lambda self, obs: 0.99 * real(self, obs))
    with pytest.raises(RunError, match=r"otherwise in NumPy than in JAX: actions differ by"):
        ws.export(run.folder, tmp_path / "p")
    assert not list(tmp_path.iterdir())


def test_a_card_that_lacks_what_every_run_writes(run: ws.Run, tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    stored = folders.read_policy(run.folder / "policies" / "seed-4" / "latest")
    for name in ("method", "seed"):
        card = {k: v for k, v in stored.card.items() if k not in (name, "tensors", "weights")}
        folders.write_policy(sent, card, stored.tensors)
        with pytest.raises(RunError, match=rf"policy.json' does not describe a policy.*'{name}'"):
            ws.export(sent, tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_weights_that_are_not_finite_stay(run: ws.Run, tmp_path: Path) -> None:
    stored = folders.read_policy(run.folder / "policies" / "seed-4" / "latest")
    ill = {k: np.where(t == t.flat[0], np.nan, t) if t.dtype == np.float32 else t
           for k, t in stored.tensors.items()}  # fmt: skip
    folders.write_policy(tmp_path / "ill", stored.card, ill)
    with pytest.raises(RunError, match=r"weights in .*ill' are not finite \(nets\."):
        ws.export(tmp_path / "ill", tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_an_agents_folder_leaves_too(tmp_path: Path) -> None:
    mine = agent("sac")
    mine.save(tmp_path / "agent")
    made = ws.export(tmp_path / "agent", tmp_path / "p")
    assert made.card["exported"]["score"] is None and made.card["exported"]["task"] is None
    assert "not evaluated" in (made.folder / "README.md").read_text()
    assert np.array_equal(ws.load_policy(made.folder).act(OBS), mine.predict(OBS)[0])
