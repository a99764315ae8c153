"""What a finding of `data check` says to type is typed, and the finding is gone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from warmstart.cli import main
from warmstart.commands.arguments import task_of
from warmstart.commands.options import Run
from warmstart.commands.parse import parse
from warmstart.data import load
from warmstart.data.checks import examine
from warmstart.methods import METHODS

EPISODES, STEPS = 12, 20
Table = dict[str, np.ndarray]
Check = Callable[..., dict[str, str]]


def walks() -> Table:
    """Episodes of random walks, one row of the log for each step, by its column's name."""
    rng = np.random.default_rng(0)
    count, at = EPISODES * STEPS, np.arange(EPISODES * STEPS) % STEPS
    track = np.cumsum(0.1 * rng.normal(size=(EPISODES, STEPS, 3)), axis=1)
    return {
        **{f"x_{i}": track[..., i].ravel() for i in range(3)},
        "u": rng.uniform(-1, 1, count),
        "reward": rng.normal(size=count),
        "run": np.arange(count) // STEPS,
        "done": np.zeros(count),
        "cut": (at == STEPS - 1).astype(float),
    }


def write(path: str, table: Table) -> None:
    lines = [",".join(table), *(",".join(map(repr, row)) for row in _rows(table))]
    Path(path).write_text("\n".join(lines) + "\n")


def _rows(table: Table) -> list[list[float]]:
    return np.stack([np.asarray(column, float) for column in table.values()], axis=1).tolist()


@pytest.fixture
def check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Check:
    """Looks at log.csv: the fix of each finding, by name."""
    monkeypatch.chdir(tmp_path)

    def look(columns: str, *more: str) -> dict[str, str]:
        capsys.readouterr()
        columns = f"obs=x_*,action=u,reward=reward,{columns}"
        code = main(["data", "check", "log.csv", "--columns", columns, *more, "--json"])
        out = capsys.readouterr()
        assert code in (0, 1), out.err
        return {f["name"]: f["fix"] for f in json.loads(out.out)["findings"]}

    return look


def said(fix: str, pattern: str) -> str:
    found = re.search(pattern, fix)
    assert found, fix
    return found[1]


@pytest.mark.parametrize("place", [4_500_000.0, -1.7e9, 30_000.25])
def test_the_offset_that_is_named_keeps_the_digits(check: Check, place: float) -> None:
    table = walks()
    table["x_1"] = 0.02 * table["x_1"] + place
    write("log.csv", table)
    option = said(check("done=never,episode=run")["precision-lost"], r"(--obs-offset=\S+?),? ?\(in")
    assert "precision-lost" not in check("done=never,episode=run", option.strip())


def test_limits_of_the_actions_bring_them_inside(check: Check) -> None:
    table = walks()
    table["u"] = 3 + 4 * table["u"]
    write("log.csv", table)
    option = said(check("done=never,episode=run")["actions-outside"], r"(--action-box=)LOW:HIGH")
    assert "actions-outside" not in check("done=never,episode=run", f"{option}-1:7")


def test_what_is_done_and_truncated_is_read_as_cut(check: Check) -> None:
    table = walks()
    table["done"] = table["cut"]
    write("log.csv", table)
    columns = "done=done,truncated=cut,episode=run"
    view = said(check(columns)["done-and-truncated"], r"--view (\S+)")
    assert "done-and-truncated" not in check(columns, "--view", view)


def test_dropped_rewards_are_kept_where_the_end_is_said(check: Check) -> None:
    table = walks()
    table["reward"] = table["goal"] = table["cut"]
    write("log.csv", table)
    fix = check("done=never,episode=run")["rewards-dropped"]
    assert "--columns done=NAME" in fix
    for done in ("goal", said(fix, r"(?:done=)(last) if")):
        found = check(f"done={done},episode=run")
        assert not {"rewards-dropped", "rewards-all-zero"} & set(found)
    limit = found["terminals-at-time-limit"]  # equal lengths: it may be one, and the fix says so
    assert said(limit, r"say done=(\S+) for done=last") == "never"
    assert "terminals-at-time-limit" not in check("done=never,episode=run")


def test_sorted_rows_with_their_episodes_are_not_interleaved(check: Check) -> None:
    table = walks()
    order = np.argsort(np.arange(EPISODES * STEPS) % STEPS, kind="stable")
    turns = {name: column[order] for name, column in table.items()}
    write("log.csv", turns)
    fix = check("done=never")["rows-interleaved"]
    assert "Sort the rows by environment and time" in fix
    columns = said(fix, r"--columns (episode)=NAME") + "=run"
    write("log.csv", table)
    assert "rows-interleaved" not in check(f"done=never,{columns}")


def test_another_return_rule_lowers_cal_qls_bound(check: Check) -> None:
    table = walks()
    table["reward"] = -1.0 - 0.1 * np.abs(table["reward"])
    write("log.csv", table)
    fix = check("done=never,episode=run")["return-to-go-too-high"]
    rules = said(fix, r"--return-rule (\w+), or"), said(fix, r", or (\w+) if")
    mapping = {"obs": "x_*", "action": "u", "reward": "reward", "done": "never", "episode": "run"}
    data, recipe = load("log.csv", mapping=mapping), METHODS["cal_ql"].recipe("quick")
    for rule in (None, *rules):
        words = ["run", "cal_ql", "--env", "Pendulum-v1", "--data", "log.csv"]
        given = parse([*words, *(("--return-rule", rule) if rule else ())])
        assert isinstance(given, Run)
        found = {f.name for f in examine(data, None, task_of(given), True, recipe).findings}
        assert ("return-to-go-too-high" in found) == (rule is None)
