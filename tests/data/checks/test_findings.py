"""Every finding: one dataset that has exactly that issue, and one that has not."""

from __future__ import annotations

import json
import re
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
    taking_turns,
    unmarked,
)

from warmstart.data.checks import ISSUES, Finding, examine, require_clean
from warmstart.data.checks.case import Case
from warmstart.data.checks.episode_returns import learners
from warmstart.data.checks.replay import replay
from warmstart.data.checks.row_order import across_borders
from warmstart.data.checks.terminal import verdict
from warmstart.data.makers import make_noisy, make_point_maze
from warmstart.envs.make import make_env
from warmstart.methods import METHODS
from warmstart.tasks import custom_task, get_task
from warmstart.types import Dataset


def names(case: Patient, short: bool = False) -> dict[str, Finding]:
    """What is found, by name."""
    report = examine(case.data, case.env, case.task, short, case.recipe)
    return {f.name: f for f in report.findings}


def test_every_issue_has_its_example() -> None:
    assert set(SICK) == set(ISSUES)


@pytest.mark.parametrize("name", ISSUES)
def test_the_ill_and_the_healthy(name: str) -> None:
    finding = names(SICK[name]())[name]
    assert finding.grade in ISSUES[name].grades
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


def test_rows_that_a_likelihood_sees_at_the_border_are_counted() -> None:
    actions = np.full((54, 2), 0.5, np.float32)
    actions[:6, 0], actions[3:9, 1] = 1.0, -0.995
    finding = names(Patient(replace(clean(), actions=actions)))["action-coverage"]
    assert finding.numbers["at_border_by_axis"] == [pytest.approx(1 / 9, rel=1e-5)] * 2
    assert "17% of the rows have one beyond 0.99" in finding.what  # 9 of 54


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
    monkeypatch.setattr("warmstart.data.checks.replay.across_borders", lambda case: [])
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


def walk(numbers: int, seed: int, episodes: int = 20, length: int = 50, tail: float = 0) -> Dataset:
    """Random walks from one place, nothing terminates, time limits marked; `tail` above 0: steps
    of a heavy-tailed distribution."""
    rng = np.random.default_rng(seed)
    shape = (episodes, length, numbers)
    steps = rng.standard_t(tail, shape) if tail else rng.standard_normal(shape)
    track = np.concatenate([np.zeros((episodes, 1, numbers)), np.cumsum(steps, 1)], 1)
    flat = (episodes * length, numbers)
    cut = np.tile(np.arange(length) == length - 1, episodes)
    return Dataset(
        obs=track[:, :-1].reshape(flat).astype(np.float32),
        actions=rng.uniform(-1, 1, (flat[0], 1)).astype(np.float32),
        rewards=rng.standard_normal(flat[0]).astype(np.float32),
        terminated=np.zeros(flat[0], bool),
        truncated=cut,
        next_obs=track[:, 1:].reshape(flat).astype(np.float32),
    )


def without_last_rows(data: Dataset) -> Dataset:
    """The same without next observations: the last row of each episode is gone."""
    kept = data.take([(a, b - 1) for a, b in data.episodes()])
    return replace(kept, info={})


@pytest.mark.parametrize("numbers", [1, 2, 3])
@pytest.mark.parametrize("tail", [0, 2])
def test_walks_with_marked_cuts_have_no_rows_across_borders(numbers: int, tail: float) -> None:
    for seed in range(12):
        for data in (walk(numbers, seed, tail=tail), without_last_rows(walk(numbers, seed))):
            found = {f.name for f in across_borders(Case(data))}
            assert not found, (numbers, seed)


def test_walks_of_one_number_without_any_mark_accuse_nobody() -> None:
    for seed in range(12):
        whole = walk(1, seed, 1, 1000)
        assert not across_borders(Case(whole))
        wrapped = (whole.obs + np.pi) % (2 * np.pi) - np.pi  # an angle leaps where it is cut
        data = replace(whole, obs=wrapped, next_obs=np.roll(wrapped, -1, axis=0))
        assert not across_borders(Case(data))


def test_a_teleport_within_marked_episodes_is_none_between_them() -> None:
    data = walk(2, 0)
    obs, next_obs = data.obs / 50, data.next_obs / 50
    for start, stop in data.episodes():
        obs[start + 20 : stop] += 3
        next_obs[start + 19 : stop] += 3
    assert not across_borders(Case(replace(data, obs=obs, next_obs=next_obs)))


