"""The nodes and constants of an ONNX graph; layers and networks write themselves with it."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from warmstart.errors import RunError

OPSET, IR = 17, 8
"""The first operators with LayerNormalization, and the format that has them."""


@runtime_checkable
class Written(Protocol):
    """A layer or network with an ONNX form."""

    def onnx(self, graph: Graph, x: str) -> str:
        """Nodes from [N, ...] called `x` to what it gives there in evaluation; the name of that."""
        ...


class Graph:
    """Nodes and constants in the order in which they are made."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.opsets: dict[str, int] = {"": OPSET}
        self.ir_version: int = IR

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

    def filled(self, x: str, width: int, value: float, observed: int) -> str:
        """[N, width] of one number, as many rows as `x` [N, observed] has."""
        zeros = self.constant(np.zeros((observed, width), np.float32))
        return self.add("Gemm", x, zeros, self.constant(np.full(width, value, np.float32)))

    def columns(self, x: str, start: int, stop: int) -> str:
        """`x[:, start:stop]`; a stop of 0 is the end."""
        bounds = (start, stop or np.iinfo(np.int64).max, 1)
        return self.add("Slice", x, *(self.constant(np.array([bound])) for bound in bounds))

    def of(self, layer: Any, x: str) -> str:
        """What a layer or network gives at `x`. Raises RunError where it has no ONNX form."""
        if not isinstance(layer, Written):
            raise RunError(f"a network of the kind {type(layer).__name__} has no ONNX form")
        return layer.onnx(self, x)
