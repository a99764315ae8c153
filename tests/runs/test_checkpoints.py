"""A checkpoint comes back to the bit, and no death of the process loses the last one."""

from __future__ import annotations

import errno
import json
import logging
import os
import resource
import tempfile
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from warmstart.errors import RunError
from warmstart.files import durable
from warmstart.files.durable import Damaged
from warmstart.runs.checkpoints import Checkpoints, DamagedCheckpoint, size_estimate


class Net(eqx.Module):
    weight: jax.Array
    bias: jax.Array


class Odd(NamedTuple):
    count: np.ndarray
    flags: jax.Array


def state(seed: int = 0) -> dict:
    """Every sort of leaf that a training state has, and some that it may get."""
    key = jax.random.PRNGKey(seed)
    return {
        "net": Net(jax.random.normal(key, (4, 3)), jnp.full(3, -0.0)),
        "key": key,
        "odd": Odd(np.arange(3), jnp.array([True, False])),
        "half": jnp.array([1.5, jnp.nan], jnp.bfloat16),
        "nan": np.array([0x7FC00001, 0xFFC12345], np.uint32).view(np.float32),
        "scalar": jnp.float32(2.0),
        "number": np.float64(0.1),
        "empty": jnp.zeros((0, 5)),
        "nothing": None,
    }


def assert_same(got, wanted) -> None:
    assert jax.tree.structure(got) == jax.tree.structure(wanted)
    for new, old in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
        assert new.dtype == old.dtype
        assert new.shape == old.shape
        assert np.asarray(new).tobytes() == np.asarray(old).tobytes()
        assert isinstance(new, jax.Array) == isinstance(old, jax.Array)
        assert not getattr(new, "weak_type", False)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_round_trip_to_the_bit(tmp_path):
    meta = {"rows": [3, 4], "actions": np.float32([[0.1, -0.2]]), "worst": -float("inf")}
    store = Checkpoints(tmp_path)
    store.save(7, state(), meta)
    tree, back = Checkpoints(tmp_path).restore(7, state(1))
    assert_same(tree, state())
    assert back["rows"] == [3, 4]
    assert back["worst"] == -float("inf")
    np.testing.assert_array_equal(np.float32(back["actions"]), meta["actions"])


def test_shapes_alone_are_a_model(tmp_path):
    tree = {"a": jnp.arange(4.0), "b": jnp.zeros((), jnp.int32)}
    Checkpoints(tmp_path).save(0, tree, {})
    shapes = jax.eval_shape(lambda: tree)
    assert_same(Checkpoints(tmp_path).restore(0, shapes)[0], tree)


def test_trees_without_bytes(tmp_path):
    store = Checkpoints(tmp_path)
    for step, tree in enumerate(({}, {"a": jnp.zeros((0, 2))})):
        store.save(step, tree, {})
        assert_same(store.restore(step, tree)[0], tree)


def test_restored_arrays_do_not_compile_the_step_again(tmp_path):
    compiled = []

    @jax.jit
    def step(tree):
        compiled.append(1)
        return jax.tree.map(lambda x: x + 1, tree)

    tree = step({"a": jnp.arange(4.0), "n": jnp.int32(0)})
    store = Checkpoints(tmp_path)
    store.save(1, tree, {})
    wanted, got = step(tree), step(store.restore(1, tree)[0])
    assert_same(got, wanted)
    assert step._cache_size() == 1
    assert len(compiled) == 1


def test_sharding_of_the_model_is_taken_on(tmp_path):
    mesh = jax.make_mesh((len(jax.devices()),), ("s",))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("s"))
    tree = jax.device_put({"a": jnp.arange(8.0 * mesh.size).reshape(mesh.size, 8)}, sharding)
    store = Checkpoints(tmp_path)
    store.save(1, tree, {})
    got = store.restore(1, tree)[0]
    assert_same(got, tree)
    assert got["a"].sharding == sharding


