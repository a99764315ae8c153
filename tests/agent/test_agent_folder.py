"""An agent that keeps a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from driven import ID, WORDS, Loop, logged, ready, recipe, weights
from tiny import same_bits

import warmstart as ws
from warmstart.api.driver import Driver
from warmstart.errors import RunError, WarmstartError
from warmstart.runs.records import read

SCRIPT = """
import sys
from driven import Loop, ready
from warmstart.api import driver as drive
drive.CHECKPOINT_SECONDS = 0.0
loop = Loop(ready("wsrl", folder=sys.argv[1]))
while True:
    loop.go(1)
    print(loop.agent.steps, flush=True)
"""


def test_killed_it_goes_on_from_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "robot"
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    here = str(Path(__file__).parents[1])
    paths = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) == 9:
                child.send_signal(signal.SIGKILL)
                break
    with pytest.raises(RunError, match=r"Agent\.open"):
        ws.resume(folder)
    with pytest.raises(WarmstartError, match="data="):
        ws.Agent.open(folder)
    learner = ws.Agent.open(folder, data=logged(), progress=False)
    assert learner.steps >= 8
    begun = learner.steps
    Loop(learner).go(20)
    learner.close()
    episodes = [line for line in read(folder) if line["kind"] == "episode"]
    assert episodes and episodes[-1]["env_steps"] > begun
    page, _ = ws.report(folder)
    assert page.exists()
    with ws.Agent.open(folder, data=logged(), progress=False) as again:
        assert again.steps == begun + 20
        rows = again._live.trainer.rows(0, again.steps)[0]
        layout = again._live.stepper.online.layout
        last = rows[:, layout.last]
        t = rows[:, layout.t]
        np.testing.assert_array_equal(t[1:] == 0, last[:-1] == 1)  # no episode crosses a cut
        assert np.isfinite(again.predict(Loop(again).env.reset(seed=1)[0])[0]).all()


def test_its_folder_changes_nothing_of_what_it_learns(tmp_path: Path) -> None:
    made = recipe("rlpd")
    expected = weights(Loop(ready(made)).go(10).agent)
    kept = Loop(ready(made, folder=tmp_path / "kept")).go(10)
    same_bits(weights(kept.agent), expected)
    with pytest.raises(RunError, match="is being written"):
        ws.Agent.open(tmp_path / "kept", data=logged())
    kept.agent.close()
    with pytest.raises(RunError, match="holds something already"):
        ws.Agent(made, ID, data=logged(), folder=tmp_path / "kept", **WORDS)


def test_stopped_while_it_pre_trains_it_goes_on_with_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, folder = recipe("wsrl", pretrain_steps=12), tmp_path / "kept"
    expected = weights(Loop(ready(made)).go(4).agent)
    learner = ws.Agent(made, ID, data=logged(), folder=folder, **WORDS)
    saves, save = [0], Driver.save

    def stop(self: Driver, *told: Any) -> None:
        save(self, *told)
        saves[0] += 1
        if saves[0] == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Driver, "save", stop)
        patch.setattr("warmstart.api.driver.CHECKPOINT_SECONDS", 0.0)
        patch.setattr("warmstart.api.driver.REFRESH_SECONDS", 0.0)
        learner.pretrain()
    again = ws.Agent.open(folder, data=logged(), progress=False)
    with pytest.raises(WarmstartError, match=r"call pretrain\(\)"):
        again.reset_seed()
    assert again.pretrain()
    again.hand_over()
    same_bits(weights(Loop(again).go(4).agent), expected)
    again.close()
