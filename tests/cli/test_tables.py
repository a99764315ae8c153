"""list, show and data: what they print, and the JSON that docs/schema.md describes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from warmstart.methods import METHODS
from warmstart.recipe import Recipe
from warmstart.tasks import TASKS, floor_of

Call = Callable[..., tuple[int, str, str]]


def told(call: Call, *words: str, code: int = 0) -> Any:
    """The JSON that a command prints."""
    found, out, err = call(*words, "--json")
    assert (found, err) == (code, "")
    return json.loads(out)


def test_every_method_has_five_answers(call: Call) -> None:
    rows = told(call, "list", "methods")
    assert [row["name"] for row in rows] == list(METHODS)
    for row in rows:
        assert all(row["answers"].values()), row["name"]
        assert row["title"] and row["cite"] and "quick" in row["presets"]
    code, out, _ = call("list", "methods")
    assert code == 0 and all(name in out for name in METHODS)


def test_tasks_say_whether_their_data_are_made(call: Call) -> None:
    assert not any(row["data_made"] for row in told(call, "list", "tasks"))
    code, out, _ = call("data", "make", "jax-pointmass", "--episodes", "2")
    assert code == 0
    rows = {row["name"]: row for row in told(call, "list", "tasks")}
    assert [(m["rows"], m["seed"]) for m in rows["jax-pointmass"]["made"]] == [(100, 0)]
    assert (rows["hopper"]["extra"], rows["pointmaze-large"]["extra"]) == ("locomotion", "mazes")
    assert rows["jax-pointmass"]["extra"] is None
    large = rows["pointmaze-large"]
    assert large["reward"] == {"scale": 1.0, "bias": -1.0} and large["discount"] == 0.995
    assert (large["return_rule"], large["reference"]) == ("sparse", [0.0, 1.0])
    made = {name: row["data_made"] for name, row in rows.items()}
    assert set(made) == set(TASKS) and made["jax-pointmass"] and not made["hopper"]
    facts = told(call, "data", "info", out.split()[-1])
    assert (facts["rows"], facts["episodes"], facts["truncated"]) == (100, 2, 2)
    assert (facts["obs_dim"], facts["action_dim"], facts["terminated"]) == (4, 2, 0)
    code, again, _ = call("data", "make", "jax-pointmass", "--episodes", "2")
    assert (code, again) == (0, out)
    code, table, _ = call("list", "tasks")
    assert code == 0 and "made already: 100" in table


def test_tasks_tell_their_floor(call: Call) -> None:
    rows = {row["name"]: row for row in told(call, "list", "tasks")}
    for name, row in rows.items():
        floor = floor_of(TASKS[name])
        assert row["floor"] is None if floor is None else row["floor"]["score"] == floor.score
    large = rows["pointmaze-large"]["floor"]
    assert large["score"] <= 5 and large["high"] is False and large["policy"]
    assert rows["pointmaze-umaze"]["floor"]["high"] is True
    code, table, _ = call("list", "tasks", "umaze")
    assert code == 0 and " !" in table and "Floor: what a policy" in table


@pytest.mark.parametrize(("columns", "wide"), [("80", False), ("160", True)])
def test_no_word_of_a_table_is_broken(
    call: Call, monkeypatch: pytest.MonkeyPatch, columns: str, wide: bool
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for what, rows in (("methods", "wsrl"), ("tasks", "pointmaze")):
        code, out, _ = call("list", what, rows)
        assert code == 0 and "…" not in out and max(map(len, out.splitlines())) <= int(columns)
        assert ("handover" in out) == (wide and what == "methods")
    said = out.replace("│", " ").split()
    for words in ("Steer a ball through", "made on this machine"):
        assert all(word in said for word in words.split())


def test_a_word_narrows_a_table(call: Call) -> None:
    names = [row["name"] for row in told(call, "list", "tasks", "Cube-Single")]
    assert names == [name for name in TASKS if "cube-single" in name]
    domains = {row["domain"] for row in told(call, "list", "tasks", "navigation")}
    assert domains == {"navigation"}
    assert [row["name"] for row in told(call, "list", "methods", "wsrl")] == ["wsrl"]
    code, out, err = call("list", "tasks", "navigaton")
    assert (code, out) == (2, "") and "Did you mean 'navigation'" in err


def test_stand_ins_say_whose_part_they_play(call: Call) -> None:
    roles = {row["name"]: row["stands_in_for"] for row in told(call, "list", "tasks")}
    assert roles["hopper"] is None and "Kitchen" in roles["scene-play-task1"]
    assert "COG" in roles["cube-single-mixed-task1"]
    assert "Adroit" in roles["metaworld-door-open"]
    _, table, _ = call("list", "tasks")
    assert "Stands in for" in table


def test_tasks_of_a_domain_stand_together(call: Call) -> None:
    domains = [row["domain"] for row in told(call, "list", "tasks")]
    starts = [d for d, before in zip(domains, [None, *domains], strict=False) if d != before]
    assert len(starts) == len(set(starts))


def test_data_are_made_by_rows_and_other_versions_are_told(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = call("data", "make", "jax-pointmass", "--size", "1.2e2")
    assert (code, err) == (0, "")
    assert told(call, "data", "info", out.split()[-1])["rows"] == 150
    monkeypatch.setattr("warmstart.data.manifest.metadata.version", lambda name: "0.0")
    code, _, err = call("data", "make", "jax-pointmass", "--size", "1.2e2")
    assert code == 0 and "made with jax" in err and "the same rows" in err


@pytest.mark.parametrize("method", list(METHODS))
def test_show_gives_every_number_as_set_reads_it(method: str, call: Call) -> None:
    shown = told(call, "show", method, "--preset", "quick")
    recipe = Recipe.from_json(shown["recipe"])
    assert shown["set"]["finetune.steps"] == recipe.finetune.steps
    assert shown["cite"] and shown["text"].startswith(shown["title"])
    code, out, _ = call("show", method, "--preset", "quick")
    assert code == 0 and "Differences" in out
    lines = out.split("--set PATH=VALUE)\n")[1].splitlines()
    for line in lines:
        path, _, value = line.strip().partition(" ")
        recipe = recipe.with_(path, value.strip()) if value.strip() else recipe
    assert recipe == Recipe.from_json(shown["recipe"])


def test_info_for_people(call: Call, pendulum: Callable[..., str]) -> None:
    code, out, _ = call("data", "info", pendulum())
    assert code == 0 and "episodes" in out and "logged.npz" in out
    assert "obs from" in out and "next_observations" in out
    none = {
        **{name: np.zeros((0, 3)) for name in ("observations", "next_observations")},
        **{name: np.zeros((0, 1)) for name in ("actions", "rewards", "terminals", "timeouts")},
    }
    code, out, _ = call("data", "info", pendulum("none", **none))
    assert code == 0 and "mean" not in out
