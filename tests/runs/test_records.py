from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmstart.errors import RunError
from warmstart.runs.records import METRICS, MetricWriter, comparable, read


def put(out: MetricWriter, step: int, wall: float = 0.0, **values: object) -> None:
    out.write("train", 0, "online", 0, 4 * step, step, wall, values)


def test_a_line_comes_back_as_it_was_written(tmp_path: Path) -> None:
    with MetricWriter(tmp_path) as out:
        values = {
            "score": np.float32(0.1),
            "returns": np.array([1.0, np.nan]),
            "bad": -np.inf,
            "ok": np.bool_(True),
            "n": np.int64(3),
        }
        out.write("eval", 2, "pretrain", 1, 10, 0, 1.23456, values, tag="pretrained")
    assert read(tmp_path) == [
        {
            "kind": "eval",
            "seed": 2,
            "phase": "pretrain",
            "stage": 1,
            "updates": 10,
            "env_steps": 0,
            "wall": 1.235,
            "tag": "pretrained",
            "values": {
                "score": float(np.float32(0.1)),
                "returns": [1.0, None],
                "bad": None,
                "ok": True,
                "n": 3,
            },
        }
    ]


@given(st.lists(st.floats(), max_size=5))
def test_finite_numbers_keep_every_bit(tmp_path_factory: pytest.TempPathFactory, numbers) -> None:
    folder = tmp_path_factory.mktemp("run")
    with MetricWriter(folder) as out:
        put(out, 0, numbers=numbers)
    [record] = read(folder)
    assert record["values"]["numbers"] == [x if np.isfinite(x) else None for x in numbers]


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_a_torn_last_line_is_passed_over_and_then_removed(tmp_path: Path, cut: int) -> None:
    with MetricWriter(tmp_path) as out:
        put(out, 1)
        keep = out.position()
        put(out, 2, loss=0.25)
    path = tmp_path / METRICS
    path.write_bytes(path.read_bytes()[: keep + cut])
    whole = 2 if path.read_bytes().endswith(b"\n") else 1
    assert len(read(tmp_path)) == whole
    with MetricWriter(tmp_path) as out:
        put(out, 3)
    assert [r["env_steps"] for r in read(tmp_path)] == [*[1, 2, 3][:whole], 3]


def test_damage_before_the_last_line_is_an_error(tmp_path: Path) -> None:
    with MetricWriter(tmp_path) as out:
        put(out, 1)
        put(out, 2)
    path = tmp_path / METRICS
    path.write_bytes(b"garbage\n" + path.read_bytes())
    with pytest.raises(RunError, match=r"Line 1 .* move it away"):
        read(tmp_path)


def test_cut_back_forgets_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    with MetricWriter(tmp_path) as out:
        put(out, 1, wall=1.0)
        offset = out.position()
        put(out, 2)
        out.flush()
        put(out, 3)
    with MetricWriter(tmp_path) as out:
        out.cut_back(offset)
        put(out, 2, wall=7.0)
        assert out.position() > offset
    assert [r["env_steps"] for r in read(tmp_path)] == [1, 2]
    with MetricWriter(tmp_path) as out:
        for wrong in (offset + 3, 10**6, -1):
            with pytest.raises(RunError, match="cannot be cut back"):
                out.cut_back(wrong)
        out.cut_back(0)
    assert read(tmp_path) == []


def test_lines_reach_the_file_when_the_buffer_is_full(tmp_path: Path) -> None:
    out = MetricWriter(tmp_path, buffer=2)
    put(out, 1)
    assert read(tmp_path) == []
    put(out, 2)
    assert len(read(tmp_path)) == 2
    out.close()
    out.close()


class FullDisk:
    """A file that takes a few bytes, and then no more."""

    def __init__(self, file) -> None:
        self.file = file

    def write(self, data: bytes) -> int:
        self.file.write(data[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    def __getattr__(self, name: str):
        return getattr(self.file, name)


def test_a_full_disk_leaves_whole_lines_and_loses_none(tmp_path: Path) -> None:
    out = MetricWriter(tmp_path)
    put(out, 1)
    out.flush()
    put(out, 2)
    real = out._file
    out._file = FullDisk(real)  # type: ignore[assignment]
    with pytest.raises(RunError, match=r"disk is full.*free some space"):
        out.flush()
    assert len(read(tmp_path)) == 1
    assert (tmp_path / METRICS).read_bytes().endswith(b"\n")
    out._file = real
    out.close()
    assert [r["env_steps"] for r in read(tmp_path)] == [1, 2]


def test_wrong_words_and_values_are_refused(tmp_path: Path) -> None:
    with MetricWriter(tmp_path) as out:
        with pytest.raises(RunError, match="Did you mean 'train'"):
            out.write("trains", 0, "online", 0, 0, 0, 0.0, {})
        with pytest.raises(RunError, match="Did you mean 'online'"):
            out.write("train", 0, "onlin", 0, 0, 0, 0.0, {})
        with pytest.raises(RunError, match="is no tag"):
            out.write("eval", 0, "online", 0, 0, 0, 0.0, {})
        with pytest.raises(RunError, match="no plain JSON form"):
            out.write("train", 0, "online", 0, 0, 0, 0.0, {"deep": {"a": 1}})
    assert read(tmp_path) == []


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    assert read(tmp_path) == []
    with pytest.raises(RunError, match="no run folder"):
        read(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"Cannot write .*file"):
        MetricWriter(tmp_path / "file")


def test_comparable_leaves_the_clock_out(tmp_path: Path) -> None:
    for name, wall in (("a", 1.0), ("b", 2.0)):
        with MetricWriter(tmp_path / name) as out:
            put(out, 1, wall=wall, loss=0.5, eval_seconds=wall, steps_per_second=wall)
    a, b = read(tmp_path / "a"), read(tmp_path / "b")
    assert a != b
    assert comparable(a) == comparable(b)
    assert comparable(a)[0]["values"] == {"loss": 0.5}
    assert a[0]["wall"] == 1.0, "the records themselves stay whole"


def test_the_example_in_the_schema_page_is_a_metric_line() -> None:
    page = (Path(__file__).parents[2] / "docs" / "schema.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith('{"kind"')]
    assert lines
    for line in lines:
        assert {"kind", "seed", "phase", "stage", "updates", "env_steps", "wall", "values"} <= set(
            json.loads(line)
        )
