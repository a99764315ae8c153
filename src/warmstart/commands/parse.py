"""From words to options: tyro, with wrong words answered in one line."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import operator
import re
from collections.abc import Sequence
from typing import Annotated, Any, get_args, get_type_hints

import tyro

from warmstart.commands.examples import ABOUT, EXAMPLES
from warmstart.commands.options import COMMANDS, GROUPS
from warmstart.errors import WarmstartError, did_you_mean

CONFIG = (
    tyro.conf.OmitArgPrefixes,
    tyro.conf.OmitSubcommandPrefixes,
    tyro.conf.FlagCreatePairsOff,
)


POSITIONAL = get_args(tyro.conf.Positional[str])[1]
"""The mark of an argument without dashes."""


class UsageError(WarmstartError):
    """Words that are no command of ours."""


def parse(argv: Sequence[str]) -> Any:
    """The options object of a command line.

    Raises:
        UsageError: unknown command or option, or a missing or wrong value.
        SystemExit: code 0 after printing help or the version.
    """
    words = list(argv) or ["--help"]
    _known_words(words)
    commands = [
        Annotated[kind, tyro.conf.subcommand(name, description=_about(name, kind, words))]
        for name, kind in COMMANDS.items()
    ]
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            union: Any = functools.reduce(operator.or_, commands)
            return tyro.cli(union, prog="warmstart", description=ABOUT, args=words, config=CONFIG)
    except SystemExit as stop:
        if not stop.code:
            raise
        raise UsageError(f"{_plain(complaint.getvalue())} {_help_for(words)}") from None


def _about(name: str, kind: type, words: list[str]) -> str:
    """One sentence in the list of commands; with examples in the command's own help."""
    sentence = " ".join((kind.__doc__ or "").split())
    if name != words[0]:
        return sentence
    examples = "\n".join(f"  warmstart {example}" for example in EXAMPLES[name])
    return f"{sentence}\n\nExamples:\n{examples}"


def _known_words(words: list[str]) -> None:
    """Refuse an unknown command or option by its name, with the nearest known ones."""
    first = words[0]
    if first.startswith("-"):
        if first not in ("-h", "--help"):
            raise UsageError(
                f"there is no option '{first}' before a command. See `warmstart --help`."
            )
        return
    if first not in COMMANDS:
        hint = did_you_mean(first, COMMANDS)
        raise UsageError(f"there is no command '{first}'. {hint} See `warmstart --help`.")
    kind, rest = COMMANDS[first], words[1:]
    if first in GROUPS and rest and not rest[0].startswith("-"):
        if rest[0] not in GROUPS[first]:
            hint = did_you_mean(rest[0], GROUPS[first])
            raise UsageError(f"there is no command '{first} {rest[0]}'. {hint}")
        kind = GROUPS[first][rest[0]]
    known = options_of(kind)
    for word in rest:
        name = word.split("=")[0].replace("_", "-")
        if word.startswith("--") and name not in known:
            hint = did_you_mean(name, known)
            raise UsageError(f"there is no option '{name}' here. {hint} {_help_for(words)}")


def options_of(kind: type) -> set[str]:
    """The long options of an options class, `--help` included, without what has no dashes."""
    hints = get_type_hints(kind, include_extras=True)
    found = {"--help"}
    for field in dataclasses.fields(kind):
        notes = getattr(hints[field.name], "__metadata__", ())
        if POSITIONAL in notes:
            continue
        given = [getattr(note, "name", None) for note in notes]
        name = next((name for name in given if isinstance(name, str)), field.name)
        found.add("--" + name.replace("_", "-"))
    return found


def _help_for(words: list[str]) -> str:
    inner = words[1:2] and words[1] in GROUPS.get(words[0], ())
    path = words[: 2 if inner else 1]
    return f"See `{' '.join(['warmstart', *path, '--help'])}`."


def _plain(box: str) -> str:
    """The first paragraph of tyro's framed complaint, as one line."""
    lines = [re.sub(r"^[│|]|[│|]$", "", line).strip() for line in box.splitlines()[1:]]
    body: list[str] = []
    for line in lines:
        if line and not line.strip("─╭╮╰╯-+"):  # a rule, in ASCII where the terminal has no more
            if any(body):
                break
            continue
        body.append(line)
    text = " ".join(word for word in body if word)
    unfit = re.match(r"Error parsing (\S+): no type matching .* from \['(.*?)'\]", text)
    if unfit:
        text = f"{unfit[1]} cannot be '{unfit[2]}'"
    return text if text.endswith(".") else text + "."
