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
from warmstart.policy import layers, networks, rules
from warmstart.policy.actor import NumpyPolicy
from warmstart.policy.learnt import Policy
from warmstart.policy.pixels import Encoded

OPSET = 17
"""The first with LayerNormalization."""
OUTPUT = "action"


def require_onnx() -> None:
    """Raises RunError where the extra is not installed."""
    if importlib.util.find_spec("onnx") is None or importlib.util.find_spec("onnxruntime") is None:
        raise RunError("ONNX is not installed: run `pip install 'warmstart[onnx]'`.")


def require_one_step(actor: NumpyPolicy) -> None:
    """Refuse (RunError) a policy whose action is more than a function of one observation."""
    rule, pretrained, name = actor.rule, actor.learnt.pretrained, type(actor.rule).__name__
    why = None
    if rule.remembers(False) and (pretrained is not None or not isinstance(rule, rules.JumpStart)):
        why = "acts on the episode so far"
    elif isinstance(rule, rules.ByValue) and pretrained is not None:
        why = "asks critics which of two policies acts"
    elif isinstance(rule, rules.BestOf):
        why = "asks critics which of its draws acts"
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
    _boxed(graph, _mode(graph, actor.learnt.policy, x), actor.box)
    shape = ["N", *actor.card["action"]["shape"]]
    dtype = helper.np_dtype_to_tensor_dtype(np.dtype(actor.card["action"]["dtype"]))
    output = helper.make_tensor_value_info(OUTPUT, dtype, shape)
    made = helper.make_graph(
        graph.nodes, "policy", inputs, [output], initializer=graph.initializers
    )
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(made, opset_imports=opset, ir_version=8, producer_name="warmstart")
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


class Graph:
    """Nodes and constants in the order in which they are made."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def add(self, op: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """One node; the name of what it gives."""
        from onnx import helper  # pyright: ignore[reportMissingImports]

        output = name or f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [output], **attributes))
        return output

    def constant(self, value: Any) -> str:
        """An array of the graph's own."""
        from onnx import numpy_helper  # pyright: ignore[reportMissingImports]

        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def number(self, value: float) -> str:
        """A float32 constant."""
        return self.constant(np.float32(value))


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


def _mode(graph: Graph, policy: Policy, x: str) -> str:
    """What `Policy.mode` computes."""
    if policy.scale is not None:
        mean, inverse = (np.asarray(part, np.float32) for part in policy.scale)
        if isinstance(policy.net, Encoded):  # pixels stay as they are
            pixels = (0, policy.net.encoder.pixels)
            mean, inverse = np.pad(mean, pixels), np.pad(inverse, pixels, constant_values=1.0)
        x = graph.add("Sub", x, graph.constant(mean))
        x = graph.add("Mul", x, graph.constant(inverse))
    net = policy.net
    free = _of_nothing(graph, net, x) if policy.kind == "generated" else _mean(graph, net, x)
    if policy.kind == "deterministic":
        return free
    if policy.kind in ("plain", "generated", "steered"):
        return graph.add("Clip", free, graph.number(-1.0), graph.number(1.0))
    return graph.add("Tanh", free)


def _of_nothing(graph: Graph, net: Any, x: str) -> str:
    """What a network makes of an observation and of noise that is 0."""
    match net:
        case networks.DistilledPolicy():
            seen = graph.add("Concat", x, _all(graph, x, net.body, net.actions, 0.0), axis=1)
            return _layer(graph, net.head, _layer(graph, net.body, seen))
        case networks.FlowPolicy():
            return _carried(graph, net, x, _all(graph, x, net.field.body, net.actions, 0.0, more=1))
    raise RunError(f"a network of the kind {type(net).__name__} has no ONNX form")


def _carried(graph: Graph, net: networks.FlowPolicy, x: str, at: str) -> str:
    """Where a flow carries noise."""
    field, size = net.field, graph.number(1.0 / net.steps)
    for i in range(net.steps):
        t = _all(graph, x, field.body, 1, i / net.steps, more=net.actions)
        seen = graph.add("Concat", x, at, t, axis=1)
        moved = _layer(graph, field.head, _layer(graph, field.body, seen))
        at = graph.add("Add", at, graph.add("Mul", moved, size))
    return at


def _all(graph: Graph, x: str, body: Any, width: int, value: float, more: int = 0) -> str:
    """[N, width] of one number, as many rows as `x` has: the rest of the input of `body`."""
    observed = len(body.first.weight) - width - more
    zeros = graph.constant(np.zeros((observed, width), np.float32))
    return graph.add("Gemm", x, zeros, graph.constant(np.full(width, value, np.float32)))


