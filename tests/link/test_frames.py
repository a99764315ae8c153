"""Messages: whole or refused, numbers alone, and no room for what is too large."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.errors import RunError
from warmstart.link.acting import weights_of
from warmstart.link.frames import HEAD, MARK, Frame, Refused, Torn, frame_at, pack, read_head
from warmstart.link.identity import Identity
from warmstart.link.steps import RobotStep, as_bytes, as_step, plain_info

STEP = RobotStep(
    7,
    {"arm": {"angle": np.float64([0.1, 1 / 3])}, "hand": np.uint8([[1, 2], [3, 255]])},
    np.float32([0.25, -1.0]),
    {"arm": {"angle": np.float64([0.2, 2 / 3])}, "hand": np.uint8([[0, 0], [0, 1]])},
    -1 / 3,
    False,
    True,
    True,
    12,
    {"success": True, "force": 0.5},
)


def test_a_step_comes_back_to_the_bit() -> None:
    frame, end = frame_at(as_bytes(STEP), 0)
    back = as_step(frame)
    assert end == len(as_bytes(STEP))
    assert back.obs.keys() == STEP.obs.keys()
    for here, there in (
        (back.obs["arm"]["angle"], STEP.obs["arm"]["angle"]),
        (back.obs["hand"], STEP.obs["hand"]),
        (back.next_obs["hand"], STEP.next_obs["hand"]),
        (back.action, STEP.action),
    ):
        assert here.dtype == there.dtype and here.tobytes() == there.tobytes()
    assert back[4:] == STEP[4:] and back.number == 7
    plain = as_step(frame_at(as_bytes(STEP._replace(obs=None, next_obs=np.zeros(3))), 0)[0])
    assert plain.obs is None and plain.next_obs.shape == (3,)


@pytest.mark.parametrize("turned", [np.transpose, np.asfortranarray, np.flip, np.rot90])
def test_an_image_that_lies_in_another_order_comes_back_to_the_bit(turned: Any) -> None:
    image = turned(np.arange(9 * 8 * 3, dtype=np.uint8).reshape(9, 8, 3))
    step = STEP._replace(next_obs={"eye": image, "angle": np.float64(0.5)})
    back = as_step(frame_at(as_bytes(step), 0)[0]).next_obs
    np.testing.assert_array_equal(back["eye"], image)
    assert back["eye"].dtype == np.uint8 and back["angle"].shape == ()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_is_seen(at: int, value: int) -> None:
    held = bytearray(as_bytes(STEP))
    at %= len(held)
    before, held[at] = held[at], value
    if before == value:
        return
    with pytest.raises((Torn, Refused)):
        frame_at(bytes(held), 0)


def test_what_is_cut_strange_or_too_large_is_refused() -> None:
    whole = as_bytes(STEP)
    for end in (0, 5, HEAD.size, len(whole) - 1):
        with pytest.raises(Torn):
            frame_at(whole[:end], 0)
    with pytest.raises(Torn, match="speaks something else"):
        read_head(b"GET / HTTP/1.1\r\n")
    with pytest.raises(Refused, match=r"version 2 of the link.*same version of warmstart"):
        read_head(struct.pack("<3sBIII", MARK, 2, 1, 1, 1))
    huge = struct.pack("<3sBIII", MARK, 1, 10, 2**32 - 1, 1)
    with pytest.raises(Refused, match=r"a message of 4,294,967,305 bytes is larger .*--most-mb"):
        read_head(huge)


def test_nothing_but_numbers_is_read() -> None:
    text = json.dumps({"kind": "step", "told": {}, "arrays": [["a", 200]]}).encode()
    evil = np.array([{"a": 1}], dtype=object)
    with pytest.raises(ValueError, match="pickle"):
        pack("step", {}, {"a": evil})
    body = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    body = body.ljust(200, b" ")
    crc = zlib.crc32(body, zlib.crc32(text))
    with pytest.raises(Torn, match="cannot be read"):
        frame_at(HEAD.pack(MARK, 1, len(text), len(body), crc) + text + body, 0)
    with pytest.raises(ValueError):
        pack("step", {"reward": float("nan")})


def test_of_info_goes_along_what_is_plain_and_short() -> None:
    told = plain_info(
        {
            "success": np.bool_(True),
            "force": np.float32(0.5),
            "image": np.zeros((8, 8)),
            "note": "x" * 500,
            "nan": float("nan"),
            "tasks_to_complete": ["kettle"],
        }
    )
    assert told == {"success": True, "force": 0.5, "tasks_to_complete": [True]}
    assert plain_info({"tasks_to_complete": []}) == {"tasks_to_complete": []}
    assert len(plain_info({str(k): k for k in range(100)})) == 50


def test_what_an_info_holds_stops_no_robot() -> None:
    """What is no short plain value is left out: the step was made, and has to be logged."""
    info = {"tasks_to_complete": 3, "clock": 10**5000, "force": 0.5, "turns": -(2**62)}
    assert plain_info(info) == {"tasks_to_complete": [True], "force": 0.5, "turns": -(2**62)}
    assert plain_info({"tasks_to_complete": []}) == {"tasks_to_complete": []}


@pytest.mark.parametrize(
    "changes",
    [
        {"reward": 10**400},
        {"weights": float("inf")},
        {"next_obs": [[["arm"], "action"], [["arm", "angle"], "action"]]},
        {"info": 3},
        {"obs": [[[]]]},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_message_that_says_odd_things_is_no_step(changes: dict[str, Any]) -> None:
    frame = frame_at(as_bytes(STEP), 0)[0]
    with pytest.raises(Torn, match="is no step"):
        as_step(frame._replace(told={**frame.told, **changes}))


def test_odd_answers_of_a_learner_are_no_welcome_and_no_weights(tmp_path: Path) -> None:
    welcome = {"run": "r", "method": "m", "horizon": 3, "ends_at_success": False, "learns": True}
    for warmup in ({"steps": float("inf"), "by": "online"}, None, {}):
        with pytest.raises(Torn, match="cannot be read"):
            Identity("log").welcomed(Frame("welcome", {**welcome, "warmup": warmup}, {}))
    for card in (None, 3, [], {}):
        with pytest.raises(RunError):
            weights_of(Frame("weights", {"version": 1, "card": card}, {}), None, tmp_path)
