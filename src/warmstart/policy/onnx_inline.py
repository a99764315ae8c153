"""Somebody else's ONNX graph as a part of one of ours."""

from __future__ import annotations

from typing import Any

import numpy as np

from warmstart.errors import RunError
from warmstart.policy.onnx_file import OnnxPolicy
from warmstart.policy.onnx_nodes import OPSET, Graph

PREFIX = "base/"
"""Before every name of the other graph."""


def inlined(graph: Graph, policy: OnnxPolicy, x: str, actions: int) -> str:
    """Nodes from observations [N, O] called `x` to the policy's actions [N, A], float32.

    Raises RunError where the graph cannot be part of another one.
    """
    from onnx import TensorProto, helper  # pyright: ignore[reportMissingImports]

    model = _ours(policy)
    for each in model.opset_import:
        domain = "" if each.domain == "ai.onnx" else each.domain
        graph.opsets[domain] = max(each.version, graph.opsets.get(domain, 0))
    graph.ir_version = max(graph.ir_version, model.ir_version)
    body, kind = model.graph, TensorProto.FLOAT
    seen, given = body.input[0].name, body.output[0].name
    if policy.dtype is np.float64:
        x, kind = graph.add("Cast", x, to=TensorProto.DOUBLE), TensorProto.DOUBLE
    if policy.many:
        graph.nodes += [helper.make_node("Identity", [x], [seen]), *body.node]
        graph.initializers += body.initializer
        acted = given
    else:  # one after the other, as it is asked while it is learnt from
        one = [1, policy.observed][policy.flat :]
        row, shape, flat, out = (f"each/{name}" for name in ("row", "shape", "flat", "action"))
        body.initializer.append(helper.make_tensor(shape, TensorProto.INT64, [len(one)], one))
        body.initializer.append(helper.make_tensor(flat, TensorProto.INT64, [1], [actions]))
        nodes = [
            helper.make_node("Reshape", [row, shape], [seen]),
            *body.node,
            helper.make_node("Reshape", [given, flat], [out]),
        ]
        acts = body.output[0].type.tensor_type.elem_type
        each = helper.make_graph(
            nodes,
            "each",
            [helper.make_tensor_value_info(row, kind, [policy.observed])],
            [helper.make_tensor_value_info(out, acts, [actions])],
            body.initializer,
        )
        acted = graph.add("Scan", x, body=each, num_scan_inputs=1)
    acted = graph.add("Reshape", acted, graph.constant(np.array([-1, actions])))
    return graph.add("Cast", acted, to=TensorProto.FLOAT)


def _ours(policy: OnnxPolicy) -> Any:
    """The policy's model with names and operators that fit into one of ours. Raises RunError."""
    import onnx  # pyright: ignore[reportMissingImports]
    from onnx import compose, inliner, version_converter  # pyright: ignore[reportMissingImports]

    held = policy.file
    try:
        model = onnx.load(held) if isinstance(held, str) else onnx.load_model_from_string(held)
        if model.functions:
            model = inliner.inline_local_functions(model)
        standard = max(
            each.version for each in model.opset_import if each.domain in ("", "ai.onnx")
        )
        if standard < OPSET:
            model = version_converter.convert_version(model, OPSET)
        inputs = {each.name for each in model.graph.initializer}  # old files list them as inputs
        seen = [each for each in model.graph.input if each.name not in inputs]
        del model.graph.input[:]
        model.graph.input.extend(seen)
        return compose.add_prefix(model, PREFIX)
    except Exception as error:  # of onnx's own, of its C++ parts, and of protobuf
        raise RunError(
            f"the base policy '{policy.name}' cannot be part of another ONNX graph "
            f"({' '.join(str(error).split())[:200]}); leave --onnx out (in Python onnx=False), or "
            f"export it with opset {OPSET} or newer"
        ) from error
