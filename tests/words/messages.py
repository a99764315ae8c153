"""The errors of the package that name an option, a setting or a command, as they are written."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import warmstart
from warmstart.commands.options import COMMANDS

SOURCE = Path(warmstart.__file__).parent
NAMES = re.compile(
    r"(?<![\w-])--[a-z][\w-]+|\b[a-z_]\w*(?:\.\w+)*=(?=\S)|pip install|git lfs pull"
    rf"|\bwarmstart (?:{'|'.join(COMMANDS)})\b"
)
HOLE = "\0"
"""Stands for what is put into a message when it is raised."""


@dataclass(frozen=True)
class Message:
    """Where an error is raised, and its text with holes."""

    file: str
    text: str

    @property
    def shown(self) -> str:
        """File and text, as a reader finds it."""
        return f"{self.file}: {self.text.replace(HOLE, '{}')}"

    def fits(self, said: str) -> bool:
        """Whether an error that was raised is this one."""
        parts = [re.escape(part) for part in _plain(self.text).split(HOLE)]
        return re.search(".*?".join(parts), _plain(said)) is not None


def _plain(text: str) -> str:
    """On one line, without the place of a learner, which is put before `learner.` where it is
    raised."""
    one = " ".join(text.split())
    return re.sub(r"\b(?:finetune|pretrain\.\d+)\.(?=learner\.)", "", one)


def messages() -> list[Message]:
    """Of every `raise` whose text names something that a user can type."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                text = _text(node.exc.args[0])
                if NAMES.search(text):
                    found.append(Message(str(path.relative_to(SOURCE)), text))
    return found


def _text(node: ast.expr) -> str:
    """A string as it is written, holes where something is put in."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) for part in parts)
        case ast.BinOp(left=left, right=right):
            return _text(left) + _text(right)
        case ast.FormattedValue(value=ast.Call(func=ast.Name(id="typed"), args=words)):
            return " ".join(["warmstart", *map(_text, words)])
    return HOLE
