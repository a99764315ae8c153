"""The floor of a task: which of four policies it is, on which scale, and what is said of it."""

import json
from dataclasses import replace

import pytest

from warmstart.tasks import TASKS, custom_task, floor_of, floors, get_task
from warmstart.tasks.floors import environment


def policy(success=0.0, mean=0.0, std=0.0, episodes=100, **more):
    found = {"success": success, "return": mean, "return_std": std, "episodes": episodes}
    return {**found, **more}


@pytest.fixture
def record(tmp_path, monkeypatch):
    """Writes what was measured, by task name."""

    def write(**measured):
        every = {
            name: {"environment": json.loads(environment(get_task(name.replace("_", "-")))), **one}
            for name, one in measured.items()
        }
        (tmp_path / "floors.json").write_text(json.dumps(every))
        floors._record.cache_clear()

    monkeypatch.setattr(floors, "RECORD", tmp_path / "floors.json")
    floors._record.cache_clear()
    yield write
    floors._record.cache_clear()


def test_the_best_of_the_four_counts(record):
    assert floor_of(get_task("pointmaze-large")) is None
    record(
        pointmaze_large={
            "uniform": policy(0.01, mean=9.0),
            "none": policy(),
            "constant": policy(0.16, action=[1.0, -0.25]),
            "linear": policy(0.04),
        }
    )
    floor = floor_of(get_task("pointmaze-large"))
    assert (floor.score, floor.kind, floor.action, floor.episodes) == (
        16.0,
        "constant",
        (1.0, -0.25),
        100,
    )
    assert floor.error == pytest.approx(100 * (0.16 * 0.84 / 100) ** 0.5) and floor.high
    assert floor.words == "16.0, by the constant action (1, -0.25)"


def test_returns_are_put_on_the_tasks_scale(record):
    hopper = {kind: policy(mean=-20.272305) for kind in floors.KINDS}
    hopper["linear"] = policy(mean=-20.272305 + 0.04 * 3254.572305, std=325.4572305)
    record(hopper=hopper)
    for name in ("hopper", "hopper-medium"):  # other data, the same environment
        floor = floor_of(get_task(name))
        assert floor.score == pytest.approx(4.0) and floor.error == pytest.approx(1.0)
        assert floor.kind == "linear" and floor.action is None and floor.high is False
    bare = floor_of(replace(get_task("hopper"), reference=None))
    assert bare.score == pytest.approx(-20.272305 + 0.04 * 3254.572305) and bare.high is None


def test_another_environment_has_no_floor_of_this_one(record):
    record(pointmaze_umaze={kind: policy() for kind in floors.KINDS})
    maze = get_task("pointmaze-umaze")
    assert floor_of(maze) == floor_of(get_task("pointmaze-umaze-dense"))
    for other in (
        replace(maze, start_cells=()),
        replace(maze, goal_cell=(1, 3)),
        replace(maze, horizon=100),
        get_task("jax-pointmaze-umaze"),
        custom_task("Pendulum-v1"),
    ):
        assert floor_of(other) is None


def test_a_sentence_on_the_seeds_at_the_floor(record):
    record(pointmaze_umaze={kind: policy(0.1) for kind in floors.KINDS})
    floor = floor_of(get_task("pointmaze-umaze"))  # 10 +- 3
    assert floor.said({0: 13.1}, "At the end") is None
    assert floor.said({0: 12.9}, "At the end") == (
        "At the end the policy scored no better than the task's floor (10.0, by uniform random "
        "actions), which needs no learning."
    )
    told = floor.said({0: 0.0, 1: 50.0, 2: 0.0}, "Before the switch")
    assert told is not None and told.startswith("Before the switch seeds 0, 2 scored no better")
    told = floor.said({4: 0.0, 5: 0.0}, "At the end")
    assert told is not None and "all 2 seeds scored" in told


def test_the_shipped_record_is_of_tasks_as_they_are():
    every = json.loads(floors.RECORD.read_text())
    assert every
    for name, one in every.items():
        assert json.dumps(one["environment"], sort_keys=True) == environment(TASKS[name]), name
        assert all(one[kind]["episodes"] > 0 for kind in floors.KINDS)


def test_the_default_task_can_tell_learning_from_its_floor():
    floor = floor_of(get_task("pointmaze-large"))
    assert floor is not None and floor.score <= floors.LIMIT and not floor.high
