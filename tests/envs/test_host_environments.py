"""Simulators on the host: shapes, seeds, ends, boxes, and what is refused."""

import dataclasses
import glob
import importlib.util
import json
import os
import tempfile

import gymnasium
import numpy as np
import pytest

from warmstart.envs import make as environments
from warmstart.envs.interface import box_of, observations_of
from warmstart.envs.jax_host import JaxHostEnv
from warmstart.envs.make import make_env
from warmstart.envs.registry import CLOSED_BADLY, is_installed
from warmstart.envs.spaces import describe_spaces
from warmstart.errors import TaskError
from warmstart.tasks import custom_task, get_task
from warmstart.tasks.point_mass import PointMass
from warmstart.types import HostEnv

BOX = gymnasium.spaces.Box(-9, 9, (2,), np.float32)


class Odd(gymnasium.Env):
    """An environment with whatever spaces a test wants; observes its last action."""

    def __init__(self, observation_space=None, action_space=None):
        self.observation_space = observation_space or gymnasium.spaces.Box(-9, 9, (2,), np.float64)
        self.action_space = action_space or gymnasium.spaces.Box(-9, 9, (2,), np.float64)
        self.last = np.zeros(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        self.last = action
        return self.observation_space.sample(), 1.0, False, False, {"is_success": True}


@pytest.fixture(autouse=True, scope="module")
def registered():
    gymnasium.register("Odd-v0", entry_point=Odd, max_episode_steps=7)
    yield
    del gymnasium.registry["Odd-v0"]


@pytest.fixture(scope="module")
def maze():
    env = make_env(get_task("pointmaze-umaze"))()
    yield env
    env.close()


def test_maze_drops_its_constant_goal(maze):
    assert isinstance(maze, HostEnv)
    assert (maze.spec.obs_dim, maze.spec.action_dim, maze.spec.horizon) == (4, 2, 300)
    obs = maze.reset(3)
    assert obs.shape == (4,) and obs.dtype == np.float32


def test_maze_goal_is_the_same_point_in_every_episode(maze):
    for seed in range(5):
        maze.reset(seed)
        assert np.allclose(maze._env.unwrapped.goal, [-1.0, 1.0])


def test_maze_episode_is_a_function_of_seed_and_actions(maze):
    def episode():
        rows = [maze.reset(11)]
        actions = np.random.default_rng(0).uniform(-1, 1, (50, 2)).astype(np.float32)
        return np.array(rows + [maze.step(action).obs for action in actions])

    assert np.array_equal(episode(), episode())


def test_maze_goal_ends_the_episode_with_success(maze):
    maze.reset(0)
    maze._env.unwrapped.point_env.set_state(np.array([-1.0, 1.0]), np.zeros(2))
    step = maze.step(np.zeros(2))
    assert (step.reward, step.terminated, step.truncated, step.success) == (1, True, False, True)


def test_maze_time_limit_truncates_with_the_true_observation(maze):
    maze.reset(0)
    steps = [maze.step(np.zeros(2, np.float32)) for _ in range(300)]
    assert [s.truncated for s in steps] == [False] * 299 + [True]
    assert not any(s.terminated or s.success for s in steps)
    assert np.allclose(steps[-1].obs, steps[0].obs, atol=1e-3)  # no reset slipped in


def test_mazes_leave_no_model_files_behind():
    pattern = os.path.join(tempfile.gettempdir(), "ant_maze*.xml")
    before = set(glob.glob(pattern))
    make_env(get_task("pointmaze-umaze"))().close()
    assert set(glob.glob(pattern)) <= before


def test_without_a_fixed_goal_the_goal_is_observed_in_sorted_key_order():
    env = make_env(custom_task("PointMaze_UMaze-v3", {"continuing_task": False}))()
    obs = env.reset(0)
    assert env.spec.obs_dim == 8 and env.spec.horizon == 300
    assert np.allclose(obs[:2], obs[4:6])  # achieved, desired, observation
    assert np.allclose(obs[2:4], env._env.unwrapped.goal)
    env.close()


def test_actions_are_rescaled_to_the_box_and_clipped():
    box = gymnasium.spaces.Box(np.array([-2.0, 0.0]), np.array([2.0, 1.0]), dtype=np.float64)
    env = make_env(custom_task("Odd-v0", {"action_space": box}))()
    env.reset(0)
    for unit, want in (([-1, -1], [-2, 0]), ([0, 0], [0, 0.5]), ([5, 1], [2, 1])):
        step = env.step(np.array(unit, np.float32))
        assert np.allclose(env._env.unwrapped.last, want)
        assert step.success and step.obs.dtype == np.float32
    assert env._env.unwrapped.last.dtype == np.float64


def test_simulators_that_would_fill_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch):
    open_one = make_env(custom_task("Odd-v0"))
    open_one().close()
    monkeypatch.setattr(environments, "free_memory", lambda: 200_000_000)
    with pytest.raises(TaskError, match=r"200 MB of memory .* 20 to be evaluated: .* --at-once"):
        open_one()


