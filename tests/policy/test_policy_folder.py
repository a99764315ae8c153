"""The policy folder: whole or absent, checked to the last byte, and nothing in it is run."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest
from pace import unit
from safetensors.numpy import save
from shelf import ACTIONS, BOX, OBS, SMALL, bare_shelf, put, sighted, small_view, state_of

import warmstart as ws
from warmstart.acting import JumpStart, Sampled
from warmstart.errors import RunError, TaskError
from warmstart.policy import folder as module
from warmstart.views import View

ROW = np.array([0.3, 1.5, -2.0, 3.25, 5.5], np.float32)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return put(tmp_path_factory.mktemp("policy") / "whole", small_view(), Sampled())


@pytest.fixture
def copy(whole, tmp_path) -> Path:
    path = tmp_path / "copy"
    path.mkdir()
    for file in whole.iterdir():
        (path / file.name).write_bytes(file.read_bytes())
    return path


def weights(path: Path) -> Path:
    (found,) = path.glob("*.safetensors")
    return found


def resigned(path: Path, **changes: object) -> None:
    """A card that somebody changed who knows how its checksum is made."""
    card = json.loads((path / "policy.json").read_text())
    del card["checksum"]
    card = {**card, **changes}
    card["checksum"] = module._checksum(card)
    (path / "policy.json").write_text(json.dumps(card))


def edited(path: Path, old: str, new: str) -> None:
    file = path / "policy.json"
    file.write_text(file.read_text().replace(old, new))


def flipped(file: Path, at: int) -> None:
    held = bytearray(file.read_bytes())
    held[at] ^= 1
    file.write_bytes(held)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no card": (lambda p: (p / "policy.json").unlink(), r"no policy.json in it"),
    "no weights": (lambda p: weights(p).unlink(), r"weights-.*missing"),
    "cut": (lambda p: os.truncate(weights(p), 100), r"weights-.*100 bytes"),
    "a bit": (lambda p: flipped(weights(p), -1), r"weights-.*damaged"),
    "a limit of the box": (
        lambda p: edited(p, "10.0", "11.0"),
        r"policy.json' is damaged",
    ),
    "half a card": (lambda p: os.truncate(p / "policy.json", 300), r"policy.json' is damaged"),
    "deep": (lambda p: (p / "policy.json").write_text("[" * 10**5), r"policy.json' is damaged"),
    "a list": (lambda p: (p / "policy.json").write_text("[]"), r"not the card of a warmstart"),
    "foreign": (lambda p: (p / "policy.json").write_text('{"type": "act"}'), "not the card"),
    "newer": (lambda p: resigned(p, format=3), r"policy format 3"),
    "outside": (
        lambda p: resigned(p, weights={"file": "../whole", "bytes": 1, "sha256": ""}),
        r"policy.json' is damaged",
    ),
    "no spaces": (lambda p: resigned(p, action={}), r"does not describe a policy"),
    "no width": (
        lambda p: resigned(p, action={**BOX, "low": BOX["high"]}), r"does not describe a policy"
    ),
    "objects": (lambda p: resigned(p, action={**BOX, "dtype": "O"}), r"not describe a policy"),
    "fewer actions": (
        lambda p: resigned(p, action={**BOX, "shape": [1], "low": [0.0], "high": [1.0]}),
        r"does not describe a policy",
    ),
    "more observations": (
        lambda p: resigned(
            p, observation={"parts": [{"path": [], "shape": [9]}], "ignored": [], "offset": None}
        ),
        r"does not describe a policy",
    ),
    "no state": (lambda p: resigned(p, state={}), r"does not describe a policy"),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_one_sentence_that_names_the_file(copy, what) -> None:
    change, message = DAMAGE[what]
    change(copy)
    with pytest.raises(RunError, match=message) as refused:
        ws.actor(copy)
    assert str(copy) in str(refused.value) and "\n" not in str(refused.value)


def test_every_bit_of_the_card_counts(copy) -> None:
    length = len((copy / "policy.json").read_bytes())
    for at in range(0, length, max(1, length // 40)):
        file = copy / "policy.json"
        before = file.read_bytes()
        flipped(file, at)
        if json_of(file) != json.loads(before):  # white space means nothing
            with pytest.raises(RunError):
                ws.actor(copy)
        file.write_bytes(before)
    assert ws.actor(copy)(ROW).shape == (ACTIONS,)


def json_of(file: Path) -> object:
    try:
        return json.loads(file.read_bytes())
    except ValueError:
        return None


def test_other_tensors_than_the_card_names(copy) -> None:
    packed = save({"nets.actor.mean.weight": np.zeros((2, 2), np.float32)})
    digest = hashlib.sha256(packed).hexdigest()
    name = f"weights-{digest[:16]}.safetensors"
    (copy / name).write_bytes(packed)
    resigned(copy, weights={"file": name, "bytes": len(packed), "sha256": digest})
    with pytest.raises(RunError, match=rf"{name}' holds other tensors"):
        ws.actor(copy)


def test_what_does_not_exist(tmp_path) -> None:
    with pytest.raises(RunError, match="does not exist"):
        ws.load_policy(tmp_path / "nowhere")
    with pytest.raises(RunError, match="a path, not 3; give the one"):
        ws.load_policy(3)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="does not exist"):
        ws.actor(tmp_path / "nowhere")
    with pytest.raises(RunError, match="which='newest'"):
        ws.actor(tmp_path, which="newest")  # type: ignore[arg-type]


def test_a_network_of_a_later_version_is_named(copy) -> None:
    card = json.loads((copy / "policy.json").read_text())
    card["state"]["nets"]["actor"]["trunk"]["is"] = "liquid"
    resigned(copy, state=card["state"])
    with pytest.raises(RunError, match="a network of the kind 'liquid' has no form in NumPy"):
        ws.load_policy(copy)


def test_a_kill_in_the_middle_leaves_the_old_policy(tmp_path, monkeypatch) -> None:
    path = put(tmp_path / "p", small_view(0), Sampled())
    old = ws.actor(path)(ROW)
    monkeypatch.setattr(module, "write_json_atomic", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        put(path, small_view(1), Sampled())
    monkeypatch.undo()
    assert np.array_equal(ws.actor(path)(ROW), old)
    put(path, small_view(2), Sampled())
    assert not np.allclose(ws.actor(path)(ROW), old)
    assert len(list(path.iterdir())) == 2


def test_a_policy_folder_knows_its_seed(whole) -> None:
    assert np.array_equal(ws.actor(whole, seed=3)(ROW), ws.actor(whole)(ROW))
    with pytest.raises(RunError, match="of seed 3, not 4"):
        ws.actor(whole, seed=4)


def test_an_actor_can_be_pickled(whole) -> None:
    actor = ws.actor(whole)
    again = pickle.loads(pickle.dumps(actor))
    assert np.array_equal(again(ROW), actor(ROW)) and again.card == actor.card


def test_acting_needs_numpy_and_safetensors_alone(whole) -> None:
    code = (
        "import sys, time, numpy as np, warmstart as ws\n"
        "begin = time.process_time()\n"
        "action = ws.actor(sys.argv[1])(np.arange(5.0))\n"
        "assert action.shape == (3,)\n"
        "spent = time.process_time() - begin\n"
        "assert spent < float(sys.argv[2]), spent\n"
        "heavy = {'jax', 'jaxlib', 'equinox', 'gymnasium', 'scipy', 'h5py', 'orbax'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    words = [sys.executable, "-c", code, str(whole), str(150 * unit())]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_policy_acts_in_a_python_that_has_nothing_else(whole, tmp_path) -> None:
    """No site-packages: NumPy, safetensors and this package lie in a folder of their own."""
    code = (
        "import json, sys\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "import warmstart as ws\n"
        "try:\n"
        "    import jax\n"
        "except ImportError:\n"
        "    pass\n"
        "policy = ws.load_policy(sys.argv[1])\n"
        "action, state = policy.predict([0.3, 1.5, -2.0, 3.25, 5.5], None, True, True)\n"
        "assert state is None and 'jax' not in sys.modules and 'gymnasium' not in sys.modules\n"
        "import numpy as np\n"
        "top, wrist = np.full((13, 10, 3), 9, np.uint8), np.full((9, 12, 6), 200, np.uint8)\n"
        "looks = {'arm': np.arange(5.0), 'top': top, 'wrist': wrist}\n"
        "print(json.dumps([action.tolist(), ws.load_policy(sys.argv[3])(looks).tolist()]))\n"
    )
    seen = sighted(tmp_path / "seen", "gaussian", OBS)
    words = [sys.executable, "-I", "-S", "-c", code, str(whole), str(bare_shelf(tmp_path)), seen]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    top, wrist = np.full((13, 10, 3), 9, np.uint8), np.full((9, 12, 6), 200, np.uint8)
    looks = {"arm": np.arange(5.0), "top": top, "wrist": wrist}
    plain, pictured = json.loads(done.stdout)
    assert np.array_equal(plain, ws.load_policy(whole).act(ROW))
    assert np.array_equal(pictured, ws.load_policy(seen).act(looks))


def test_observations_and_actions_of_other_shapes(whole) -> None:
    actor = ws.actor(whole)
    one = actor(ROW)
    assert one.shape == (ACTIONS,) and one.dtype == np.float64
    assert np.array_equal(actor(list(ROW)), one) and np.array_equal(actor(ROW.astype(float)), one)
    batch = actor(np.stack([ROW, ROW + 1, ROW]))
    assert batch.shape == (3, ACTIONS) and np.allclose(batch[0], one, atol=1e-6)
    assert actor(ROW[None]).shape == (1, ACTIONS)
    assert actor(np.zeros((0, OBS))).shape == (0, ACTIONS)
    message = r"does not fit this policy, which sees \[5\] or \[N, 5\]"
    for wrong in (0.0, [1.0], np.zeros((3, 1)), np.zeros((1, 3)), np.zeros((5, 1)), np.zeros(15)):
        with pytest.raises(TaskError, match=message):
            actor(wrong)
    for wrong in (np.zeros((2, 2, 5)), {"a": ROW}, "five5", None, [[1.0], [2.0, 3.0]]):
        with pytest.raises(TaskError):
            actor(wrong)
    for number in (np.nan, np.inf, 1e300):
        with pytest.raises(TaskError, match="not finite"):
            actor([1.0, 2.0, number, 4.0, 5.0])


def test_weights_of_a_run_that_diverged_never_act(tmp_path) -> None:
    view = small_view()
    net = view.state.nets["actor"]
    ill = jax.tree.map(lambda x: x.at[0].set(np.nan), net)
    path = put(tmp_path / "p", View(state_of(ill), "squashed", "none"), Sampled())
    with pytest.raises(RunError, match=r"weights in .* are not finite"):
        ws.actor(path)


PLACED = {
    "parts": [
        {"path": ["arm", "angle"], "shape": []},
        {"path": ["arm", "speed"], "shape": [2]},
        {"path": ["goal"], "shape": [1, 2]},
    ],
    "ignored": [["desired"]],
    "offset": None,
}


def test_observations_that_are_dicts(tmp_path) -> None:
    actor = ws.actor(put(tmp_path / "p", small_view(), Sampled(), PLACED))
    flat = actor(ROW)
    own = {"goal": ROW[None, 3:], "arm": {"speed": ROW[1:3], "angle": ROW[0]}, "desired": [9.0]}
    assert np.array_equal(actor(own), flat)
    rows = {
        "goal": np.tile(ROW[None, 3:], (6, 1, 1)),
        "arm": {"angle": np.full(6, ROW[0]), "speed": np.tile(ROW[1:3], (6, 1))},
    }
    assert np.allclose(actor(rows), np.tile(flat, (6, 1)), atol=1e-6)
    wrong = [
        ({"arm": own["arm"]}, "lacks 'goal'"),
        ({**own, "arm": {"angle": 0.0}}, "lacks 'arm/speed'"),
        ({**own, "camera": [0.0]}, "unknown key 'camera'"),
        ({**own, "goal": [3.0, 4.0]}, r"observation\['goal'\] has shape \[2\]"),
        ({**rows, "goal": np.zeros((5, 1, 2))}, r"\['goal'\] has shape \[5, 1, 2\]"),
        ({**own, "goal": [["a", "b"]]}, "not numbers"),
    ]
    for obs, message in wrong:
        with pytest.raises(TaskError, match=message):
            actor(obs)


@pytest.mark.parametrize(
    "shape, single, batch",
    [([5], (5,), (4, 5)), ([1, 5], (1, 5), (4, 1, 5)), ([5, 1], (5, 1), (4, 5, 1))],
)
def test_the_environments_own_shape_comes_first(tmp_path, shape, single, batch) -> None:
    seen = {"parts": [{"path": [], "shape": shape}], "ignored": [], "offset": None}
    actor = ws.actor(put(tmp_path / "p", small_view(), Sampled(), seen))
    assert actor(np.zeros(single)).shape == (ACTIONS,) and actor(ROW).shape == (ACTIONS,)
    assert actor(np.zeros(batch)).shape == (4, ACTIONS) == actor(np.zeros((4, 5))).shape
    with pytest.raises(TaskError, match=r"a dict of a, b, this policy sees an array of shape \["):
        actor({"a": ROW[:2], "b": ROW[2:]})


def test_a_draw_wants_a_generator_and_no_seed(tmp_path) -> None:
    actor = ws.actor(put(tmp_path / "p", small_view(), Sampled()))
    with pytest.raises(TaskError, match=r"give rng=np.random.default_rng\(SEED\)"):
        actor.sample(ROW, 0)


def test_an_offset_is_taken_away_before_numbers_are_rounded(tmp_path) -> None:
    far = np.array([4.5e6, 0.0, -4.5e6, 0.0, 0.0])
    seen = {"parts": [{"path": [], "shape": [5]}], "ignored": [], "offset": far.tolist()}
    plain = ws.actor(put(tmp_path / "plain", small_view(), Sampled()))
    moved = ws.actor(put(tmp_path / "moved", small_view(), Sampled(), seen))
    near = np.linspace(-0.05, 0.05, 5)
    assert np.allclose(moved(far + near), plain(near), atol=1e-6)
    assert not np.allclose(plain(near), plain(np.zeros(5)), atol=1e-6)


@pytest.mark.parametrize("dtype, shape", [("int64", [3]), ("float32", [3]), ("float16", [3, 1])])
def test_actions_have_the_environments_type_and_shape(tmp_path, dtype, shape) -> None:
    box = {"shape": shape, "dtype": dtype, "low": [-2, 0, 1], "high": [4, 10, 2]}
    actor = ws.actor(put(tmp_path / "p", small_view(), Sampled(), None, box))
    action, rows = actor(ROW), actor(np.stack([ROW, ROW]))
    assert action.dtype == dtype and action.shape == tuple(shape)
    assert rows.shape == (2, *shape)
    exact = ws.actor(
        put(tmp_path / "q", small_view(), Sampled(), None, {**box, "dtype": "float64"})
    )
    error = np.abs(action.reshape(-1) - exact(ROW).reshape(-1))
    assert error.max() <= {"int64": 0.5, "float32": 1e-5, "float16": 1e-2}[dtype]


def test_a_policy_of_before_called_the_pretrained_one_prior(tmp_path) -> None:
    own, guide = (SMALL.build(jax.random.key(i), OBS, ACTIONS) for i in (1, 2))
    rule = JumpStart("roll_in", probability=1.0, keep=0.99)
    state = state_of(own, guide, signals=rule.signals())
    path = put(tmp_path / "policy", View(state, "squashed", "dataset"), rule)
    new, _ = ws.actor(path).predict(ROW, deterministic=False, rng=np.random.default_rng(0))
    state = json.loads((path / "policy.json").read_text())["state"]
    state["prior"] = state.pop("pretrained")
    resigned(path, format=1, state=state)
    old = ws.actor(path)
    assert old.learnt.pretrained is not None
    again, _ = old.predict(ROW, deterministic=False, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(again, new)
