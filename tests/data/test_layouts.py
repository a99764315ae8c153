"""Every layout that `load` knows, as small files with rows whose number is their observation."""

import json

import h5py
import numpy as np
import pytest

from warmstart.cli import main
from warmstart.data import ACTION_LIMIT, load, save_folder
from warmstart.data.checks import examine
from warmstart.data.logs import join
from warmstart.errors import DataError
from warmstart.types import Spec


def columns(n=6, **changes):
    """`n` rows, observation [i, -i], all of one open episode unless `changes` say otherwise."""
    rows = np.arange(n, dtype=np.float32)
    plain = {
        "observations": np.stack([rows, -rows], 1),
        "actions": np.full((n, 1), 0.5, np.float32),
        "rewards": rows,
        "terminals": np.zeros(n, bool),
    }
    return {k: v for k, v in (plain | changes).items() if v is not None}


def at(n, *rows):
    flags = np.zeros(n, bool)
    flags[list(rows)] = True
    return flags


def write_hdf5(path, arrays):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
        file["infos/qpos"] = np.zeros(3)
        file["metadata/algorithm"] = "SAC"
    return path


def write_npz(path, arrays):
    np.savez(path, **arrays)
    return path


def row_numbers(dataset):
    return dataset.obs[:, 0].astype(int).tolist()


def test_d4rl_without_next_observations_drops_rows_that_were_cut(tmp_path):
    file = write_hdf5(tmp_path / "a.hdf5", columns(7, terminals=at(7, 1), timeouts=at(7, 4)))
    data = load(file)
    assert row_numbers(data) == [0, 1, 2, 3, 5]  # 4 timed out, 6 is the end of the file
    assert data.next_obs[:, 0].tolist() == [1, 1, 3, 4, 6]  # row 1 terminated: its own
    assert data.terminated.tolist() == [False, True, False, False, False]
    assert data.truncated.tolist() == [False, False, False, True, True]
    assert data.episodes() == [(0, 2), (2, 4), (4, 5)]


def test_d4rl_with_next_observations_keeps_every_row(tmp_path):
    arrays = columns(5, terminals=at(5, 1), timeouts=at(5, 3))
    arrays["next_observations"] = arrays["observations"] + np.array([1.0, -1.0])
    data = load(write_hdf5(tmp_path / "a.hdf5", arrays))
    assert row_numbers(data) == [0, 1, 2, 3, 4]
    assert data.next_obs[:, 0].tolist() == [1, 2, 3, 4, 5]
    assert data.episodes() == [(0, 2), (2, 4), (4, 5)]
    assert data.info["name"] == "a"


def test_a_jump_between_rows_ends_an_episode(tmp_path):
    arrays = columns(4, observations=np.array([[0.0], [1.0], [9.0], [10.0]]))
    arrays["next_observations"] = np.array([[1.0], [2.0], [10.0], [11.0]])
    data = load(write_hdf5(tmp_path / "a.hdf5", arrays))
    assert data.truncated.tolist() == [False, True, False, True]


def test_time_limits_come_from_the_horizon_where_the_file_is_silent(tmp_path):
    file = write_hdf5(tmp_path / "a.hdf5", columns(8, terminals=at(8, 3)))
    data = load(file, spec=Spec(2, 1, horizon=3))
    assert row_numbers(data) == [0, 1, 3, 4, 5]  # cut: 2, 6 and the last
    assert data.episodes() == [(0, 2), (2, 3), (3, 5)]


def test_columns_of_one_number_are_squeezed(tmp_path):
    arrays = columns(4, rewards=np.ones((4, 1)), terminals=np.zeros((4, 1)))
    assert load(write_hdf5(tmp_path / "a.hdf5", arrays)).rewards.shape == (3,)


def test_ogbench_terminals_are_ends_of_logging(tmp_path):
    arrays = columns(6, terminals=at(6, 2, 5), qpos=np.zeros((6, 3)))
    data = load(write_npz(tmp_path / "cube.npz", arrays))
    assert row_numbers(data) == [0, 1, 3, 4]
    assert not data.terminated.any() and data.truncated.tolist() == [False, True] * 2


def test_ogbench_masks_are_real_ends(tmp_path):
    masks = np.ones(6)
    masks[1] = 0
    arrays = columns(6, terminals=at(6, 2, 5), qpos=np.zeros((6, 3)), masks=masks)
    data = load(write_npz(tmp_path / "cube.npz", arrays))
    assert data.terminated.tolist() == [False, True, False, False]