def test_the_newest_and_the_best_are_kept(tmp_path):
    store = Checkpoints(tmp_path, keep=2)
    assert store.latest() is None
    assert store.best() is None
    assert store.restore_newest({}) is None
    for step in (0, 10, 20, 30, 40):
        store.save(step, {"a": np.full(2, step)}, {"step": step}, best=step == 10)
    assert store.steps() == [10, 30, 40]
    assert (store.latest(), store.best()) == (40, 10)
    assert store.restore(10, {"a": np.zeros(2, int)})[0]["a"][0] == 10
    store.save(50, {"a": np.zeros(2)}, {}, best=True)
    assert store.steps() == [40, 50]
    assert len(names(tmp_path)) == 3
    Checkpoints(tmp_path, keep=1).save(60, {"a": np.zeros(2)}, {})
    assert store.steps() == [50, 60]


def test_saving_a_step_again_replaces_it(tmp_path):
    store = Checkpoints(tmp_path)
    for value in range(12):
        store.save(5, {"a": np.full(1, value)}, {"value": value})
    assert store.restore(5, {"a": np.zeros(1, int)})[1] == {"value": 11}
    assert len(names(tmp_path)) == 1


def test_going_back_discards_the_course_that_was_left(tmp_path):
    store = Checkpoints(tmp_path)
    for step in (1, 2, 3):
        store.save(step, {}, {})
    store.discard_after(2)
    assert store.steps() == [1, 2]
    store.save(9, {}, {})
    store.save(5, {}, {})
    assert store.steps() == [1, 2, 5]
    with pytest.raises(RunError, match="Choose one of: 1, 2, 5"):
        store.restore(9, {})
    with pytest.raises(RunError, match="Start the run again"):
        Checkpoints(tmp_path / "other").restore(9, {})
    with pytest.raises(RunError, match="at least 1"):
        Checkpoints(tmp_path, keep=0)


