"""How a file is read can be said on the command line, and is remembered."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from warmstart.api import Declared, declare
from warmstart.commands.arguments import task_of
from warmstart.commands.options import Run
from warmstart.commands.parse import parse
from warmstart.data import VIEWS, load
from warmstart.data.makers import dataset_for

Called = Callable[..., tuple[int, str, str]]
COLUMNS = "obs=x_*,action=u,reward=cost,done=never,episode=run"


@pytest.fixture
def log(tmp_path: Path) -> str:
    """Pendulum-v1 as somebody logs it: commands in percent, one CSV."""
    rng = np.random.default_rng(0)
    lines = ["x_1,x_2,x_3,u,cost,run"]
    for i in range(40):
        x, u = rng.normal(size=3), rng.uniform(-100, 100)
        lines.append(f"{x[0]},{x[1]},{x[2]},{u},{-i},{i // 10}")
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines))
    return str(path)


def line(log: str) -> list[str]:
    words = ["run", "td3_bc", "--env", "Pendulum-v1", "--data", log, "--columns", COLUMNS]
    return [*words, "--action-box=-100:100"]


def test_a_run_on_a_table_of_ones_own_reads_it_again_after_resuming(log: str) -> None:
    task = task_of(parse(line(log)))
    data = dataset_for(task)
    assert len(data) == 36 and data.obs.shape == (36, 3) and len(data.episodes()) == 4
    assert "actions_outside" not in data.info and 0.5 < np.abs(data.actions).max() < 1
    declared = declare("td3_bc", task)
    again = Declared.from_json(json.loads(json.dumps(declared.to_json())))
    assert again.task == task
    assert np.array_equal(dataset_for(again.task).actions, data.actions)
    assert task_of(parse(shlex.split(declared.command())[1:])) == task


def test_actions_in_another_box_say_which_option_mends_it(log: str, call: Called) -> None:
    code, out, _ = call(
        "data", "check", log, "--env", "Pendulum-v1", "--columns", COLUMNS, "--json"
    )
    found = {finding["name"]: finding for finding in json.loads(out)["findings"]}
    assert code == 1 and "--action-box=LOW:HIGH" in found["actions-outside"]["fix"]
    box = "--action-box=-100:100"
    out = call("data", "check", log, "--env", "Pendulum-v1", "--columns", COLUMNS, box, "--json")[1]
    assert "actions-outside" not in {finding["name"] for finding in json.loads(out)["findings"]}


def test_convert_writes_what_was_read(log: str, call: Called, tmp_path: Path) -> None:
    words = ("--columns", COLUMNS, "--action-box=-100:100", "--env", "Pendulum-v1")
    code, out, _ = call("data", "convert", log, *words, "--out", "flat")
    assert code == 0 and out.strip() == "flat"
    flat = load(tmp_path / "flat")
    assert flat.info["env_id"] == "Pendulum-v1" and len(flat) == 36
    assert call("data", "convert", log, *words, "--out", "flat")[0] == 0  # the same again is kept
    told = json.loads(call("data", "info", "flat", "--json")[1])
    assert (told["rows"], told["episodes"], told["env_id"]) == (36, 4, "Pendulum-v1")


def test_convert_to_minari(
    log: str, call: Called, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    words = ("--columns", COLUMNS, "--action-box=-100:100", "--env", "Pendulum-v1")
    assert call("data", "convert", log, *words, "--minari", "own/pendulum-v0")[0] == 0
    back = load("own/pendulum-v0", bounds=(np.array([-2.0]), np.array([2.0])))
    assert back.info["env_id"] == "Pendulum-v1"
    assert np.allclose(back.actions, load(log, **reading()).actions, atol=1e-5)


def test_what_minari_holds_is_in_the_units_of_a_box_that_is_known(
    log: str, call: Called, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    box, unit = "--action-box=-100:100", load(log, **reading()).actions
    words = ("--columns", COLUMNS, box)
    assert call("data", "convert", log, *words, "--env", "Pendulum-v1", "--out", "flat")[0] == 0
    assert call("data", "convert", "flat", "--minari", "own/of-a-folder-v0")[0] == 0
    assert call("data", "convert", log, *words, "--minari", "own/of-a-box-v0")[0] == 0
    for name, limit in (("own/of-a-folder-v0", 2.0), ("own/of-a-box-v0", 100.0)):
        held = load(name, bounds=(np.array([-limit]), np.array([limit]))).actions
        assert np.allclose(held, unit, atol=1e-5), name


def reading() -> dict:
    from warmstart.data import parse_columns

    return {
        "mapping": parse_columns(COLUMNS),
        "bounds": (np.array([-100.0]), np.array([100.0])),
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--columns", "obs"), "is no pair"),
        (("--columns", "obs=x_*,action=u,done=never"), "nothing for rewards"),
        (("--columns", COLUMNS, "--view", "rlpdd"), "Did you mean 'rlpd'"),
        (("--columns", COLUMNS, "--action-box=1:-1"), "the lower first"),
        (("--columns", COLUMNS, "--action-box=-1:1,0:1"), "2 pairs does not fit 1 actions"),
    ],
)
def test_what_cannot_be_read_is_refused(
    log: str, refused: Callable[..., str], words: tuple[str, ...], says: str
) -> None:
    assert says in refused("run", "td3_bc", "--env", "Pendulum-v1", "--data", log, *words)


def test_reading_without_a_file_and_converting_to_nowhere(
    log: str, refused: Callable[..., str]
) -> None:
    assert "--data" in refused("run", "td3_bc", "pointmaze-umaze", "--columns", COLUMNS)
    assert "--out FOLDER" in refused("data", "convert", log, "--columns", COLUMNS)


def test_the_help_names_every_view() -> None:
    from warmstart.commands import kinds as words

    text = Path(words.__file__).read_text()
    assert Run.__dataclass_fields__["view"] and all(view in text for view in VIEWS)


def test_scores_of_an_own_environment_are_called_what_they_are(log: str) -> None:
    said = [declare("td3_bc", task_of(parse([*line(log), *more]))).to_json()["score_label"]
            for more in ([], ["--success"], ["--reference", "-1000,0"])]  # fmt: skip
    assert said == ["return", "success rate (%)", "normalised score"]