def test_task_horizon_wins_over_the_environments():
    assert make_env(custom_task("Odd-v0", horizon=3))().spec.horizon == 3
    assert make_env(custom_task("Odd-v0"))().spec.horizon == 7


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"action_space": gymnasium.spaces.Discrete(3)}, "continuous actions"),
        ({"action_space": gymnasium.spaces.Box(-np.inf, np.inf, (1,))}, "unbounded action box"),
        ({"observation_space": gymnasium.spaces.Box(0, 1, (32, 32, 3))}, "observe uint8 from 0"),
        ({"observation_space": gymnasium.spaces.Box(0, 255, (3, 8, 9), np.uint8)}, r"\[8, 9, 3\]"),
        ({"observation_space": gymnasium.spaces.Box(0, 255, (8, 8), np.uint8)}, r"\[8, 8, 1\]"),
        ({"observation_space": gymnasium.spaces.Discrete(3)}, "FlattenObservation"),
        ({"colour": 3}, "keyword arguments"),
    ],
)
def test_environments_that_do_not_fit_are_refused(kwargs, words):
    with pytest.raises(TaskError, match=words):
        make_env(custom_task("Odd-v0", kwargs))()


def test_what_is_refused_is_closed(monkeypatch):
    closed = []
    monkeypatch.setattr(Odd, "close", lambda self: closed.append(self), raising=False)
    with pytest.raises(TaskError, match="continuous actions"):
        make_env(custom_task("Odd-v0", {"action_space": gymnasium.spaces.Discrete(3)}))()
    assert len(closed) == 1


@pytest.mark.parametrize("env_id", ["Hoper-v5", "os:system", "PointMaze_Larg-v3"])
def test_only_installed_ids_are_made(env_id):
    assert not is_installed(env_id)
    with pytest.raises(TaskError, match="No installed package registers"):
        make_env(custom_task(env_id))()


def test_unknown_id_gets_a_hint():
    with pytest.raises(TaskError, match=r"Did you mean.*'Hopper-v5'"):
        make_env(custom_task("Hoppr-v5"))()


def test_missing_mazes_extra_is_named(monkeypatch):
    monkeypatch.setattr("warmstart.envs.registry.is_installed", lambda env_id: False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(TaskError, match=r"pip install 'warmstart\[mazes\]'"):
        make_env(get_task("pointmaze-umaze"))()


def test_missing_mujoco_is_named(monkeypatch):
    def refuse(*args, **kwargs):
        raise gymnasium.error.DependencyNotInstalled("no mujoco")

    monkeypatch.setattr(gymnasium, "make", refuse)
    with pytest.raises(TaskError, match=r"pip install 'warmstart\[locomotion\]'"):
        make_env(get_task("hopper"))()


def test_goal_cell_needs_a_maze_and_a_free_cell():
    from dataclasses import replace

    with pytest.raises(TaskError, match="not a maze"):
        make_env(replace(custom_task("Odd-v0"), goal_cell=(1, 1)))()
    with pytest.raises(TaskError, match="no free cell"):
        make_env(replace(get_task("pointmaze-umaze"), goal_cell=(0, 0)))()


def test_start_cells_need_a_maze_and_free_cells_that_are_not_the_goal():
    from dataclasses import replace

    with pytest.raises(TaskError, match="not a maze, so it has no start cell"):
        make_env(replace(custom_task("Odd-v0"), start_cells=((1, 1),)))()
    maze = get_task("pointmaze-umaze")
    for cell in ((0, 0), (9, 1)):
        with pytest.raises(TaskError, match=r"no free cell .* for its start"):
            make_env(replace(maze, start_cells=((3, 1), cell)))()
    with pytest.raises(TaskError, match="which is its goal"):
        replace(maze, start_cells=((1, 1),))
    with pytest.raises(TaskError, match="point-mass is not a maze"):
        make_env(replace(get_task("jax-pointmass"), start_cells=((1, 1),)))()


def test_an_ant_starts_in_its_cell():
    env = make_env(get_task("antmaze-medium"))()
    corner = env.simulator.maze.cell_rowcol_to_xy(np.array([1, 1]))
    starts = np.array([env.reset(seed)[:2] for seed in range(8)])
    env.close()
    assert np.abs(starts - corner).max() < 0.25 * 4 + 0.2 and np.ptp(starts, axis=0).min() > 0.5


def test_hopper_falls_and_terminates():
    env = make_env(get_task("hopper"))()
    assert (env.spec.obs_dim, env.spec.action_dim, env.spec.horizon) == (11, 3, 1000)
    env.reset(0)
    steps = [env.step(np.ones(3, np.float32)) for _ in range(60)]
    assert any(step.terminated for step in steps) and not any(step.success for step in steps)
    assert env.render() is None
    env.close()


def test_jax_simulator_on_the_host_is_the_same_program():
    env = PointMass(horizon=5)
    host = JaxHostEnv(env)
    obs = host.reset(4)
    assert np.array_equal(obs, host.reset(4)) and not np.array_equal(obs, host.reset(5))
    host.reset(4)
    steps = [host.step(np.full(2, 0.3, np.float32)) for _ in range(5)]
    assert [s.truncated for s in steps] == [False] * 4 + [True]
    assert steps[0].obs.shape == (4,) and steps[0].reward < 0
    assert isinstance(host, HostEnv) and host.render() is None


class Answers(Odd):
    """Answers a step with one part changed."""

    def __init__(self, part=None, value=None):
        super().__init__()
        self.part, self.value = part, value

    def step(self, action):
        if self.part == "exit":
            raise SystemExit(3)
        parts = ("obs", "reward", "terminated", "truncated", "info")
        usual = (np.zeros(2), 1.0, False, False, {})
        return tuple(self.value if p == self.part else u for p, u in zip(parts, usual, strict=True))


@pytest.fixture
def answering():
    gymnasium.register("Answers-v0", entry_point=Answers, max_episode_steps=7)
    yield lambda part, value: make_env(custom_task("Answers-v0", {"part": part, "value": value}))()
    del gymnasium.registry["Answers-v0"]


@pytest.mark.parametrize(
    ("part", "value", "says"),
    [
        ("reward", None, "reward None: return one number"),
        ("reward", [1.0, 2.0], "return one number"),
        ("terminated", None, "terminated None: return True or False"),
        ("terminated", "False", "return True or False"),
        ("truncated", [False, True], "return True or False"),
        ("info", None, "return a dict"),
        ("info", {"success": "no"}, "success True or False"),
        ("obs", "ab", "return an array of numbers"),
        ("exit", None, "failed in step .SystemExit"),
    ],
)
def test_answers_of_a_wrong_type_are_named(answering, part, value, says):
    env = answering(part, value)
    env.reset(0)
    with pytest.raises(TaskError, match=says):
        env.step(np.zeros(2, np.float32))


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("reward", np.array([1.0])),
        ("terminated", np.array([0])),
        ("info", {"success": np.array([0.0])}),
        ("info", {"is_success": None}),
    ],
)
def test_one_number_in_an_array_is_a_number(answering, part, value):
    env = answering(part, value)
    env.reset(0)
    out = env.step(np.zeros(2, np.float32))
    assert (out.reward, out.terminated, out.success) == (1.0, False, False)


