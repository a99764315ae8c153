"""Every finding: one dataset that has exactly that illness, and one that has not."""

from __future__ import annotations

import json
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.classic_control import PendulumEnv
from ill import (
    ALWAYS,
    SICK,
    Patient,
    bounded,
    clean,
    healthy,
    mass,
    maze,
    spec_only,
    spoil,
    unmarked,
)

from warmstart.edge.doctor import ILLNESSES, Finding, examine
from warmstart.edge.doctor.case import Case
from warmstart.edge.doctor.replay import replay
from warmstart.edge.environments import make_env
from warmstart.edge.makers import make_noisy, make_point_maze
from warmstart.tasks import custom_task, get_task


def names(case: Patient, short: bool = False) -> dict[str, Finding]:
    """What is found, by name."""
    return {f.name: f for f in examine(case.data, case.env, case.task, short).findings}


def test_every_illness_has_its_patient() -> None:
    assert set(SICK) == set(ILLNESSES)


@pytest.mark.parametrize("name", ILLNESSES)
def test_the_ill_and_the_healthy(name: str) -> None:
    finding = names(SICK[name]())[name]
    assert finding.grade in ILLNESSES[name].grades
    assert finding.fix.endswith(".") and not finding.what.endswith(".")
    assert json.dumps(dict(finding.numbers), allow_nan=False)
    if name not in ALWAYS:
        assert name not in names(healthy(name))


def test_the_healthy_have_nothing_worse_than_notes() -> None:
    for case in (Patient(clean()), maze(), mass()):
        assert {f.grade for f in names(case).values()} == {"note"}


@pytest.mark.parametrize(
    ("name", "case", "grade", "where"),
    [
        ("not-finite", Patient(spoil("rewards", [2, 5], np.inf)), "error", "2 rows: 2, 5"),
        ("next-obs-not-next-row", SICK["next-obs-not-next-row"](), "error", "row 3"),
        ("actions-still", SICK["actions-still"](), "warning", "axis 1"),
        ("actions-saturated", SICK["actions-saturated"](), "note", "axis 0"),
        (
            "actions-saturated",
            Patient(spoil("actions", (slice(None), 0), np.tile([1.0, -1.0], 27))),
            "warning",
            "axis 0",
        ),
        ("actions-outside", Patient(spoil("actions", (7, 0), 9, clean(30))), "warning", "1 rows"),
        ("duplicate-rows", SICK["duplicate-rows"](), "warning", "9 rows: 54"),
        ("wrong-types", Patient(replace(clean(), obs=clean().obs.astype(str))), "error", "obs"),
        (
            "terminals-at-time-limit",
            replace(SICK["terminals-at-time-limit"](), env=spec_only(3, 2, 9)),
            "error",
            "6 rows: 8",
        ),
        ("success", SICK["success"](), "warning", "6 episodes"),
        ("success", maze(), "note", "8 episodes"),
    ],
)
def test_grades_and_places(name: str, case: Patient, grade: str, where: str) -> None:
    finding = names(case)[name]
    assert finding.grade == grade and where in finding.where


def test_what_loading_clipped_is_remembered() -> None:
    info = {"actions_outside": {"rows": 30, "first": 1, "largest": 9.0}}
    finding = names(Patient(replace(clean(), info=info)))["actions-outside"]
    assert finding.grade == "error" and "up to 9" in finding.what and finding.count == 30


def test_observations_outside_are_named_by_row_and_number() -> None:
    finding = names(Patient(spoil("next_obs", [2, 7], [[0, -6, 0]]), bounded()))[
        "observations-outside"
    ]
    assert finding.grade == "warning" and finding.rows == (2, 7)
    assert finding.numbers["axes"] == [1] and finding.numbers["min"] == [-6.0]
    assert "declared are -5 to 5" in finding.what
    # Rounded numbers are inside, and bounds that the environment does not keep say nothing.
    assert "observations-outside" not in names(Patient(spoil("obs", (7, 1), 5.001), bounded()))
    careless = bounded()
    careless.reset = lambda seed: np.array([0, 8, 0], np.float32)
    assert "observations-outside" not in names(Patient(spoil("obs", (7, 1), 9.0), careless))


def test_bounds_of_real_environments_are_those_of_their_observations() -> None:
    task = custom_task("Pendulum-v1")
    env = make_env(task)()
    data = make_noisy(env, 0, 1)
    assert "observations-outside" not in names(Patient(data, env, task), short=True)
    wide = replace(data, obs=data.obs * np.float32(2.0))
    finding = names(Patient(wide, env, task), short=True)["observations-outside"]
    assert finding.numbers["high"][0] == 1.0 and finding.numbers["low"][0] == -1.0
    env.close()


def test_borders_are_found_where_they_are_and_nowhere_else() -> None:
    data = maze().data
    borders = np.flatnonzero(data.ends)[:-1].tolist()
    finding = names(Patient(unmarked(data)))["rows-across-borders"]
    # Two trips may end and begin in one cell: that border cannot be told from a step.
    assert set(finding.rows) <= set(borders) and len(finding.rows) >= len(borders) - 2


