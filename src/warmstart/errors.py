"""The few errors that we raise. Every message ends with what to do."""

from __future__ import annotations

import difflib
import shlex
import sysconfig
from collections.abc import Iterable
from pathlib import Path

_NOT_OWN = (Path(__file__).parent, *map(sysconfig.get_path, ("stdlib", "purelib", "platlib")))
"""Where code lies that is nobody's here: the package's, Python's, other packages'."""


class WarmstartError(Exception):
    """Something the user can fix. The command line prints it in one line and exits with 2."""


class DataError(WarmstartError):
    """A dataset that cannot be used as it is."""


class TaskError(WarmstartError):
    """An environment or task that does not fit."""


class RecipeError(WarmstartError):
    """A recipe whose answers contradict one another, or a field that does not exist."""


class RunError(WarmstartError):
    """A run folder that cannot be written, read or continued."""


class DivergedError(WarmstartError):
    """Learning that left the finite numbers; nothing of that is saved or shown to an environment.

    `number` names what is not finite: a metric (`critic_loss`), a network, or "action". `happened`
    is the message without advice, `tries` the advice as it is typed in a shell, and `change` the
    option that it names, as in `--set`; "": none.
    """

    def __init__(
        self, message: str, number: str, happened: str = "", tries: str = "", change: str = ""
    ) -> None:
        super().__init__(message)
        self.number, self.happened = number, happened or message
        self.tries, self.change = tries, change


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known words, or lists them all if none is near."""
    known = sorted(set(known))
    near = difflib.get_close_matches(wrong, known, n=3, cutoff=0.5)
    if near:
        return "Did you mean " + " or ".join(f"'{word}'" for word in near) + "?"
    return "Known: " + ", ".join(known) + "."


def typed(*words: object) -> str:
    """The command `warmstart WORDS` as it is typed in a shell, for the advice of a message."""
    return shlex.join(["warmstart", *map(str, words)])


def where(error: BaseException) -> str:
    """Type and text of an error, with file and line: of the user's own code, where it went through
    some, else what raised it."""
    trace, at, own = error.__traceback__, "", ""
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        at = f" in {path.name}, line {trace.tb_lineno}"
        frozen = path.name.startswith("<frozen")  # the import system
        if not frozen and not any(path.is_relative_to(home) for home in _NOT_OWN):
            own = at
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        own = f" in {Path(error.filename or '').name}, line {error.lineno}"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}{own or at}"
