"""Ctrl-C and `kill`: finish the chunk, save, then stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupts:
    """While this context lasts, the first SIGINT or SIGTERM only sets `requested`.

    The loop reads `requested` at the end of each chunk, saves, and says how to go on. A further
    SIGINT raises KeyboardInterrupt at once; a further SIGTERM changes nothing. On exit the former
    handlers are back. What `held` surrounds is not broken off. A signal that the process was
    started to ignore (nohup) stays ignored.
    Outside the main thread, where Python allows no handlers, nothing happens at all.

    Attributes:
        requested: the name of the first signal, such as "SIGINT"; None before it comes.
    """

    def __init__(self) -> None:
        self.requested: str | None = None
        self._former: dict[signal.Signals, Any] = {}
        self._held = self._late = False

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                former = signal.getsignal(number)
                # None: installed by C code, could not be put back.
                if former not in (signal.SIG_IGN, None):
                    self._former[number] = former
                    signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, former in self._former.items():
            signal.signal(number, former)
        self._former.clear()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Something short that is done whole: a further SIGINT is raised behind it."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._late:
            self._late = False
            raise KeyboardInterrupt

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT:
            if not self._held:
                raise KeyboardInterrupt
            self._late = True
        self.requested = self.requested or signal.Signals(number).name


@contextmanager
def as_interrupt() -> Iterator[None]:
    """While this lasts SIGTERM raises KeyboardInterrupt, as Ctrl-C does; ignored, it stays so."""

    def stop(number: int, _frame: FrameType | None) -> None:
        del number
        raise KeyboardInterrupt

    in_main = threading.current_thread() is threading.main_thread()
    former = signal.getsignal(signal.SIGTERM) if in_main else None
    if former in (signal.SIG_IGN, None):
        yield
        return
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
