"""The JAX point maze: its map, its physics against MuJoCo's, its walls and its ends."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.data.makers import dataset_for, make_maze_walks
from warmstart.envs.make import make_env
from warmstart.errors import TaskError
from warmstart.tasks import MAZES, get_maze, get_task
from warmstart.tasks.jax_envs import make_jax_env
from warmstart.tasks.point_maze import PointMaze, PointMazeState


def place(xy, velocity=(0.0, 0.0), t=0):
    return PointMazeState(
        jnp.asarray(xy, jnp.float32), jnp.asarray(velocity, jnp.float32), jnp.asarray(t, jnp.int32)
    )


@pytest.mark.parametrize("size", sorted(MAZES))
def test_maps_are_those_of_gymnasium_robotics(size):
    maps = pytest.importorskip("gymnasium_robotics.envs.maze.maps")
    theirs = {"umaze": maps.U_MAZE, "medium": maps.MEDIUM_MAZE, "large": maps.LARGE_MAZE}[size]
    assert np.array_equal(MAZES[size].walls, np.array(theirs) == 1)
    assert not MAZES[size].walls[MAZES[size].goal_cell]


@pytest.mark.parametrize("size", sorted(MAZES))
def test_cells_positions_and_distances(size):
    maze = get_maze(size)
    assert all(maze.cell(*maze.centre(c)) == tuple(c) for c in maze.free)
    field = maze.distances(maze.goal_cell)
    assert field[maze.goal_cell] == 0
    assert np.array_equal(field < 0, maze.walls)  # every free cell can be reached


def test_unknown_maze():
    with pytest.raises(TaskError, match="Did you mean 'large'"):
        PointMaze("larg")


@pytest.fixture(scope="module")
def mujoco():
    host = make_env(get_task("pointmaze-large"))()
    yield host
    host.close()


@pytest.fixture(scope="module")
def step():
    return jax.jit(PointMaze("large").step)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_free_space_matches_mujoco(mujoco, step, seed):
    state = place(mujoco.reset(seed)[:2])
    for action in np.random.default_rng(seed).uniform(-1, 1, (15, 2)).astype(np.float32):
        theirs = mujoco.step(action)
        state, ours, *_ = step(state, action)
        assert np.allclose(theirs.obs, ours, atol=2e-6)


@pytest.mark.parametrize("size", sorted(MAZES))
def test_steps_differ_from_mujocos_at_walls_alone(size):
    everywhere = replace(get_task(f"pointmaze-{size}"), start_cells=())
    host, env = make_env(everywhere)(), PointMaze(size)
    walks = make_maze_walks(host, 0, 4, kind="noisy")
    host.close()
    here = PointMazeState(walks.obs[:, :2], walks.obs[:, 2:], np.zeros(len(walks), np.int32))
    ours = np.asarray(jax.jit(jax.vmap(env.step))(here, walks.actions)[1])
    centres = env.maze.centre(np.argwhere(env.maze.walls))

    def gap(obs):
        away = np.maximum(np.abs(obs[:, None, :2] - centres) - 0.5, 0.0)
        return np.linalg.norm(away, axis=-1).min(axis=1) - 0.1  # less the ball's radius

    touching = np.min([gap(walks.obs), gap(walks.next_obs), gap(ours)], axis=0) < 0.01
    error = np.abs(ours - walks.next_obs)
    assert error[~touching].max() < 2e-6
    assert 0.001 < touching.mean() < 0.06
    assert 1e-3 < error[touching, :2].max() < 0.05  # cells
    assert gap(ours).min() > -1e-4 > gap(walks.next_obs).min()  # MuJoCo's ball sinks in


def test_wall_stops_the_ball_about_where_mujoco_does(mujoco, step):
    state = place(mujoco.reset(0)[:2])
    for _ in range(200):
        theirs = mujoco.step(np.ones(2, np.float32))
        state, ours, *_ = step(state, np.ones(2, np.float32))
    assert np.allclose(theirs.obs[:2], np.asarray(ours)[:2], atol=0.02)


def test_the_ball_never_enters_a_wall():
    env = PointMaze("large")
    rng = np.random.default_rng(0)
    actions = np.repeat(rng.uniform(-3, 3, (30, 32, 2)).astype(np.float32), 10, axis=0)

    def drive(keys):
        state, _ = jax.vmap(env.reset)(keys)
        return jax.lax.scan(lambda s, a: jax.vmap(env.step)(s, a)[:2], state, actions)[1]

    obs = jax.jit(drive)(jax.random.split(jax.random.key(0), 32))
    centres = env.maze.centre(np.argwhere(env.maze.walls))
    positions = np.asarray(obs[..., :2]).reshape(-1, 1, 2)
    away = np.maximum(np.abs(positions - centres) - 0.5, 0.0)
    assert np.linalg.norm(away, axis=-1).min() > 0.1 - 1e-4
    assert np.linalg.norm(obs[..., 2:], axis=-1).max() < 5.3 * np.sqrt(2)


def test_goal_terminates_with_reward_one():
    env = PointMaze("umaze")
    _, obs, reward, terminated, truncated, success = jax.jit(env.step)(
        place(env.maze.goal), jnp.zeros(2)
    )
    assert (float(reward), bool(terminated), bool(truncated), bool(success)) == (
        1,
        True,
        False,
        True,
    )
    assert obs.shape == (4,)


def test_time_limit_truncates():
    env = PointMaze("large", horizon=10)
    far = env.maze.centre(np.array([1, 1]))
    for t, cut in ((8, False), (9, True)):
        _, _, reward, terminated, truncated, _ = jax.jit(env.step)(place(far, t=t), jnp.zeros(2))
        assert (float(reward), bool(terminated), bool(truncated)) == (0.0, False, cut)


def test_starts_spread_over_the_maze_but_not_over_the_goal():
    env = PointMaze("large")
    _, obs = jax.jit(jax.vmap(env.reset))(jax.random.split(jax.random.key(1), 1000))
    cells = {env.maze.cell(*xy) for xy in np.asarray(obs)[:, :2]}
    assert len(cells) == len(env.maze.free) - 1
    assert env.maze.goal_cell not in cells
    assert np.all(np.asarray(obs)[:, 2:] == 0)


def test_chosen_start_cell():
    env = PointMaze("large", start_cells=[(1, 1), (7, 2)])
    _, obs = jax.jit(jax.vmap(env.reset))(jax.random.split(jax.random.key(1), 50))
    assert {env.maze.cell(*xy) for xy in np.asarray(obs)[:, :2]} == {(1, 1), (7, 2)}


@pytest.mark.parametrize("size", sorted(MAZES))
def test_both_simulators_start_in_the_same_cells_with_the_same_spread(size):
    host = make_env(get_task(f"pointmaze-{size}"))()
    theirs = np.array([host.reset(seed) for seed in range(300)])
    host.close()
    task = get_task(f"jax-pointmaze-{size}")
    env = make_jax_env(task.jax_env, task.start_cells)
    ours = np.asarray(jax.vmap(env.reset)(jax.random.split(jax.random.key(0), 300))[1])
    maze = get_maze(size)
    assert task.start_cells == get_task(f"pointmaze-{size}").start_cells == maze.start_cells
    for starts in (ours, theirs):
        assert not starts[:, 2:].any()
        cells = np.array([maze.cell(*xy) for xy in starts[:, :2]])
        for cell in maze.start_cells:
            here = starts[np.all(cells == cell, axis=1), :2] - maze.centre(np.array(cell))
            assert len(here) > 0.7 * 300 / len(maze.start_cells)
            assert np.abs(here).max() <= 0.25 and np.abs(here).mean() == pytest.approx(
                1 / 8, rel=0.2
            )
        assert set(map(tuple, cells.tolist())) == set(maze.start_cells)


@pytest.mark.parametrize("size", sorted(MAZES))
def test_no_constant_push_reaches_the_goal(size):
    env = PointMaze(size, start_cells=MAZES[size].start_cells)
    grid = np.linspace(-1, 1, 9, dtype=np.float32)
    actions = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
    starts = jax.random.split(jax.random.key(3), 8)

    def episode(key, action):
        def step(state, _):
            state, *_, success = env.step(state, action)
            return state, success

        return jnp.any(jax.lax.scan(step, env.reset(key)[0], length=env.spec.horizon)[1])

    won = jax.jit(jax.vmap(jax.vmap(episode, (0, None)), (None, 0)))(starts, actions)
    assert won.shape == (81, 8) and not won.any()


@pytest.mark.parametrize("cell", [(0, 0), (7, 9), (50, 1)])
def test_a_start_in_a_wall_at_the_goal_or_outside_is_refused(cell):
    with pytest.raises(TaskError, match="choose a free"):
        PointMaze("large", start_cells=[(1, 1), cell])


def test_a_step_of_several_frames_holds_the_action_and_stops_at_the_goal():
    one, five = PointMaze("medium"), PointMaze("medium", frame_skip=5)
    action = jnp.array([0.4, -0.7])
    state = slow = place(one.maze.centre(np.array((1, 6))))
    for _ in range(5):
        state, obs, *_ = one.step(state, action)
    slow, held, reward, terminated, *_ = five.step(slow, action)
    np.testing.assert_allclose(held, obs, rtol=1e-6)
    assert (int(slow.t), float(reward), bool(terminated)) == (1, 0.0, False)
    # The ball would fly through the goal's circle and out of it again: it arrives.
    past = place(one._goal - jnp.array([0.0, 0.5]), (0.0, 5.0))
    slow, held, reward, terminated, truncated, success = five.step(past, jnp.zeros(2))
    assert (float(reward), bool(terminated), bool(truncated), bool(success)) == (1, 1, 0, 1)
    assert np.linalg.norm(held[:2] - five._goal) <= 0.45


def test_friction_holds_what_is_pushed_against_a_wall():
    smooth, rough = PointMaze("medium"), PointMaze("medium", friction=0.9)
    start = place(smooth.maze.centre(np.array((6, 3))))
    ends = []
    for env in (smooth, rough):
        state = start
        for _ in range(60):
            state, *_ = env.step(state, jnp.array([-1.0, -1.0]))
        ends.append(np.asarray(state.position))
    assert ends[0][0] < ends[1][0] - 0.5  # the smooth wall below lets it slide to the left
    free = [np.asarray(env.step(start, jnp.array([0.3, 0.1]))[1]) for env in (smooth, rough)]
    np.testing.assert_array_equal(*free)


def test_two_rooms_starts_in_both_and_logs_from_one():
    task = get_task("two-rooms")
    env = make_jax_env(task.jax_env, task.start_cells)
    data = dataset_for(
        replace(task, data=replace(task.data, kwargs={**task.data.kwargs, "episodes": 6}))
    )
    starts = [tuple(np.asarray(env.reset(jax.random.PRNGKey(i))[1][:2])) for i in range(40)]
    assert {env.maze.cell(*xy) for xy in starts} == set(task.start_cells)
    first = np.concatenate([[True], (data.terminated | data.truncated)[:-1]])
    logged = {env.maze.cell(*xy) for xy in data.obs[first, :2].tolist()}
    assert logged <= set(task.data.start_cells)
    assert not logged & {cell for cell in task.start_cells if cell[1] < 4}
