"""A request to a policy as bytes, and its answer: JSON, or NumPy's own form.

Nothing that is read here is code: numbers alone are taken, and their sizes are compared with the
bytes that came before any room is made for them.
"""

from __future__ import annotations

import base64
import io
import json
import math
from typing import Any

import numpy as np

from warmstart.errors import WarmstartError
from warmstart.policy.actor import NumpyPolicy

JSON, NPY = "application/json", "application/x-npy"
ROWS = 4_096
"""Observations of one request: a transformer's attention takes much memory for each."""
_KEYS = ("observations", "deterministic", "state", "episode_start", "reward", "seed")


class BadRequest(WarmstartError):
    """A request that cannot be answered; `status` is HTTP's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def answer(policy: NumpyPolicy, kind: str, body: bytes) -> bytes:
    """The answer to a request for actions, in the form in which it came.

    Args:
        policy: who acts.
        kind: `JSON`: an object of observations (pixels as whole numbers) and perhaps
            deterministic, state, episode_start, reward and seed, answered by actions and state;
            or `NPY`: flat observations, answered by actions.
        body: of the request.

    Raises:
        BadRequest: it is none of these, or too many observations.
        TaskError: as `NumpyPolicy.predict`.
    """
    if kind == NPY:
        observations = read_npy(body)
        _require_few(policy, observations)
        if policy.acts_on != "observation":
            raise BadRequest(
                "this policy acts on the episode so far: send JSON, with the state that the answer "
                "before gave"
            )
        return write_npy(policy.act(observations))
    asked = _object(body)
    observations = _with_bytes(policy, asked["observations"])
    _require_few(policy, observations)
    state = None if asked.get("state") is None else _state(asked["state"])
    try:
        actions, state = policy.predict(
            observations,
            state,
            asked.get("episode_start"),
            asked.get("deterministic", True),
            rng=None if asked.get("seed") is None else np.random.default_rng(asked["seed"]),
            reward=asked.get("reward"),
        )
    except (ValueError, IndexError, TypeError, KeyError) as error:
        raise BadRequest(
            f"state, episode_start or reward does not fit this policy ({error}); give the state as "
            "the answer before gave it, and one number for each observation"
        ) from error
    told = {"actions": actions.tolist(), "state": None if state is None else _packed(state)}
    return json.dumps(told, allow_nan=False).encode()


def _object(body: bytes) -> dict[str, Any]:
    """A request in JSON."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is no JSON ({error})") from error
    if not isinstance(asked, dict) or "observations" not in asked:
        raise BadRequest('the body is no request: send {"observations": [...]}')
    for key in asked:
        if key not in _KEYS:
            raise BadRequest(f"a request has no '{key}'; known are {', '.join(_KEYS)}")
    if type(asked.get("deterministic", True)) is not bool:
        raise BadRequest("deterministic is true or false")
    seed = asked.get("seed")
    if seed is not None and (type(seed) is not int or not 0 <= seed < 2**63):
        raise BadRequest("seed is a whole number from 0 on")
    if not asked.get("deterministic", True) and seed is None:
        raise BadRequest("actions that are drawn need a seed: send one, another at each call")
    return asked


def _with_bytes(policy: NumpyPolicy, observations: Any) -> Any:
    """Observations as JSON has them, their images as the bytes that the policy sees."""
    for part in policy.observations.parts:
        if part.image:
            observations = _in_bytes(observations, part.path, part.name)
    return observations


def _in_bytes(held: Any, path: tuple[str, ...], name: str) -> Any:
    if path:
        if not isinstance(held, dict) or path[0] not in held:
            return held  # flat, or refused by what the policy sees
        return {**held, path[0]: _in_bytes(held[path[0]], path[1:], name)}
    try:
        pixels = np.asarray(held)
    except ValueError:
        return held
    if pixels.ndim < 3:
        return held
    if pixels.dtype.kind not in "iu" or np.any((pixels < 0) | (pixels > 255)):
        raise BadRequest(f"{name} is an image; send whole numbers from 0 to 255")
    return pixels.astype(np.uint8)


def _require_few(policy: NumpyPolicy, observations: Any) -> None:
    count = len(policy.observations(observations)[0])
    if count > ROWS:
        raise BadRequest(f"{count:,} observations in one request; send {ROWS:,} or fewer")


def read_npy(body: bytes) -> np.ndarray:
    """The one array of an NPY file, numbers alone. Raises BadRequest."""
    file = io.BytesIO(body)
    try:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version}")
        read = np.lib.format.read_array_header_1_0
        if version == (2, 0):
            read = np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
    except Exception as error:  # NumPy's reader of headers raises errors of many kinds
        raise BadRequest("the body is no NPY file; write one with numpy.save") from error
    if dtype.kind not in "biuf" or fortran:
        raise BadRequest(f"the array is of {dtype}, or not in C order; send numbers, in C order")
    left = len(body) - file.tell()
    if math.prod(shape) * dtype.itemsize != left or any(size < 0 for size in shape):
        raise BadRequest(f"an array of {shape} {dtype} has other than the {left:,} bytes that came")
    return np.frombuffer(body, dtype, offset=file.tell()).reshape(shape)


def write_npy(array: np.ndarray) -> bytes:
    """An NPY file, in C order whatever the array's is: turned images often come in another."""
    file = io.BytesIO()
    np.save(file, np.asarray(array, order="C"), allow_pickle=False)
    return file.getvalue()


def _packed(state: tuple[np.ndarray, ...]) -> str:
    """A state as a text that nobody needs to read: NPY files, each behind its length."""
    files = [write_npy(part) for part in state]
    held = b"".join(len(file).to_bytes(4, "little") + file for file in files)
    return base64.b64encode(held).decode()


def _state(text: Any) -> tuple[np.ndarray, ...]:
    try:
        held, at, parts = base64.b64decode(text, validate=True), 0, []
        while at < len(held):
            size = int.from_bytes(held[at : at + 4], "little")
            if at + 4 + size > len(held):
                raise ValueError("it is cut")
            parts.append(read_npy(held[at + 4 : at + 4 + size]))
            at += 4 + size
        if not parts or not all(np.ndim(part) for part in parts):
            raise ValueError("it holds nothing")
    except (ValueError, TypeError, BadRequest) as error:
        raise BadRequest(
            "this is no state; give it back as the answer before gave it, or null"
        ) from error
    return tuple(parts)
