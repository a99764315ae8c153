"""A policy in evaluation as an ONNX graph, written from its layers; the extra `onnx`.

Inputs are the environment's own observations, one for each array that it observes, images as bytes;
the output is its actions, in its own box. Statistics, squashing and box stand in the graph.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from warmstart.envs.interface import ActionBox, Observations
from warmstart.errors import RunError
from warmstart.policy.actor import NumpyPolicy
from warmstart.policy.base import BasePolicy
from warmstart.policy.learnt import Policy
from warmstart.policy.onnx_file import OnnxPolicy
from warmstart.policy.onnx_inline import inlined
from warmstart.policy.onnx_nodes import Graph
from warmstart.policy.pixels import Encoded

OUTPUT = "action"


def require_onnx() -> None:
    """Raises RunError where the extra is not installed."""
    if importlib.util.find_spec("onnx") is None or importlib.util.find_spec("onnxruntime") is None:
        raise RunError("ONNX is not installed: run `pip install 'warmstart[onnx]'`.")


def require_one_step(actor: NumpyPolicy) -> None:
    """Refuse (RunError) a policy whose action is more than a function of one observation."""
    if actor.base is not None and isinstance(actor.base.act, NumpyPolicy):
        require_one_step(actor.base.act)
    rule, name = actor.rule, type(actor.rule).__name__
    why = rule.asks(actor.learnt.pretrained is not None)
    if why is not None:
        raise RunError(
            f"a policy of {actor.card['method']} has no ONNX form: its acting rule {name} {why}; "
            "leave --onnx out (in Python onnx=False): ws.load_policy acts by the rule in NumPy"
        )


def as_onnx(actor: NumpyPolicy) -> bytes:
    """The ONNX file of what a policy does in evaluation.

    Raises:
        RunError: the extra is not installed, or the policy is none of one observation.
    """
    require_onnx()
    require_one_step(actor)
    from onnx import checker, helper  # pyright: ignore[reportMissingImports]

    graph = Graph()
    x, inputs = _observed(graph, actor.observations)
    graph.add("Identity", _acted(graph, actor, x), name=OUTPUT)
    shape = ["N", *actor.card["action"]["shape"]]
    dtype = helper.np_dtype_to_tensor_dtype(np.dtype(actor.card["action"]["dtype"]))
    output = helper.make_tensor_value_info(OUTPUT, dtype, shape)
    made = helper.make_graph(
        graph.nodes, "policy", inputs, [output], initializer=graph.initializers
    )
    opsets = [helper.make_opsetid(*each) for each in graph.opsets.items()]
    model = helper.make_model(
        made, opset_imports=opsets, ir_version=graph.ir_version, producer_name="warmstart"
    )
    told = {key: str(actor.card[key]) for key in ("method", "task", "seed") if key in actor.card}
    helper.set_model_props(model, told)
    checker.check_model(model, full_check=True)
    return model.SerializeToString()


def run_onnx(file: bytes, actor: NumpyPolicy, flat: np.ndarray) -> np.ndarray:
    """Actions of an ONNX file of `as_onnx` at flat observations [N, O], by onnxruntime."""
    import onnxruntime  # pyright: ignore[reportMissingImports]

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    dtype = np.float32 if actor.observations.offset is None else np.float64
    fed, at = {}, 0
    for part in actor.observations.parts:
        rows = flat[:, at : at + part.size].astype(np.uint8 if part.image else dtype)
        fed[input_name(part.path)] = rows.reshape(len(flat), *part.shape)
        at += part.size
    return session.run([OUTPUT], fed)[0]


def input_name(path: tuple[str, ...]) -> str:
    """Of an array of the observation: its keys, or `obs` where there is but one array."""
    return "/".join(path) or "obs"


def _observed(graph: Graph, seen: Observations) -> tuple[str, list[Any]]:
    """Flat float32 observations [N, O], and the graph's inputs."""
    from onnx import TensorProto, helper  # pyright: ignore[reportMissingImports]

    kind = TensorProto.FLOAT if seen.offset is None else TensorProto.DOUBLE
    inputs, flat = [], []
    for part in seen.parts:
        name = input_name(part.path)
        own = TensorProto.UINT8 if part.image else kind
        inputs.append(helper.make_tensor_value_info(name, own, ["N", *part.shape]))
        name = graph.add("Cast", name, to=kind) if part.image else name
        flat.append(graph.add("Reshape", name, graph.constant(np.array([-1, part.size]))))
    x = graph.add("Concat", *flat, axis=1) if len(flat) > 1 else flat[0]
    if seen.offset is not None:
        x = graph.add("Sub", x, graph.constant(seen.offset))
        x = graph.add("Cast", x, to=TensorProto.FLOAT)
    return x, inputs