def test_a_goal_that_stays_met_is_no_row_that_was_lost() -> None:
    data, stream = clean(), np.zeros(54, bool)
    stream[20:26] = True
    obs = np.array(data.obs)
    obs[21:27] = data.next_obs[20:26]
    met = replace(data, obs=obs, terminated=data.terminated | stream)
    assert "one-row-episodes" not in names(Patient(met))
    assert "one-row-episodes" in names(Patient(replace(met, obs=data.obs + 9)))
    every = replace(met, terminated=np.ones(54, bool), truncated=np.zeros(54, bool))
    assert "one-row-episodes" in names(Patient(every))


def test_terminated_rows_may_show_the_next_start() -> None:
    """Nothing reads a value behind them."""
    data = unmarked(maze().data)
    data = replace(data, terminated=maze().data.ends)
    assert "rows-across-borders" not in names(Patient(data))


def test_numbers_of_the_replay() -> None:
    scale = names(SICK["reward-scale"]())["reward-scale"].numbers
    assert scale["slope"] == pytest.approx(10, rel=1e-3)
    assert scale["offset"] == pytest.approx(-5, abs=1e-2)
    sign = names(SICK["reward-sign"]())["reward-sign"]
    assert sign.grade == "error" and sign.numbers["correlation"] == pytest.approx(-1)
    timing = names(SICK["reward-timing"]())["reward-timing"]
    assert timing.numbers["shift"] == 1 and "belong to s" in timing.what
    healthy = names(mass())["replayed"].numbers
    assert healthy["correlation"] == pytest.approx(1) and healthy["step_error"] < 1e-4


def test_rewards_on_the_state_before_are_seen_in_a_sparse_maze() -> None:
    """The one row with a reward is the last of its episode: earlier by one is still seen."""
    data = maze().data
    early = np.where(data.ends, 0.0, np.roll(data.rewards, -1)).astype(np.float32)
    finding = names(replace(maze(), data=replace(data, rewards=early)))["reward-timing"]
    assert finding.numbers["shift"] == -1


@pytest.mark.parametrize(
    ("env_id", "kwargs"),
    [
        ("Hopper-v5", {}),
        ("Ant-v5", {}),
        ("PointMaze_UMaze-v3", {"continuing_task": True, "reset_target": True}),
        ("AntMaze_UMaze-v5", {}),
        ("Pendulum-v1", {}),
        ("MountainCarContinuous-v0", {}),
    ],
)
def test_every_family_of_simulators_replays(env_id: str, kwargs: dict[str, bool]) -> None:
    task = custom_task(env_id, kwargs, horizon=60)
    env = make_env(task)()
    data = make_noisy(env, 0, 4)
    found = names(Patient(data, env, task), short=True)
    assert found["replayed"].numbers["step_error"] < 1e-3
    assert not set(found) & {"reward-differs", "other-dynamics", "rows-across-borders"}
    flipped = replace(data, rewards=-data.rewards)
    if np.ptp(data.rewards) > 0:
        assert "reward-sign" in names(Patient(flipped, env, task), short=True)
    env.close()


def test_velocities_that_were_cut_do_not_tell_the_state() -> None:
    task = custom_task("Hopper-v5", horizon=60)
    env = make_env(task)()
    data = make_noisy(env, 0, 2)
    finding = names(Patient(replace(data, obs=data.obs + 20), env, task))["not-replayable"]
    assert "only 0 rows" in finding.what
    env.close()


class Steered(PendulumEnv):
    """A user's own: what its state means is not known."""


def test_a_simulator_of_your_own_is_not_put_anywhere() -> None:
    gymnasium.register("Steered-v0", Steered, max_episode_steps=5)
    task = custom_task("Steered-v0")
    env = make_env(task)()
    data = make_noisy(env, 0, 2)
    env.close()
    del gymnasium.registry["Steered-v0"]
    assert "not-replayable" in names(Patient(data, env, task))


def test_replay_finds_borders_that_the_numbers_hide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warmstart.edge.doctor.replay.across_borders", lambda case: [])
    case = replace(maze(), data=unmarked(maze().data))
    finding, *_ = replay(Case(case.data, case.env, case.task))
    assert finding.name == "rows-across-borders" and finding.grade == "error"
    assert set(finding.rows) <= set(np.flatnonzero(maze().data.ends).tolist())


def test_a_mujoco_maze_is_seen_as_the_jax_one() -> None:
    task = get_task("pointmaze-umaze")
    env = make_env(task)()
    found = names(Patient(make_point_maze(env, 0, 4, maze="umaze"), env, task))
    assert found["place-coverage"].numbers["free"] == 7
    assert found["replayed"].numbers["correlation"] == pytest.approx(1)
    env.close()
