"""Exit codes, beside 0, and how a stopped process ends."""

from __future__ import annotations

import signal

FOUND_ERRORS = 1
"""A check of a dataset found an error in it, or one of a method a law that does not hold."""
WRONG = 2
"""Something that the user can fix; one line on standard error says what."""
STOPPED = 130
"""Interrupted by the user, and saved."""


def last_words_are_said() -> None:
    """Hear no further Ctrl-C: this process is ending, and would only print a traceback of that."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
