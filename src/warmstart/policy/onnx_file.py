"""A policy in an ONNX file, run by ONNX Runtime; the extra `onnx`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.errors import RunError
from warmstart.policy.base import BasePolicy


def onnx_base(path: Path, interface: Mapping[str, Any]) -> BasePolicy:
    """The policy of a file with one input, observations [O] or [N, O], and one output.

    Raises RunError: the extra is not installed, or no such graph can be run here.
    """
    try:
        import onnxruntime as runtime  # pyright: ignore[reportMissingImports]
    except ImportError as missing:
        raise RunError(
            "ONNX Runtime is not installed: run `pip install 'warmstart[onnx]'`."
        ) from missing
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is said once, by us
    options.intra_op_num_threads = 1  # sums in one order
    try:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own errors share no class
        raise RunError(
            f"ONNX Runtime cannot run '{path}' ({' '.join(str(error).split())[:200]}); export it "
            "with operators of the standard set that your version of onnxruntime has"
        ) from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        names = ", ".join(x.name for x in (*inputs, *outputs))
        raise RunError(
            f"'{path}' has {len(inputs)} inputs and {len(outputs)} outputs ({names}); export a "
            "graph of one flat observation and one action"
        )
    shape, kind = inputs[0].shape, inputs[0].type
    dtype = {"tensor(float)": np.float32, "tensor(double)": np.float64}.get(kind)
    size = sum(int(np.prod(part["shape"], dtype=int)) for part in interface["observation"]["parts"])
    if dtype is None or len(shape) not in (1, 2):
        raise RunError(
            f"the input of '{path}' is {kind} of shape {shape}; export one of float32 observations "
            f"[{size}] or [N, {size}]"
        )
    if isinstance(shape[-1], int) and shape[-1] != size:
        raise RunError(
            f"'{path}' takes {shape[-1]} numbers of an observation, and the environment observes "
            f"{size}; export the policy of this environment"
        )
    name, flat = inputs[0].name, len(shape) == 1
    many = not flat and not isinstance(shape[0], int)

    def act(obs: np.ndarray) -> Any:
        held = obs.astype(dtype)
        if many or flat:
            return session.run(None, {name: held})[0]
        return np.asarray(session.run(None, {name: held[None]})[0])[0]

    return BasePolicy(str(path), act, interface, many)
