"""A base policy's actions at logged rows are computed once and kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_base import Counted, base, linear, logged

from warmstart.files.data_root import data_root
from warmstart.policy import kept_actions
from warmstart.policy.base import beside_rows
from warmstart.types import Dataset

CHECKSUM = "ab" * 32


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("WARMSTART_DATA", str(tmp_path))
    monkeypatch.setattr(kept_actions, "KEEP_SECONDS", 0.0)
    monkeypatch.setattr(kept_actions, "SAMPLE", 3)
    yield data_root() / "base-actions"


def rows(data: Dataset, policy: Any, checksum: str | None = CHECKSUM) -> tuple[Any, ...]:
    wide = beside_rows(data, base(policy), checksum=checksum)
    return wide.obs, wide.next_obs


def test_the_next_time_a_few_rows_alone_are_asked(folder: Path) -> None:
    data, again = logged(20), Counted()
    first = rows(data, linear)
    assert len(list(folder.iterdir())) == 2
    for ours, theirs in zip(rows(data, again), first, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(again.seen) <= 2 * 3
    for other, checksum in ((data, "cd" * 32), (logged(7), CHECKSUM)):  # another policy, other rows
        asked = Counted()
        rows(other, asked, checksum)
        assert len(asked.seen) >= len(other)


def test_what_has_no_checksum_and_what_is_quick_is_not_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows(logged(5), linear, None)
    monkeypatch.setattr(kept_actions, "KEEP_SECONDS", 60.0)
    rows(logged(5), linear)
    assert not folder.exists()


def test_a_policy_whose_weights_changed_elsewhere_is_asked_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    data = logged(20)
    rows(data, linear)
    changed = rows(data, lambda obs: 0.5 * linear(obs))
    assert "acts otherwise than when its actions were kept" in caplog.text
    for ours, theirs in zip(changed, rows(data, lambda obs: 0.5 * linear(obs), None), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("damage", ["cut", "turned", "other"])
def test_a_damaged_file_is_said_and_made_again(
    folder: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    data = logged(20)
    first = rows(data, linear)
    for file in folder.iterdir():
        whole = bytearray(file.read_bytes())
        if damage == "turned":
            with np.load(file) as held:
                np.savez(file, actions=held["actions"] + 1, checksum=held["checksum"])
        else:
            file.write_bytes(whole[:40] if damage == "cut" else b"nothing")
    for ours, theirs in zip(rows(data, linear), first, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert caplog.text.count("is damaged; the policy is asked") == 2
    caplog.clear()
    rows(data, linear)
    assert not caplog.text


def test_a_disk_that_cannot_be_written_stops_nothing(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write_bytes(b"a file where the folder would be")
    rows(logged(5), linear)
    assert "are not kept for the next time" in caplog.text