@pytest.mark.parametrize(
    ("like", "message"),
    [
        ({"a": np.zeros((2, 3), np.float32)}, r"leaf 0 is \['a'\] float32\[2, 2\] in the"),
        ({"a": np.zeros((2, 2))}, r"but \['a'\] float64\[2, 2\] here"),
        ({"b": np.zeros((2, 2), np.float32)}, r"but \['b'\] float32\[2, 2\] here"),
        ({}, r"but absent here"),
        ({"a": np.zeros((2, 2), np.float32), "b": np.zeros(1)}, r"leaf 1 is absent in the"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, like, message):
    store = Checkpoints(tmp_path)
    store.save(1, {"a": np.zeros((2, 2), np.float32)}, {})
    with pytest.raises(RunError, match=message):
        store.restore(1, like)
    with pytest.raises(RunError, match=message):
        store.restore_newest(like)


def test_leaves_and_records_that_cannot_be_held(tmp_path):
    store = Checkpoints(tmp_path)
    for leaf in (1.0, jax.random.key(0), np.array([object()])):
        with pytest.raises(RunError, match=r"Leaf \['a'\]"):
            store.save(1, {"a": leaf}, {})
    with pytest.raises(RunError, match="JSON cannot hold"):
        store.save(1, {"a": np.zeros(1)}, {"x": object()})
    assert names(tmp_path) == []


def test_every_damage_is_noticed_and_the_one_before_is_taken(tmp_path, caplog):
    like = {"a": np.zeros(50, np.float32), "n": np.zeros((), int)}
    store = Checkpoints(tmp_path)
    for step in (1, 2):
        store.save(step, {"a": np.full(50, step, np.float32), "n": np.array(step)}, {"s": step})
    newest = tmp_path / names(tmp_path)[-1]
    files = [path for path in sorted(newest.rglob("*")) if path.is_file()]
    for path in files:
        data = path.read_bytes()
        flipped = bytes([data[0] ^ 1]) + data[1:]
        for content in (data[: len(data) // 2], b"", flipped, None):
            path.unlink() if content is None else path.write_bytes(content)
            with pytest.raises(DamagedCheckpoint, match=r"damaged \("):
                store.restore(2, like)
            path.write_bytes(data)
    files[-1].write_bytes(b"")
    with caplog.at_level(logging.WARNING, "warmstart"):
        found = store.restore_newest(like)
    assert "goes on from the checkpoint before" in caplog.text
    assert found is not None
    step, tree, meta = found
    assert (step, int(tree["n"]), meta) == (1, 1, {"s": 1})
    (tmp_path / names(tmp_path)[0] / "checkpoint.json").unlink()
    with pytest.raises(Damaged, match="There is no older checkpoint"):
        store.restore_newest(like)


@pytest.mark.parametrize("content", ["{}", "3", '{"version": 1}'])
def test_json_that_is_no_checkpoint_is_damage_too(tmp_path, content):
    store = Checkpoints(tmp_path)
    store.save(1, {}, {}, best=True)
    (tmp_path / names(tmp_path)[0] / "checkpoint.json").write_text(content)
    with pytest.raises(DamagedCheckpoint):
        store.restore(1, {})
    (tmp_path / "best.json").write_text(content)
    with pytest.raises(RunError, match="Remove this file"):
        store.best()


def test_another_format_is_not_taken_for_damage(tmp_path):
    store = Checkpoints(tmp_path)
    store.save(1, {}, {})
    path = tmp_path / names(tmp_path)[0] / "checkpoint.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 99}))
    with pytest.raises(RunError, match="has version 99"):
        store.restore_newest({})


def test_leftovers_are_ignored_and_swept(tmp_path):
    store = Checkpoints(tmp_path)
    store.save(1, {}, {})
    half = tmp_path / ".000000000002.1.99.tmp"
    (half / "state").mkdir(parents=True)
    (tmp_path / ".best.json.99.tmp").write_text("{")
    assert store.latest() == 1
    store.save(3, {}, {})
    assert names(tmp_path) == ["000000000001.1", "000000000003.1"]


def test_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    store, tree = Checkpoints(tmp_path), {"a": np.arange(5)}
    store.save(1, tree, {})
    before = names(tmp_path)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def library(*_):
        raise ValueError("RESOURCE_EXHAUSTED: [OS error 28: No space left on device]")

    for target, name, fail in (
        (durable.os, "fsync", full),
        (os, "rename", full),
        (store._orbax, "save", library),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(target, name, fail)
            with pytest.raises(RunError, match="the disk is full"):
                store.save(2, tree, {})
        assert names(tmp_path) == before
        assert_same(store.restore(1, tree)[0], tree)
    store.save(2, tree, {})
    assert store.latest() == 2


def test_file_size_limit(tmp_path):
    store = Checkpoints(tmp_path)
    store.save(1, {"a": np.arange(5)}, {})
    before = names(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(RunError, match="ulimit"):
            store.save(2, {"a": np.arange(100_000)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(tmp_path) == before
    assert_same(store.restore(1, {"a": np.arange(5)})[0], {"a": np.arange(5)})


def test_read_only_folder():
    """The kernel itself refuses, also where the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    store, tree = Checkpoints(folder), {"a": np.arange(5)}
    store.save(1, tree, {})
    before, root = names(folder), os.geteuid() == 0
    folder.chmod(0o555)
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(RunError, match="may write to"):
            store.save(2, tree, {})
        assert_same(store.restore(1, tree)[0], tree)
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
    assert names(folder) == before
    store.discard_after(0)
    folder.rmdir()


def test_a_deleted_folder_has_a_message(tmp_path):
    store = Checkpoints(tmp_path / "x")
    (tmp_path / "x").rmdir()
    with pytest.raises(RunError, match="Check the path"):
        store.latest()


def test_size_estimate(tmp_path):
    tree = {"a": jnp.zeros(100_000), "b": np.zeros(1000)}
    Checkpoints(tmp_path).save(1, tree, {})
    real = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert real <= size_estimate(tree) <= real + 20_000


def test_a_checkpoint_of_before_called_the_pretrained_policy_prior(tmp_path):
    class Now(eqx.Module):
        pretrained: dict[str, jax.Array]

    class Then(eqx.Module):
        prior: dict[str, jax.Array]

    Checkpoints(tmp_path).save(1, Then({"actor": jnp.arange(3.0)}), {})
    wanted = Now({"actor": jnp.arange(3.0)})
    _, tree, _ = Checkpoints(tmp_path).restore_newest(wanted)
    assert_same(tree, wanted)