def raw_of(env):
    """What the environment itself observes, and what we make of it, at the same reset."""
    observed, reset = [], env._env.reset
    env._env.reset = lambda **given: observed.append(reset(**given)) or observed[-1]
    flat = env.reset(5)
    return observed[-1][0], flat


@pytest.mark.parametrize("name", ["pointmaze-umaze", "Pendulum-v1", "Odd-v0"])
def test_the_interface_says_how_observations_are_joined(name):
    inner = gymnasium.spaces.Dict({"z": gymnasium.spaces.Box(-1, 1, ()), "a": BOX})
    kwargs = {"observation_space": gymnasium.spaces.Dict({"b": inner, "B": BOX})}
    task = get_task(name) if name.startswith("point") else custom_task(name, horizon=9)
    if name == "Odd-v0":
        task = custom_task(name, kwargs)
    env = make_env(task)()
    told = json.loads(json.dumps(env.interface))
    seen, box = observations_of(told["observation"]), box_of(told["action"])
    raw, flat = raw_of(env)
    joined, batch = seen(raw)
    assert np.array_equal(joined[0], flat) and not batch
    assert seen.size == env.spec.obs_dim and box.size == env.spec.action_dim
    unit = np.linspace(-1.5, 1.5, box.size, dtype=np.float32)
    low, high = env.action_box
    wanted = low + (np.clip(unit, -1, 1) + 1) / 2 * (high - low)
    assert np.allclose(box(unit), wanted, atol=1e-5)
    assert env._env.action_space.contains(box(unit))


def test_an_infinite_bound_is_told_as_none():
    env = make_env(custom_task("Pendulum-v1"))()
    (part,) = env.interface["observation"]["parts"]
    assert (part["path"], part["shape"], part["high"]) == ([], [3], [1.0, 1.0, 8.0])
    wide = gymnasium.spaces.Box(-np.inf, np.inf, (2,))
    told = describe_spaces(wide, env._env.action_space)["observation"]["parts"][0]
    assert told["low"] == told["high"] == [None, None]


def test_a_failing_close_is_logged_and_costs_nothing(caplog):
    class Stuck(Odd):
        def close(self):
            raise SystemExit("the driver hung up")

    gymnasium.register("Stuck-v0", entry_point=Stuck, max_episode_steps=7)
    try:
        for task in (custom_task("Stuck-v0"), custom_task("Stuck-v0", physical=True)):
            CLOSED_BADLY.clear()
            envs = [make_env(task)() for _ in range(3)]
            with caplog.at_level("WARNING", "warmstart"):
                for env in envs:
                    env.close()
            (line,) = [record.getMessage() for record in caplog.records]
            assert line.startswith("Environment Stuck-v0 failed in close (SystemExit: the driver")
            caplog.clear()
        with pytest.raises(TaskError, match="not a maze"):  # also where it is closed unused
            make_env(dataclasses.replace(task, goal_cell=(1, 1), physical=False))()
    finally:
        del gymnasium.registry["Stuck-v0"]
