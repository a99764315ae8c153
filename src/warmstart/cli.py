"""Where the command line begins: thin, so that Ctrl-C is heard from the first moment."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (default: this process's) and return its exit code."""
    heard = argv is None and threading.current_thread() is threading.main_thread()
    heard = heard and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if heard:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        from warmstart.commands.exits import STOPPED, last_words_are_said
        from warmstart.commands.line import run_line
    except KeyboardInterrupt:  # nothing was begun
        print("stopped", file=sys.stderr)
        return 130
    code = run_line(argv)
    if argv is None and code == STOPPED:
        last_words_are_said()
    elif heard:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return code


if __name__ == "__main__":
    sys.exit(main())
