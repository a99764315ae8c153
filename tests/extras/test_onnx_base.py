"""An ONNX file as the base policy of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tiny import SPEC

import warmstart as ws
from warmstart.envs.interface import plain_interface
from warmstart.errors import RunError
from warmstart.policy.onnx_file import onnx_base
from warmstart.types import Spec

UNIT = plain_interface(SPEC)
WEIGHT = np.random.default_rng(0).normal(0, 0.3, (3, 2)).astype(np.float32)


def graph(
    path: Path, shape: Any = ("N", 3), op: str = "Tanh", domain: str = "", double: bool = False
) -> Path:
    """op(obs @ WEIGHT) as a file."""
    kind = TensorProto.DOUBLE if double else TensorProto.FLOAT
    weight = WEIGHT.astype(np.float64) if double else WEIGHT
    out = [*shape[:-1], 2]
    nodes = [
        helper.make_node("MatMul", ["obs", "w"], ["u"]),
        helper.make_node(op, ["u"], ["action"], domain=domain),
    ]
    made = helper.make_graph(
        nodes, "policy", [helper.make_tensor_value_info("obs", kind, list(shape))],
        [helper.make_tensor_value_info("action", kind, out)],
        [numpy_helper.from_array(weight, "w")],
    )  # fmt: skip
    sets = [helper.make_opsetid("", 17)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    onnx.save(helper.make_model(made, opset_imports=sets, ir_version=8), str(path))
    return path


@pytest.mark.parametrize("shape", [("N", 3), (1, 3), (3,)])
@pytest.mark.parametrize("double", [False, True])
def test_it_acts_as_its_numbers_say(tmp_path: Path, shape: Any, double: bool) -> None:
    base = onnx_base(graph(tmp_path / "arm.onnx", shape, double=double), UNIT)
    obs = np.random.default_rng(1).normal(size=(9, 3)).astype(np.float32)
    np.testing.assert_allclose(base(obs), np.tanh(obs @ WEIGHT), atol=1e-6)
    assert base.many == (shape == ("N", 3))
    base.examine(obs)


def test_what_cannot_be_run_is_said_in_one_sentence(tmp_path: Path) -> None:
    strange = graph(tmp_path / "strange.onnx", op="Steer", domain="own")
    with pytest.raises(RunError, match=r"ONNX Runtime cannot run .*standard set"):
        onnx_base(strange, UNIT)
    (tmp_path / "none.onnx").write_bytes(b"nothing")
    with pytest.raises(RunError, match="ONNX Runtime cannot run"):
        onnx_base(tmp_path / "none.onnx", UNIT)
    wide = {**UNIT, "observation": plain_interface(Spec(5, 2))["observation"]}
    with pytest.raises(RunError, match="takes 3 numbers of an observation, and the environment"):
        onnx_base(graph(tmp_path / "other.onnx"), wide)


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