def _mean(graph: Graph, net: Any, x: str) -> str:
    """What a policy network's `mean` computes."""
    match net:
        case networks.DeterministicPolicy():
            return graph.add("Tanh", _layer(graph, net.head, _layer(graph, net.trunk, x)))
        case networks.GaussianPolicy():
            mean = _layer(graph, net.mean_head, _layer(graph, net.trunk, x))
            return graph.add("Tanh", mean) if net.bounded_mean else mean
        case networks.SteeredPolicy():
            steered = graph.add("Tanh", _mean(graph, net.steer, x))
            return _carried(graph, net.flow, x, graph.add("Mul", steered, graph.number(net.limit)))
        case networks.PolicyEnsemble():
            return graph.add("Mean", *(_mean(graph, member, x) for member in net.members))
        case Encoded():
            return _mean(graph, net.net, _features(graph, net, x))
    raise RunError(f"a network of the kind {type(net).__name__} has no ONNX form")


def _features(graph: Graph, net: Encoded, x: str) -> str:
    """What `Encoded.features` computes: the pixels stand last in `x`."""
    at, seen = -net.encoder.pixels, []
    numbers = _columns(graph, x, 0, at)
    for tower, camera in zip(net.encoder.towers, net.encoder.cameras, strict=True):
        image = _columns(graph, x, at, at + camera.size)
        image = graph.add("Reshape", image, graph.constant(np.array([-1, *camera.shape])))
        image = graph.add("Div", image, graph.number(255.0))
        image = graph.add("Transpose", image, perm=[0, 3, 1, 2])
        for conv in tower:
            weight = graph.constant(conv.weight.transpose(3, 2, 0, 1))
            steps = [conv.stride, conv.stride]
            image = graph.add("Conv", image, weight, graph.constant(conv.bias), strides=steps)
            image = graph.add("Relu", image)
        seen.append(graph.add("Flatten", graph.add("Transpose", image, perm=[0, 2, 3, 1])))
        at += camera.size
    whole = graph.add("Concat", *seen, axis=1)
    few = graph.add("Tanh", _layer(graph, net.norm, _layer(graph, net.squeeze, whole)))
    return graph.add("Concat", numbers, few, axis=1)


def _columns(graph: Graph, x: str, start: int, stop: int) -> str:
    """`x[:, start:stop]`; a stop of 0 is the end."""
    bounds = (start, stop or np.iinfo(np.int64).max, 1)
    return graph.add("Slice", x, *(graph.constant(np.array([bound])) for bound in bounds))


def _layer(graph: Graph, layer: Any, x: str) -> str:
    """What a layer or trunk computes."""
    match layer:
        case layers.Linear():
            weight, bias = graph.constant(layer.weight), graph.constant(layer.bias)
            return graph.add("Gemm", x, weight, bias)
        case layers.LayerNorm():
            scale, offset = graph.constant(layer.scale), graph.constant(layer.offset)
            return graph.add("LayerNormalization", x, scale, offset, epsilon=float(layer.eps))
        case layers.MLP():
            for i, dense in enumerate((layer.first, *layer.layers)):
                x = _layer(graph, dense, x)
                if i < len(layer.norms):
                    x = _layer(graph, layer.norms[i], x)
                x = _activation(graph, layer.activations[i], x)
            return x
        case layers.SimBaBlock():
            up = graph.add("Relu", _layer(graph, layer.up, _layer(graph, layer.norm, x)))
            return graph.add("Add", x, _layer(graph, layer.down, up))
        case layers.SimBa():
            x = _layer(graph, layer.first, x)
            for block in layer.blocks:
                x = _layer(graph, block, x)
            return _layer(graph, layer.norm, x)
    raise RunError(f"a layer of the kind {type(layer).__name__} has no ONNX form")


def _activation(graph: Graph, name: str, x: str) -> str:
    if name == "swish":
        return graph.add("Mul", x, graph.add("Sigmoid", x))
    if name != "gelu":
        return graph.add({"relu": "Relu", "tanh": "Tanh", "elu": "Elu"}[name], x)
    cube = graph.add("Mul", graph.add("Mul", x, x), x)
    inner = graph.add("Add", x, graph.add("Mul", cube, graph.number(0.044715)))
    risen = graph.add("Tanh", graph.add("Mul", inner, graph.number(0.7978845608)))
    risen = graph.add("Add", risen, graph.number(1.0))
    return graph.add("Mul", graph.add("Mul", x, graph.number(0.5)), risen)


def _boxed(graph: Graph, action: str, box: ActionBox) -> None:
    """Actions [N, A] in [-1, 1] in the environment's units, as the graph's output."""
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
    graph.add("Reshape", x, shape, name=OUTPUT)