def _acted(graph: Graph, actor: NumpyPolicy, x: str) -> str:
    """Flat observations [N, O] to what `NumpyPolicy.act` gives."""
    if actor.base is not None:
        x = graph.add("Concat", x, _base(graph, actor.base, x), axis=1)
    return _boxed(graph, _mode(graph, actor.learnt.policy, x), actor.box)


def _base(graph: Graph, base: BasePolicy, x: str) -> str:
    """What `BasePolicy` computes: actions [N, A] in [-1, 1]."""
    from onnx import TensorProto  # pyright: ignore[reportMissingImports]

    low, high = base.box.low, base.box.high
    if isinstance(base.act, OnnxPolicy):
        own = inlined(graph, base.act, x, base.box.size)
    else:
        assert isinstance(base.act, NumpyPolicy)
        flat = graph.constant(np.array([-1, base.box.size]))
        own = graph.add("Reshape", _acted(graph, base.act, x), flat)
        own = graph.add("Cast", own, to=TensorProto.FLOAT)
    if not base.unit:  # in the order of `interface.from_box`
        own = graph.add("Mul", graph.add("Sub", own, graph.constant(low)), graph.number(2.0))
        own = graph.add("Div", own, graph.constant(high - low))
        own = graph.add("Sub", own, graph.number(1.0))
    return graph.add("Clip", own, graph.number(-1.0), graph.number(1.0))


def _mode(graph: Graph, policy: Policy, x: str) -> str:
    """What `Policy.mode` computes."""
    if policy.scale is not None:
        mean, inverse = (np.asarray(part, np.float32) for part in policy.scale)
        if isinstance(policy.net, Encoded):  # pixels stay as they are
            pixels = (0, policy.net.encoder.pixels)
            mean, inverse = np.pad(mean, pixels), np.pad(inverse, pixels, constant_values=1.0)
        x = graph.add("Sub", x, graph.constant(mean))
        x = graph.add("Mul", x, graph.constant(inverse))
    return policy.kind.onnx(graph, policy.net, x)


def _boxed(graph: Graph, action: str, box: ActionBox) -> str:
    """Actions [N, A] in [-1, 1] in the environment's units and shape."""
    from onnx import helper  # pyright: ignore[reportMissingImports]

    low, high = box.limits
    x = graph.add("Clip", action, graph.number(-1.0), graph.number(1.0))
    # As low + (x + 1) * half, the order of `interface.to_box`.
    half = graph.constant(np.float32(0.5) * (box.high - box.low))
    x = graph.add("Mul", graph.add("Add", x, graph.number(1.0)), half)
    x = graph.add("Add", x, graph.constant(box.low))
    if np.issubdtype(low.dtype, np.integer):
        x = graph.add("Round", x)
    wide = low.dtype if low.dtype == np.float64 else np.dtype(np.float32)
    x = graph.add("Cast", x, to=helper.np_dtype_to_tensor_dtype(wide))
    x = graph.add("Max", x, graph.constant(low.reshape(-1).astype(wide)))
    x = graph.add("Min", x, graph.constant(high.reshape(-1).astype(wide)))
    x = graph.add("Cast", x, to=helper.np_dtype_to_tensor_dtype(low.dtype))
    shape = graph.constant(np.array([-1, *low.shape] if low.shape else [-1], np.int64))
    return graph.add("Reshape", x, shape)