def test_borders_that_were_not_marked_beside_marked_ones_are_found() -> None:
    """Episodes start at 0 and go on around 20: one border in three is not marked."""
    data = walk(4, 0, 30)
    obs, next_obs, truncated = data.obs / 50 + 20, data.next_obs / 50 + 20, data.truncated.copy()
    obs[::50] = 0
    rows = np.arange(1, 29, 3) * 50 + 49
    truncated[rows], next_obs[rows] = False, 0
    (finding,) = across_borders(
        Case(replace(data, obs=obs, next_obs=next_obs, truncated=truncated))
    )
    assert set(finding.rows) == set(rows)


@pytest.mark.parametrize("count", [2, 3, 8])
def test_environments_that_take_turns_are_seen_without_steps(count: int) -> None:
    finding = names(Patient(taking_turns(count)))["rows-interleaved"]
    assert finding.numbers["turns"] == count
    apart = taking_turns(1, 400)
    assert "rows-interleaved" not in names(Patient(apart))


def test_periods_and_chatter_are_no_turns() -> None:
    base, t = clean(1, 400), np.arange(401)[:, None]
    for rows in (
        np.sin(t * 2 * np.pi / np.array([8, 8, 4])),  # a gait
        np.concatenate([np.sin(t / 9), np.cos(t / 9), (-1.0) ** t], 1),  # one number chatters
        np.tile(np.linspace(0, 1, 10), 41)[:401, None] * np.array([1, 2, 3]),  # equal episodes
    ):
        rows = rows.astype(np.float32)
        data = replace(base, obs=rows[:-1], next_obs=rows[1:])
        assert "rows-interleaved" not in names(Patient(data))


@pytest.mark.parametrize(("value", "grade"), [(1e25, "error"), (1e6, "warning"), (-9e5, "warning")])
@pytest.mark.parametrize("column", ["obs", "next_obs"])
def test_wild_observations_are_named(value: float, grade: str, column: str) -> None:
    finding = names(Patient(spoil(column, (41, 1), value, clean(200))), short=True)[
        "wild-observations"
    ]
    assert finding.grade == grade and finding.rows == (41,) and finding.numbers["axes"] == [1]
    assert finding.numbers["largest"] == pytest.approx(abs(value))


def test_columns_of_large_numbers_or_heavy_tails_are_not_wild() -> None:
    data = clean(200)
    heavy = np.random.default_rng(0).standard_t(2, data.obs.shape).astype(np.float32)
    for obs in (data.obs * 1e6, data.obs + 1e6, heavy, np.zeros_like(data.obs)):
        assert "wild-observations" not in names(Patient(replace(data, obs=obs, next_obs=obs)))
    constant = spoil("obs", (slice(None), 1), 3.0, spoil("next_obs", (slice(None), 1), 3.0, data))
    assert "wild-observations" in names(Patient(spoil("obs", (41, 1), 1e25, constant)))


def test_what_spoils_cal_ql_is_said_before_its_run_and_not_before_others() -> None:
    data = spoil("rewards", slice(None), np.where(np.arange(54) % 2, -1.0, -2.0))
    for method, said in (("cal_ql", True), ("wsrl", True), ("td3_bc", False)):
        recipe = METHODS[method].recipe("quick")
        found = require_clean(data, recipe=recipe)
        assert ("return-to-go-too-high" in {f.name for f in found}) == said, method


def test_the_verdict_says_what_warnings_mean() -> None:
    def verdict_of(data: Dataset) -> str:
        return verdict(examine(data)).plain

    assert verdict_of(clean(200)).endswith("nothing in the way of learning")
    for name in ("few-rows", "rewards-all-zero", "rewards-constant"):
        said = verdict_of(SICK[name]().data)
        assert "there is little to learn" in said and name in said
    odd = verdict_of(SICK["actions-still"]().data)
    assert odd.endswith("what is warned of may spoil it")


def test_pendulums_own_rewards_are_too_large_for_iql_and_the_fix_mends_it() -> None:
    """What is suggested is what helps there: about 0.05."""
    task = custom_task("Pendulum-v1")
    env = make_env(task)()
    data = make_noisy(env, 0, 3)
    recipe = METHODS["iql"].recipe("paper")
    finding = names(Patient(data, env, task, recipe), short=True)["advantage-scale"]
    option = re.search(r"--reward-scale (\S+)", finding.fix)
    assert option and 0.02 <= float(option[1]) <= 0.1
    fixed = custom_task("Pendulum-v1", reward_scale=float(option[1]))
    assert "advantage-scale" not in names(Patient(data, env, fixed, recipe), short=True)
    for other in ("td3_bc", "bc", "cal_ql"):
        found = names(Patient(data, env, task, METHODS[other].recipe("paper")), short=True)
        assert "advantage-scale" not in found
    env.close()


