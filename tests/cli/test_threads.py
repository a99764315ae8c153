"""A bounded process takes the cores that do least."""

from __future__ import annotations

from itertools import chain, repeat

import pytest

from warmstart.commands import threads


def test_the_idlest_cores_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    said = chain([{0: 100, 1: 50, 2: 7}], repeat({0: 105, 1: 51, 2: 7}))
    monkeypatch.setattr(threads, "_busy", lambda: next(said))
    assert threads.idlest({0, 1, 2}, seconds=0.0) == [2, 1, 0]
    assert threads.idlest({0, 1, 2}, seconds=0.0) == [0, 1, 2]  # all the same: in their order


def test_what_the_system_says_is_read() -> None:
    busy = threads._busy()
    assert not busy or all(ticks >= 0 for ticks in busy.values())
    assert threads.idlest([], seconds=0.0) == []