def test_ogbench_without_rewards_says_where_they_come_from(tmp_path):
    arrays = columns(6, rewards=None, qpos=np.zeros((6, 3)))
    with pytest.raises(DataError, match="name the single task"):
        load(write_npz(tmp_path / "cube.npz", arrays))


def test_plain_npz_with_other_names(tmp_path):
    c = columns(4)
    file = write_npz(
        tmp_path / "a.npz",
        {"s": c["observations"], "a": c["actions"], "r": c["rewards"], "done": at(4, 3)},
    )
    names = {"obs": "s", "actions": "a", "rewards": "r", "terminated": "done"}
    assert load(file, mapping=names).terminated.tolist() == [False] * 3 + [True]
    with pytest.raises(DataError, match="nothing for obs and actions and rewards"):
        load(file)
    with pytest.raises(
        DataError, match=r"nothing called 'don' for terminated\. Did you mean 'done'"
    ):
        load(file, mapping={"terminated": "don"})
    with pytest.raises(DataError, match=r"Did you mean .*'rewards'"):
        load(file, mapping={"rewarts": "r"})


def test_actions_are_rescaled_and_clipped_in_one_place(tmp_path):
    actions = np.array([[0.0], [5.0], [10.0], [12.0]])
    file = write_npz(tmp_path / "a.npz", columns(4, actions=actions, terminals=at(4, 3)))
    data = load(file, bounds=(np.array([0.0]), np.array([10.0])))
    assert np.allclose(data.actions[:, 0], [-ACTION_LIMIT, 0, ACTION_LIMIT, ACTION_LIMIT])
    assert data.info["actions_outside"] == {
        "rows": 1,
        "first": 3,
        "largest": pytest.approx(1.4),
    }


def test_pickled_arrays_are_never_opened(tmp_path):
    file = tmp_path / "a.npz"
    np.savez(file, **columns(3, rewards=np.array([{}, {}, {}], dtype=object)))
    with pytest.raises(DataError, match="plain numbers"):
        load(file)
    (tmp_path / "b.pkl").write_bytes(b"x")
    with pytest.raises(DataError, match="pickled objects"):
        load(tmp_path / "b.pkl")


@pytest.mark.parametrize("name", ["broken.npz", "broken.hdf5"])
def test_broken_files_are_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"not a file of this kind")
    with pytest.raises(DataError, match=name):
        load(tmp_path / name)


def test_nothing_there_and_nothing_known(tmp_path):
    with pytest.raises(DataError, match="minari download"):
        load("D4RL/pen/human-v2")
    with pytest.raises(DataError, match=r"check the path\.$"):
        load(tmp_path / "gone.npz")
    (tmp_path / "a.doc").write_text("x")
    with pytest.raises(DataError, match="no layout"):
        load(tmp_path / "a.doc")


def test_columns_of_different_length(tmp_path):
    with pytest.raises(DataError, match="6 rows of observations but 5 of actions"):
        load(write_npz(tmp_path / "a.npz", columns(6, actions=np.zeros((5, 1)))))
    with pytest.raises(DataError, match="one number a row"):
        load(write_npz(tmp_path / "a.npz", columns(6, rewards=np.zeros((6, 2)))))


def minari_folder(root, observations, env_spec=None, terminated=False, success=None):
    """A dataset of two episodes of 3 steps, written as Minari lays it out."""
    folder = root / "group" / "name-v0" / "data"
    folder.mkdir(parents=True)
    with h5py.File(folder / "main_data.hdf5", "w") as file:
        for number in (10, 2):  # their order in the file is by text, not by number
            group = file.create_group(f"episode_{number}")
            tree = observations(number)
            for key, value in tree.items() if isinstance(tree, dict) else [("", tree)]:
                group[f"observations/{key}" if key else "observations"] = value
            group["actions"] = np.zeros((3, 1))
            group["rewards"] = np.full(3, number, np.float64)
            group["terminations"] = np.array([False, False, terminated])
            group["truncations"] = np.zeros(3, bool)
            if success is not None:
                group["infos/success"] = np.array([False, False, False, number in success])
    (folder / "metadata.json").write_text(json.dumps({"env_spec": json.dumps(env_spec)}))
    return folder.parent


