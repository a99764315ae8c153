"""A policy in an ONNX file, run by ONNX Runtime; the extra `onnx`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.envs.interface import observations_of
from warmstart.errors import RunError
from warmstart.policy.base import BasePolicy


def onnx_base(name: str, file: str | bytes, interface: Mapping[str, Any]) -> BasePolicy:
    """The policy of a graph with one input, observations [O] or [N, O], and one output.

    Args:
        name: what messages call it.
        file: its path, or the bytes of one that stands alone.
        interface: of the environment, as JSON (see `envs.interface`).

    Raises:
        RunError: the extra is not installed, or no such graph can be run here.
    """
    policy = OnnxPolicy(name, file, observations_of(interface["observation"]).size)
    return BasePolicy(name, policy, interface, policy.many)


class OnnxPolicy:
    """Observations to actions as the graph gives them; it can be pickled.

    Attributes:
        file: as given.
        flat: whether the graph takes [O], else [N, O].
        many: whether it takes several at once.
        dtype: of its input.

    Raises:
        RunError: see `onnx_base`.
    """

    def __init__(self, name: str, file: str | bytes, observed: int) -> None:
        self.name, self.file, self.observed = name, file, observed
        self._session: Any = session(name, file)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            names = ", ".join(x.name for x in (*inputs, *outputs))
            raise RunError(
                f"'{name}' has {len(inputs)} inputs and {len(outputs)} outputs ({names}); export a "
                "graph of one flat observation and one action"
            )
        shape, kind = inputs[0].shape, inputs[0].type
        dtype = {"tensor(float)": np.float32, "tensor(double)": np.float64}.get(kind)
        if dtype is None or len(shape) not in (1, 2):
            raise RunError(
                f"the input of '{name}' is {kind} of shape {shape}; export one of float32 "
                f"observations [{observed}] or [N, {observed}]"
            )
        if isinstance(shape[-1], int) and shape[-1] != observed:
            raise RunError(
                f"'{name}' takes {shape[-1]} numbers of an observation, and the environment "
                f"observes {observed}; export the policy of this environment"
            )
        self.dtype: type = dtype
        self.flat: bool = len(shape) == 1
        self.many: bool = not self.flat and not isinstance(shape[0], int)
        self._input: str = inputs[0].name

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        """One observation [O] to an action, or where `many` [N, O] to actions [N, ...]."""
        held = obs.astype(self.dtype)
        if self.many or self.flat:
            return self._session.run(None, {self._input: held})[0]
        return np.asarray(self._session.run(None, {self._input: held[None]})[0])[0]

    def __reduce__(self) -> Any:
        return OnnxPolicy, (self.name, self.file, self.observed)


def session(name: str, file: str | bytes) -> Any:
    """What runs a graph here. Raises RunError as `onnx_base`."""
    try:
        import onnxruntime as runtime  # pyright: ignore[reportMissingImports]
    except ImportError as missing:
        raise RunError(
            f"'{name}' is run by ONNX Runtime, which is not installed: run "
            "`pip install 'warmstart[onnx]'`"
        ) from missing
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is said once, by us
    options.intra_op_num_threads = 1  # sums in one order
    try:
        return runtime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own errors share no class
        raise RunError(
            f"ONNX Runtime cannot run '{name}' ({' '.join(str(error).split())[:200]}); export it "
            "with operators of the standard set that your version of onnxruntime has"
        ) from error


def alone(path: Path) -> bytes | None:
    """A graph's file with the weights inside that ONNX may put beside it; None: it cannot be."""
    held = path.read_bytes()
    try:
        session(path.name, held)
    except RunError:
        try:
            import onnx  # pyright: ignore[reportMissingImports]

            held = onnx.load(path).SerializeToString()
            session(path.name, held)
        except Exception:  # not installed, or more than the two gigabytes that a file may have
            return None
    return held
