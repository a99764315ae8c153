"""The robot's own log: numbered, whole after a kill, refused where it is damaged."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from warmstart.errors import RunError
from warmstart.files.durable import Damaged
from warmstart.link import steplog
from warmstart.link.frames import frame_at, pack
from warmstart.link.steplog import StepLog


def frame(number: int) -> bytes:
    return pack("step", {"number": number, "text": "x" * (number % 7)})


def filled(folder: Path, count: int, start: int = 0) -> StepLog:
    log = StepLog(folder)
    for number in range(start, start + count):
        assert log.append(frame(number)) == number
    log.force()
    return log


def numbers(log: StepLog, start: int = 0) -> list[int]:
    found, at = [], start
    while held := log.read(at, 50):
        found += [frame_at(one, 0)[0].told["number"] for one in held]
        at = found[-1] + 1
    return found


def test_what_is_forced_is_read_and_what_is_not_is_kept_back(tmp_path: Path) -> None:
    log = filled(tmp_path, 5)
    log.append(frame(5))
    assert log.next == 6 and numbers(log) == [0, 1, 2, 3, 4]
    log.force()
    assert numbers(log, 3) == [3, 4, 5] and log.holds(6) and not log.holds(7)
    log.close()
    (path,) = tmp_path.iterdir()
    assert path.stat().st_size == sum(len(frame(n)) for n in range(6))  # no room is left over


def test_half_a_step_at_the_end_is_cut_wherever_the_kill_came(tmp_path: Path) -> None:
    filled(tmp_path, 3).close()
    (path,) = tmp_path.iterdir()
    whole, two = path.read_bytes(), len(frame(0)) + len(frame(1))
    for end in range(two, len(whole)):
        path.write_bytes(whole[:end] + bytes(90))  # in room that was taken ahead
        log = StepLog(tmp_path)
        assert log.next == 2 and numbers(log) == [0, 1]
        log.append(frame(2))
        log.force()
        assert numbers(log) == [0, 1, 2]
        log.close()
        assert path.read_bytes() == whole


def test_damage_before_the_end_is_refused_and_nothing_is_cut(tmp_path: Path) -> None:
    filled(tmp_path, 4).close()
    (path,) = tmp_path.iterdir()
    held = bytearray(path.read_bytes())
    held[len(frame(0)) + 20] ^= 1
    path.write_bytes(held)
    with pytest.raises(Damaged, match=r"is damaged at byte \d+ .*steps stand behind that"):
        StepLog(tmp_path)
    assert path.read_bytes() == held


def test_files_follow_each_other_and_old_ones_may_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steplog, "LONGEST", 200)
    filled(tmp_path, 12).close()
    paths = sorted(tmp_path.iterdir())
    assert len(paths) > 3
    log = StepLog(tmp_path)
    assert numbers(log) == list(range(12))
    log.close()
    held = paths[1].read_bytes()
    paths[1].write_bytes(held[:-1])
    with pytest.raises(Damaged):
        StepLog(tmp_path)
    paths[1].write_bytes(held)
    paths[0].unlink()
    log = StepLog(tmp_path)
    assert log.first > 0 and log.next == 12 and not log.holds(0)
    log.close()


def test_numbers_may_begin_later_and_never_earlier(tmp_path: Path) -> None:
    log = StepLog(tmp_path)
    log.begin(40)
    log.append(frame(40))
    with pytest.raises(RunError, match="has step 40 already"):
        log.begin(30)
    log.begin(50)
    log.append(frame(50))
    log.force()
    log.close()
    log = StepLog(tmp_path)
    assert (log.first, log.next) == (40, 51) and not log.holds(45)
    log.close()


def test_a_full_disk_is_found_before_a_step_and_harms_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = filled(tmp_path, 3)
    real = steplog.put_all

    def full(handle: Any, data: bytes) -> None:
        real(handle, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(steplog, "AHEAD", 64)
    monkeypatch.setattr(steplog, "put_all", full)
    log._room = log._files[-1].offsets[-1]
    with pytest.raises(RunError, match=r"the disk is full.*start the actor again"):
        log.reserve(100)
    with pytest.raises(RunError, match="the disk is full"):
        log.append(frame(3))
    assert log.next == 3
    monkeypatch.setattr(steplog, "put_all", real)
    log.append(frame(3))
    log.close()
    log = StepLog(tmp_path)
    assert numbers(log) == [0, 1, 2, 3]
    log.close()
