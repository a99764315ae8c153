"""An ONNX file as the base policy of a run."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from leaving import method_policy
from onnx import TensorProto, helper, numpy_helper
from tiny import SPEC

import warmstart as ws
from warmstart.envs.interface import plain_interface
from warmstart.errors import RunError
from warmstart.policy.carried import of_onnx
from warmstart.policy.folder import read_policy, write_policy
from warmstart.policy.graph import as_onnx, run_onnx
from warmstart.policy.onnx_file import onnx_base
from warmstart.policy.parity import TOLERANCE, difference, trial_observations
from warmstart.types import Spec

UNIT = plain_interface(SPEC)
WEIGHT = np.random.default_rng(0).normal(0, 0.3, (3, 2)).astype(np.float32)


def graph(
    path: Path,
    shape: Any = ("N", 3),
    op: str = "Tanh",
    domain: str = "",
    double: bool = False,
    weight: np.ndarray = WEIGHT,
    opset: int = 17,
) -> Path:
    """op(obs @ weight) as a file."""
    kind = TensorProto.DOUBLE if double else TensorProto.FLOAT
    weight = weight.astype(np.float64) if double else weight
    out = [*shape[:-1], weight.shape[1]]
    nodes = [
        helper.make_node("MatMul", ["obs", "w"], ["u"]),
        helper.make_node(op, ["u"], ["action"], domain=domain),
    ]
    made = helper.make_graph(
        nodes, "policy", [helper.make_tensor_value_info("obs", kind, list(shape))],
        [helper.make_tensor_value_info("action", kind, out)],
        [numpy_helper.from_array(weight, "w")],
    )  # fmt: skip
    sets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    onnx.save(helper.make_model(made, opset_imports=sets, ir_version=8), str(path))
    return path


def opened(path: Path, interface: Any = UNIT) -> Any:
    return onnx_base(str(path), str(path), interface)


@pytest.mark.parametrize("shape", [("N", 3), (1, 3), (3,)])
@pytest.mark.parametrize("double", [False, True])
def test_it_acts_as_its_numbers_say(tmp_path: Path, shape: Any, double: bool) -> None:
    base = opened(graph(tmp_path / "arm.onnx", shape, double=double))
    obs = np.random.default_rng(1).normal(size=(9, 3)).astype(np.float32)
    np.testing.assert_allclose(base(obs), np.tanh(obs @ WEIGHT), atol=1e-6)
    assert base.many == (shape == ("N", 3))
    base.examine(obs)


def test_what_cannot_be_run_is_said_in_one_sentence(tmp_path: Path) -> None:
    strange = graph(tmp_path / "strange.onnx", op="Steer", domain="own")
    with pytest.raises(RunError, match=r"ONNX Runtime cannot run .*standard set"):
        opened(strange)
    (tmp_path / "none.onnx").write_bytes(b"nothing")
    with pytest.raises(RunError, match="ONNX Runtime cannot run"):
        opened(tmp_path / "none.onnx")
    wide = {**UNIT, "observation": plain_interface(Spec(5, 2))["observation"]}
    with pytest.raises(RunError, match="takes 3 numbers of an observation, and the environment"):
        opened(graph(tmp_path / "other.onnx"), wide)


def test_a_policy_of_ours_that_left_is_the_start_of_another(tmp_path: Path) -> None:
    """A run is exported as ONNX, and corrected: at first it is itself."""
    nets = {"learner.policy.net.hidden": "4", "learner.critic.net.hidden": "4"}
    small: dict[str, Any] = {
        "preset": "quick", "steps": 40, "root": tmp_path, "progress": False,
        "schedule": {"episodes": 1, "fixed_episodes": 2, "online_every": 0, "early": (0,)},
    }  # fmt: skip
    first = ws.run("sac", "jax-pointmass", changes={**nets, "replay.warmup.steps": "10"}, **small)
    ws.export(first.folder, tmp_path / "left", onnx=True)
    (file,) = (tmp_path / "left").glob("*.onnx")
    then = ws.run(
        "residual", "jax-pointmass", policy=file,
        changes={
            **nets, "replay.warmup.steps": "10", "finetune.rhythm.first": "2",
            "learner.actor_from": "2",
        }, **small,
    )  # fmt: skip
    assert then.declared.policy == str(file.resolve())
    assert any(line["kind"] == "eval" for line in then.metrics)
    made = ws.export(then.folder, tmp_path / "corrected", onnx=True)
    parity = made.card["exported"]["parity"]
    assert max(parity["numpy"], parity["onnx"]) < TOLERANCE
    assert sorted(path.suffix for path in made.folder.iterdir()) == [
        ".json", ".md", ".onnx", ".onnx", ".safetensors"
    ]  # fmt: skip
    file.unlink()
    obs = np.random.default_rng(0).uniform(-1, 1, (20, 4)).astype(np.float32)
    gap = np.abs(ws.load_policy(made.folder)(obs) - ws.actor(first.folder)(obs))
    assert 0.0 < gap.max() <= 0.3 + 1e-5  # quick's largest correction
    assert "NumPy and safetensors and ONNX Runtime" in (made.folder / "README.md").read_text()


WIDE = np.random.default_rng(2).normal(0, 0.8, (5, 3)).astype(np.float32)
"""Of a policy that `leaving`'s correction may correct."""


