"""`data check` as it is called, and the shorter look before a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from warmstart.api import Declared, declare
from warmstart.api.prepare import problem_of
from warmstart.commands.arguments import declared, task_of
from warmstart.commands.options import Run
from warmstart.data import save_folder
from warmstart.errors import DataError, RunError
from warmstart.types import Dataset

Call = Callable[..., tuple[int, str, str]]
Pendulum = Callable[..., str]
Refused = Callable[..., str]
INFINITE = np.where(np.arange(40) == 3, np.inf, 0.5).astype(np.float32)


def test_findings_are_json_and_nothing_is_drawn_unless_asked(
    call: Call, pendulum: Pendulum, tmp_path: Path
) -> None:
    code, out, _ = call("data", "check", pendulum(), "--env", "Pendulum-v1", "--json")
    told = json.loads(out)
    assert code == 0 and told["errors"] == 0 and told["environment"] == "Pendulum-v1"
    assert told["figure"] is None and not list(tmp_path.glob("*-check.png"))
    # The fixture's observations are noise: the simulator does not know them.
    assert "other-dynamics" in [finding["name"] for finding in told["findings"]]
    bad = pendulum("bad", rewards=INFINITE)
    code, out, _ = call("data", "check", bad, "--json", "--figure", "seen.svg")
    told = json.loads(out)
    assert code == 1 and told["findings"][0]["grade"] == "error"
    assert told["figure"] == "seen.svg" and Path("seen.svg").read_text().startswith("<?xml")


def test_findings_are_shown_and_drawn_beside_the_file(
    call: Call, pendulum: Pendulum, tmp_path: Path
) -> None:
    code, out, _ = call("data", "check", pendulum())
    # Without an environment, actions up to 2 leave the box.
    assert code == 1 and "actions-outside" in out and "stops before it begins" in out
    assert f"figure: {tmp_path / 'logged-check.png'}" in out
    assert (tmp_path / "logged-check.png").stat().st_size > 10_000
    code, out, _ = call("data", "check", pendulum(), "--env", "Pendulum-v1")
    assert code == 0 and "there is little to learn" in " ".join(out.split())


def test_nothing_is_drawn_of_what_is_no_dataset(call: Call, pendulum: Pendulum) -> None:
    line = ("data", "check", pendulum(), "--env", "MountainCarContinuous-v0")
    code, out, _ = call(*line)
    assert code == 1 and "other-observation-size" in out and "figure" not in out


def test_a_task_by_its_name_and_its_data_by_their_folder(call: Call, tmp_path: Path) -> None:
    code, out, _ = call("data", "check", "jax-pointmass", "--json")
    told = json.loads(out)
    assert code == 0 and told["environment"] == "point-mass" and told["episodes"] == 40
    code, out, _ = call("data", "check", told["data"])
    assert code == 0 and "compared with point-mass" in out
    assert f"figure: {tmp_path / 'jax-pointmass-check.png'}" in out


def test_the_environment_that_the_data_name(call: Call, tmp_path: Path) -> None:
    columns = np.zeros((4, 3), np.float32), np.zeros((4, 1), np.float32), np.zeros(4, np.float32)
    ends = np.array([False, False, False, True])
    data = Dataset(*columns, np.zeros(4, bool), ends, np.zeros((4, 3), np.float32))
    facts = {"task": "mine", "env_id": "Pendulum-v1", "env_kwargs": {"g": 9.0}}
    save_folder(data, tmp_path / "known", facts)
    _, out, _ = call("data", "check", "known", "--json")
    assert json.loads(out)["environment"] == "Pendulum-v1"
    save_folder(data, tmp_path / "broken", {**facts, "env_kwargs": {"gravity": 1}})
    _, out, _ = call("data", "check", "broken", "--json")
    note = next(f for f in json.loads(out)["findings"] if f["name"] == "no-environment")
    assert "gravity" in note["what"] and json.loads(out)["environment"] is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("data check jax-pointmas", "did you mean the task 'jax-pointmass'"),
        ("data check jax-pointmass --figure it.jpg", "end it in .png or .svg"),
        ("data check jax-pointmass --figure gone/it.png", "Cannot write"),
        ("data check jax-pointmass --env-arg a=1", "give --env too"),
        ("run iql jax-pointmass --ignore rewards-costant", "'rewards-constant'"),
        ("run iql jax-pointmass --ignore no-rows", "cannot be ignored"),
    ],
)
def test_wrong_words(line: str, says: str, refused: Refused) -> None:
    assert says in refused(*line.split())


def test_a_run_is_refused_and_then_allowed_by_name(
    refused: Refused, pendulum: Pendulum, caplog: pytest.LogCaptureFixture
) -> None:
    path = pendulum("bad", rewards=INFINITE)
    line = ("run", "td3_bc", "--env", "Pendulum-v1", "--data", path)
    text = refused(*line)
    assert "rewards hold numbers that are NaN, infinite or too large for float32 (row 3)" in text
    assert text.endswith("Remove the episodes with these rows and look for the cause in the "
                         "logger. To go on all the same: --ignore not-finite "
                         "(in Python ignore=['not-finite'])\n")  # fmt: skip
    given = Run(method="td3_bc", env="Pendulum-v1", data=path, ignore=("not-finite",))
    wanted = declare(given.method, task_of(given), **declared(given))
    rows = problem_of(wanted).rows
    assert rows is not None and not np.all(np.isfinite(rows))
    # Warnings are said, ignored ones are not.
    assert "warning other-dynamics" not in caplog.text  # nothing is replayed with such numbers
    problem_of(declare("td3_bc", task_of(Run(method="", env="Pendulum-v1", data=pendulum()))))
    assert "warning other-dynamics" in caplog.text


def test_what_was_ignored_stands_in_the_run() -> None:
    wanted = declare("td3_bc", "jax-pointmass", ignore=["not-finite", "rewards-constant"])
    facts = wanted.to_json()
    assert facts["ignore"] == ["not-finite", "rewards-constant"]
    assert facts["command"].endswith("--ignore not-finite --ignore rewards-constant")
    assert facts["describe"][-1][0] == "ignored" and "not-finite" in facts["describe"][-1][1]
    assert Declared.from_json(json.loads(json.dumps(facts))) == wanted
    before = {key: value for key, value in facts.items() if key != "ignore"}
    assert Declared.from_json(before).ignore == ()
    with pytest.raises(RunError, match="Did you mean"):
        declare("td3_bc", "jax-pointmass", ignore=["not-finit"])


def test_looking_at_a_run_examines_nothing(pendulum: Pendulum) -> None:
    given = Run(method="td3_bc", env="Pendulum-v1", data=pendulum("bad", rewards=INFINITE))
    wanted = declare(given.method, task_of(given), **declared(given))
    with pytest.raises(DataError):
        problem_of(wanted)
    assert problem_of(wanted, examine=False).rows is not None