def test_tasks_of_the_catalogue_change_the_exponent_instead() -> None:
    loud = spoil("rewards", slice(None), 50 * clean().rewards)
    case = replace(mass(), data=replace(mass().data, rewards=20 * mass().data.rewards))
    finding = names(replace(case, recipe=METHODS["iql"].recipe("quick")))["advantage-scale"]
    option = re.search(r"--set (learner\S+)=(\S+)", finding.fix)
    assert option and "--reward-scale" not in finding.fix
    softer = METHODS["iql"].recipe("quick").with_(option[1], option[2])
    assert "advantage-scale" not in names(replace(case, recipe=softer))
    awac = METHODS["awac"].recipe("paper")
    assert ("advantage-scale" in names(Patient(loud, recipe=awac))) == (
        awac.finetune.learner.improvement.form == "exp"
    )


@pytest.mark.parametrize("method", ["iql", "cal_ql", "bc", "td3_bc", "simba", "aca"])
def test_a_large_column_and_the_option_that_scales_it(method: str) -> None:
    case = SICK["observation-scale"]()
    recipe = METHODS[method].recipe("paper")
    found = names(replace(case, recipe=recipe))
    if all(each.normalise != "none" for each in learners(recipe)):  # it scales by itself
        assert "observation-scale" not in found and method in ("bc", "td3_bc", "simba")
        return
    finding = found["observation-scale"]
    option = re.search(r"--set (\S+)=(\w+)", finding.fix)
    assert (option is None) == (method == "aca"), finding.fix
    if option is not None:
        scaled = recipe.with_(option[1], option[2])
        assert "observation-scale" not in names(replace(case, recipe=scaled))


def test_rewards_that_a_critic_cannot_reach_or_see() -> None:
    for factor, named in ((1.0, False), (100.0, False), (1e5, True), (1e-4, True), (1e-2, False)):
        data = replace(clean(30), rewards=clean(30).rewards * np.float32(factor))
        found = names(Patient(data, task=custom_task("A-v0")), short=True)
        assert ("reward-magnitude" in found) == named, factor
        if named:
            option = re.search(r"--reward-scale (\S+)", found["reward-magnitude"].fix)
            assert option
            task = custom_task("A-v0", reward_scale=float(option[1]))
            assert "reward-magnitude" not in names(Patient(data, task=task), short=True)
    cloned = METHODS["bc"].recipe("paper")
    case = Patient(replace(clean(), rewards=clean().rewards * 1e6), recipe=cloned)
    assert "reward-magnitude" not in names(case)


@pytest.mark.parametrize(("rows", "largest"), [(240, 1e30), (240, 1e6), (20, 1e6), (3_000, 1e6)])
def test_one_wild_reward_is_named_in_small_and_sparse_data(rows: int, largest: float) -> None:
    """One row of 240 is more than one of 1,000; and most rewards may be 0."""
    dense = clean(rows // 10, 10)
    goals = replace(dense, rewards=(np.arange(rows) % 3 == 2).astype(np.float32))
    for data in (dense, goals):
        finding = names(Patient(spoil("rewards", 7, largest, data)), short=True)["reward-outliers"]
        assert finding.rows == (7,) and finding.grade == ("error" if largest > 1e18 else "warning")
        assert "reward-outliers" not in names(Patient(data))


@pytest.mark.parametrize("share", [0.002, 0.02, 0.3])
def test_a_number_that_stands_for_none_is_named_however_often_it_comes(share: float) -> None:
    rows = np.flatnonzero(np.random.default_rng(0).random(1_000) < share)
    base = clean(100, 10)
    data = spoil("next_obs", (rows[:-1], 1), -9999.0, spoil("obs", (rows[1:], 1), -9999.0, base))
    finding = names(Patient(data), short=True)["wild-observations"]
    assert finding.grade == "warning" and finding.numbers["axes"] == [1]
    assert finding.count == len(rows) and finding.numbers["largest"] == 9999.0
    switch = spoil("obs", (slice(None), 1), 5_000.0 * (np.arange(1_000) % 4 == 0), base)
    assert "wild-observations" not in names(Patient(switch))  # one of two states


def test_done_last_at_the_time_limit_is_told_as_it_was_said() -> None:
    ends = replace(clean(), terminated=clean().ends, truncated=np.zeros(54, bool))
    said = replace(ends, info={"mapping": {"done": "last"}})
    assert "done=never" in names(Patient(said))["terminals-at-time-limit"].fix
    assert "done=never" not in names(Patient(ends))["terminals-at-time-limit"].fix