def corrects(folder: Path, file: Path) -> Path:
    """The folder of a correction of an ONNX file."""
    stored, base = read_policy(method_policy(folder.with_name("in"), "residual")[0]), of_onnx(file)
    card = {k: v for k, v in stored.card.items() if k not in ("tensors", "weights", "checksum")}
    tensors = {k: v for k, v in stored.tensors.items() if not k.startswith("base.")}
    write_policy(folder, {**card, "base": base.told}, tensors, files=base.files)
    return folder


FILES: dict[str, dict[str, Any]] = {
    "many": {}, "one": {"shape": (1, 5)}, "flat": {"shape": (5,)}, "double": {"double": True},
    "flat double": {"shape": (5,), "double": True}, "old": {"opset": 11}, "new": {"opset": 21},
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_correction_and_its_file_are_one_graph(tmp_path: Path, name: str) -> None:
    kwargs = {"shape": ("N", 5), **FILES[name]}
    file = graph(tmp_path / "arm.onnx", weight=WIDE, **kwargs)
    made = ws.export(corrects(tmp_path / "p", file), tmp_path / "left", onnx=True)
    actor = ws.load_policy(made.folder)
    flat = trial_observations(actor, 50)
    theirs = run_onnx((made.folder / "model.onnx").read_bytes(), actor, flat)
    assert difference(theirs, actor(flat), actor.box) < TOLERANCE
    assert np.ptp(theirs, axis=0).min() > 0
    kept = pickle.loads(pickle.dumps(actor))
    np.testing.assert_array_equal(kept(flat), actor(flat))


def test_weights_beside_the_file_come_along(tmp_path: Path) -> None:
    """ONNX puts large ones into a file of their own, under any name."""
    file = graph(tmp_path / "arm.onnx", ("N", 5), weight=WIDE)
    model = onnx.load(file)
    onnx.save(
        model, file, save_as_external_data=True, location="numbers.bin", size_threshold=0
    )  # fmt: skip
    made = ws.export(corrects(tmp_path / "p", file), tmp_path / "left", onnx=True)
    (tmp_path / "numbers.bin").unlink()
    assert np.ptp(ws.load_policy(made.folder)(np.eye(5)), axis=0).min() > 0


def test_a_file_that_is_not_what_the_card_says(tmp_path: Path) -> None:
    folder = corrects(tmp_path / "p", graph(tmp_path / "arm.onnx", ("N", 5), weight=WIDE))
    (held,) = folder.glob("base-*.onnx")
    whole = held.read_bytes()
    held.write_bytes(whole[:-1])
    with pytest.raises(RunError, match=r"base-\w+\.onnx' is damaged \(its checksum differs\)"):
        ws.load_policy(folder)
    held.unlink()
    with pytest.raises(RunError, match=r"cannot read '.*base-\w+\.onnx'"):
        ws.load_policy(folder)
    held.write_bytes(whole)
    ws.load_policy(folder)


def test_operators_of_another_set_come_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ONNX Runtime's own; where they cannot, NumPy still acts by the file."""
    other = {"weight": WIDE, "op": "Gelu", "domain": "com.microsoft"}
    folder = corrects(tmp_path / "p", graph(tmp_path / "arm.onnx", ("N", 5), **other))
    actor = ws.load_policy(folder)
    flat = trial_observations(actor, 50)
    assert difference(run_onnx(as_onnx(actor), actor, flat), actor(flat), actor.box) < TOLERANCE

    def fails(*_: Any) -> None:
        raise RuntimeError("no adapter")

    monkeypatch.setattr(onnx.version_converter, "convert_version", fails)
    old = corrects(tmp_path / "q", graph(tmp_path / "old.onnx", ("N", 5), opset=11, **other))
    np.testing.assert_array_equal(ws.load_policy(old)(flat), actor(flat))
    with pytest.raises(RunError, match=r"'old.onnx' cannot be part of another .*no adapter.*17"):
        as_onnx(ws.load_policy(old))
