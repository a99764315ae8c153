"""Runs on environments, data and recipes that are handed in as Python values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from driven import Reach, logged, recipe

import warmstart as ws
from warmstart.api.driver import Driver
from warmstart.errors import RunError, WarmstartError

LOOKS = {"episodes": 1, "fixed_episodes": 1, "offline_every": 0, "online_every": 0, "early": ()}
WORDS: dict[str, Any] = {"holdout": 0.0, "progress": False, "horizon": 7, "schedule": LOOKS}


def test_a_factory_and_arrays_go_on_where_they_are_handed_in_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = recipe("rlpd", steps=12)
    whole = ws.run(made, Reach, data=logged(), seeds=[0, 1], root=tmp_path, name="whole", **WORDS)
    assert len(whole.summary) == 2
    told = json.loads((whole.folder / "run.json").read_bytes())
    assert told["command"] is None and told["method"] == made.name
    assert told["task_facts"]["env_id"] == "given Reach"

    def stop(self: Driver, *_: Any) -> bool:
        if self.trainer.position.env_steps == 6:
            raise KeyboardInterrupt
        return True

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Driver, "_pause", stop)
        patch.setattr("warmstart.api.driver.CHECKPOINT_SECONDS", 0.0)
        ws.run(made, Reach, data=logged(), seeds=[0, 1], root=tmp_path, name="left", **WORDS)
    left = tmp_path / "left"
    with pytest.raises(WarmstartError, match="env="):
        ws.resume(left, progress=False)
    with pytest.raises(WarmstartError, match="data="):
        ws.resume(left, env=Reach, progress=False)
    with pytest.raises(RunError, match=r"steps its environments itself.*warmstart resume"):
        ws.Agent.open(left, Reach, data=logged())
    again = ws.resume(left, env=Reach, data=logged(), progress=False)
    assert [s.score_final for s in again.summary] == [s.score_final for s in whole.summary]
    scores = ws.evaluate(left, env=Reach, episodes=1)
    assert set(scores) == {0, 1}


def test_an_environment_object_is_one_environment(tmp_path: Path) -> None:
    made, env = recipe("sac", steps=12), Reach()
    with pytest.raises(RunError, match="one seed at a time"):
        ws.run(made, env, seeds=[0, 1], root=tmp_path, **WORDS)
    done = ws.run(made, env, root=tmp_path, **WORDS)
    assert done.summary[0].score_final is not None
