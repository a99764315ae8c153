"""A policy as an ONNX file acts as it does in NumPy, by onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np
import onnx
import onnxruntime
import pytest
from leaving import method_policy
from shelf import ACTIONS, BOX, OBS, put, sighted, state_of

import warmstart as ws
from warmstart.acting import Noisy, Sampled
from warmstart.errors import RunError
from warmstart.methods import METHODS
from warmstart.nets.flows import DistilledPolicySpec, FlowPolicySpec
from warmstart.nets.spec import NetSpec, PolicySpec
from warmstart.nets.steered import SteeredPolicySpec
from warmstart.policy.graph import as_onnx, run_onnx
from warmstart.policy.parity import TOLERANCE, difference, trial_observations, trials
from warmstart.views import View

NONE = {"dt", "odt", "jsrl", "pex", "ifql", "qc", "qc_fql", "rlpd_chunks"}
"""Methods whose action is more than a function of one observation."""
NETS = {
    **{name: NetSpec((16, 8), name) for name in ("relu", "tanh", "elu", "gelu", "swish")},
    "norms": NetSpec((16, 8), layer_norm=True),
    "simba": NetSpec((16, 16), kind="simba"),
}


def compared(folder: Path) -> float:
    actor = ws.load_policy(folder)
    flat = trial_observations(actor)
    assert len(flat) == 1000 and np.ptp(flat, axis=0).min() > 0.1
    theirs, ours = run_onnx(as_onnx(actor), actor, flat), actor.act(flat)
    assert theirs.dtype == ours.dtype and theirs.shape == ours.shape
    assert np.ptp(ours, axis=0).min() > 0
    assert np.all((theirs >= actor.box.limits[0]) & (theirs <= actor.box.limits[1]))
    return difference(theirs, ours, actor.box)


@pytest.mark.parametrize("method", sorted(set(METHODS) - NONE))
def test_every_method_that_acts_on_one_observation(tmp_path: Path, method: str) -> None:
    assert compared(method_policy(tmp_path / method, method)[0]) < TOLERANCE


@pytest.mark.parametrize("method", sorted(NONE))
def test_the_others_are_refused_by_name(tmp_path: Path, method: str) -> None:
    folder = method_policy(tmp_path / method, method)[0]
    with pytest.raises(RunError, match=rf"a policy of {method} has no ONNX form: .*--onnx"):
        as_onnx(ws.load_policy(folder))
    with pytest.raises(RunError, match="no ONNX form"):
        ws.export(folder, tmp_path / "p", onnx=True)
    assert not (tmp_path / "p").exists()
    assert ws.export(folder, tmp_path / "p", onnx=False).card["exported"]["onnx"] is None


@pytest.mark.parametrize("name", NETS)
def test_every_layer(tmp_path: Path, name: str) -> None:
    specs = (
        PolicySpec(NETS[name]),
        PolicySpec(NETS[name], squash=False),
        FlowPolicySpec(NETS[name], 3),
        DistilledPolicySpec(NETS[name], 3),
        SteeredPolicySpec(NETS[name], 3, noise=NETS[name]),
    )
    for i, spec in enumerate(specs):
        net = spec.build(jax.random.key(3), OBS, ACTIONS)
        if isinstance(spec, SteeredPolicySpec):  # which begins with noise that is 0
            net = jax.tree.map(lambda x: x + 0.05, net)
        view = View(state_of(net), spec.distribution, ("dataset", "running")[i % 2])
        assert compared(put(tmp_path / f"{i}", view, Sampled())) < TOLERANCE


SPEC = PolicySpec(NetSpec((16, 8)))
PARTS = {
    "parts": [
        {"path": ["arm", "angle"], "shape": [], "low": [-1.0], "high": [2.0]},
        {"path": ["arm", "speed"], "shape": [2]},
        {"path": ["goal"], "shape": [1, 2]},
    ],
    "ignored": [["desired"]],
    "offset": None,
}
OBSERVED: dict[str, Any] = {
    "a dict": PARTS,
    "an offset": {**PARTS, "offset": [4.5e6, 0.0, -4.5e6, 0.0, 1.0]},
    "a table": {"parts": [{"path": [], "shape": [5, 1]}], "ignored": [], "offset": None},
}


@pytest.mark.parametrize("what", OBSERVED)
def test_what_the_environment_observes(tmp_path: Path, what: str) -> None:
    view = View(state_of(SPEC.build(jax.random.key(0), OBS, ACTIONS)), "squashed", "dataset")
    folder = put(tmp_path / "p", view, Sampled(), OBSERVED[what])
    assert compared(folder) < TOLERANCE
    actor = ws.load_policy(folder)
    session = onnxruntime.InferenceSession(as_onnx(actor))
    names = ["arm/angle", "arm/speed", "goal"] if what != "a table" else ["obs"]
    assert [each.name for each in session.get_inputs()] == names
    kinds = {each.type for each in session.get_inputs()}
    assert kinds == {"tensor(double)" if what == "an offset" else "tensor(float)"}


@pytest.mark.parametrize("dtype, shape", [("int64", [3]), ("uint8", [3]), ("float32", [3]),
                                          ("float16", [3, 1]), ("float64", [1, 3])])  # fmt: skip
def test_actions_in_the_environments_type_and_shape(
    tmp_path: Path, dtype: str, shape: list[int]
) -> None:
    net = PolicySpec(NetSpec((16, 8)), kind="deterministic").build(jax.random.key(2), OBS, ACTIONS)
    view = View(state_of(net), "deterministic", "none")
    box = {"shape": shape, "dtype": dtype, "low": [2, 0, 1], "high": [40, 10, 9]}
    folder = put(tmp_path / "p", view, Noisy(0.05), None, box)
    assert compared(folder) < TOLERANCE


def test_an_export_with_onnx(tmp_path: Path) -> None:
    folder = method_policy(tmp_path / "in", "wsrl")[0]
    made = ws.export(folder, tmp_path / "out", onnx=True)
    told = made.card["exported"]
    file = (made.folder / "model.onnx").read_bytes()
    assert told["onnx"]["bytes"] == len(file) and told["onnx"]["inputs"] == ["obs"]
    assert 0 < told["parity"]["onnx"] < TOLERANCE
    assert "model.onnx" in (made.folder / "README.md").read_text()
    model = onnx.load_model_from_string(file)
    assert {p.key: p.value for p in model.metadata_props}["method"] == "wsrl"
    one = onnxruntime.InferenceSession(file).run(None, {"obs": np.ones((1, OBS), np.float32)})[0]
    assert np.allclose(one[0], ws.load_policy(made.folder).act(np.ones(OBS)), atol=1e-4)
    assert BOX["dtype"] == str(one.dtype)


@pytest.mark.parametrize("numbers", [OBS, 0])
@pytest.mark.parametrize("kind, more", [("gaussian", {"squash": False}), ("deterministic", {})])
def test_images(tmp_path: Path, kind: str, more: dict[str, Any], numbers: int) -> None:
    """By a thousand observations, in bytes as the environment gives them."""
    folder = sighted(tmp_path / "in", kind, numbers, **more)
    actor, seen = ws.load_policy(folder), 0
    for flat in trials(actor):
        theirs, ours = run_onnx(as_onnx(actor), actor, flat), actor.act(flat)
        assert difference(theirs, ours, actor.box) < TOLERANCE and np.ptp(ours, axis=0).min() > 0
        seen += len(flat)
    assert seen == 1000
    made = ws.export(folder, tmp_path / "out", onnx=True)
    told = made.card["exported"]
    assert told["parity"]["observations"] == 1000 and 0 < told["parity"]["onnx"] < TOLERANCE
    assert told["onnx"]["images"] == ["top", "wrist"]
    session = onnxruntime.InferenceSession((made.folder / "model.onnx").read_bytes())
    kinds = {each.name: each.type for each in session.get_inputs()}
    assert kinds == {**({"arm": "tensor(float)"} if numbers else {}),
                     "top": "tensor(uint8)", "wrist": "tensor(uint8)"}  # fmt: skip
    assert "images uint8" in (made.folder / "README.md").read_text()
