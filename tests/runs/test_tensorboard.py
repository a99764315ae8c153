from __future__ import annotations

import struct
from pathlib import Path

from warmstart.runs.records import MetricWriter
from warmstart.runs.tensorboard import EVENTS, sync_events


def put(out: MetricWriter, step: int, values: dict[str, object]) -> None:
    out.write("train", 0, "online", 0, 4 * step, step, 0.0, values)


def events(folder: Path) -> list[tuple[str, int, float]]:
    """Every scalar of the event files, by the record format of TensorFlow."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted(folder.rglob("events.*")):
        data = path.read_bytes()
        at = 0
        while at < len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            event = Event.FromString(data[at + 12 : at + 12 + length])
            at += 16 + length
            found += [(v.tag, event.step, v.simple_value) for v in event.summary.value]
    return found


def test_event_files_follow_the_lines_without_doubles(tmp_path: Path) -> None:
    with MetricWriter(tmp_path) as out:
        out.write("train", 0, "pretrain", 0, 5, 0, 0.0, {"loss": 4.0})
        put(out, 1, {"loss": 0.5, "returns": [1.0], "gone": float("nan")})
        offset = out.position()
        put(out, 2, {"loss": 0.25})
    assert len(events(sync_events(tmp_path))) == 3
    with MetricWriter(tmp_path) as out:
        out.cut_back(offset)
        put(out, 2, {"loss": 0.125})
        out.write("eval", None, "online", 0, 8, 2, 0.0, {"score": 8.0}, tag="final")
    target = sync_events(tmp_path)
    assert target == tmp_path / EVENTS
    assert sorted(events(target)) == [
        ("online/final/score", 2, 8.0),
        ("online/train/loss", 1, 0.5),
        ("online/train/loss", 2, 0.125),
        ("pretrain/train/loss", 5, 4.0),
    ]
    assert {p.name for p in target.iterdir()} == {"seed_0", "all"}