def test_minari_folder_file_and_id(tmp_path, monkeypatch):
    folder = minari_folder(tmp_path, lambda i: np.arange(4.0)[:, None] + i, success=[10])
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    for source in (folder, folder / "data" / "main_data.hdf5", "group/name-v0"):
        data = load(source)
        assert data.rewards.tolist() == [2, 2, 2, 10, 10, 10]
        assert data.next_obs[:, 0].tolist() == [3, 4, 5, 11, 12, 13]
        assert data.truncated.tolist() == [False, False, True] * 2
        assert data.info["success_rate"] == 0.5 and data.info["name"] == "name-v0"


@pytest.mark.parametrize("way", ["absent", "too short"])
def test_minari_successes_of_some_episodes_are_counted_and_said(tmp_path, capsys, way):
    folder = minari_folder(tmp_path, lambda i: np.arange(4.0)[:, None] + i, success=[10])
    with h5py.File(folder / "data" / "main_data.hdf5", "a") as file:
        del file["episode_2/infos/success"]
        if way == "too short":
            file["episode_2/infos/success"] = np.array([True])
    data = load(folder)
    assert data.success is None and data.info["success_rate"] == 1.0
    partly = {"episodes": 2, "told": 1, "succeeded": 1}
    assert data.info["success_partly"] == partly
    (finding,) = [f for f in examine(data).findings if f.name == "success-partly"]
    assert finding.grade == "warning" and "1 of 2 episodes" in finding.what
    assert main(["data", "info", str(folder)]) == 0
    assert "of 1 of 2 episodes" in capsys.readouterr().out
    kept = load(save_folder(data, tmp_path / "kept", {}))
    assert kept.info["success_partly"] == partly and kept.info["success_rate"] == 1.0
    twice = join("both", [data, data])
    assert twice.info["success_partly"] == {"episodes": 4, "told": 2, "succeeded": 2}


@pytest.mark.parametrize(("moving", "width"), [(True, 3), (False, 1)])
def test_minari_goals_are_kept_unless_constant(tmp_path, moving, width):
    def observations(number):
        return {
            "observation": np.arange(4.0)[:, None],
            "desired_goal": np.full((4, 1), number * moving),
            "achieved_goal": np.full((4, 1), 7.0),
        }

    folder = minari_folder(tmp_path, observations)
    assert load(folder, spec=Spec(3, 1, 9)).obs.shape[1] == 3  # the environment observes them
    data = load(folder, spec=Spec(1, 1, 9))
    assert data.obs.shape[1] == width
    data = load(folder)
    assert data.obs.shape == (6, width)
    if moving:
        assert data.obs[4].tolist() == [7.0, 10.0, 1.0]  # achieved, desired, observation


def test_a_hostile_environment_spec_is_only_read_for_id_and_arguments(tmp_path):
    trap = tmp_path / "ran"
    spec = {
        "id": "Trap-v0",
        "entry_point": f"os:system('touch {trap}')",
        "kwargs": {"g": 1.0},
        "additional_wrappers": [{"name": "x", "entry_point": "os:abort", "kwargs": {}}],
    }
    data = load(minari_folder(tmp_path, lambda i: np.zeros((4, 1)), spec))
    assert data.info["env_id"] == "Trap-v0" and data.info["env_kwargs"] == {"g": 1.0}
    assert "os" not in json.dumps({k: v for k, v in data.info.items() if k != "source"})
    assert not trap.exists()


def test_minari_broken_episodes(tmp_path):
    with pytest.raises(DataError, match="3 observations for 3 steps"):
        load(minari_folder(tmp_path, lambda i: np.zeros((3, 1))))


def test_links_of_hdf5_are_followed_and_long_names_are_names(tmp_path):
    held = columns(5)
    with h5py.File(tmp_path / "far.h5", "w") as far, h5py.File(tmp_path / "a.h5", "w") as file:
        far["kept"] = held.pop("observations")
        for name, value in held.items():
            file[name] = value
        file["observations"] = h5py.ExternalLink("far.h5", "/kept")
        file["deep/states"] = h5py.SoftLink("/observations")
    plain = load(tmp_path / "a.h5")
    linked = load(tmp_path / "a.h5", mapping={"obs": "deep/states"})
    assert len(plain) and np.array_equal(plain.obs, linked.obs)
    long = (tmp_path / "a.h5").rename(tmp_path / ("n" * 247 + ".h5"))
    assert np.array_equal(load(long).obs, plain.obs)
