"""The commands that the pages print, as their readers would type them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "methods").glob("*.md")),
]
STAND_INS = {
    "METHOD": "wsrl",
    "PRESET": "quick",
    "TASK": "jax-pointmass",
    "ROBOT": "hopper",
    "RUN": "runs/before",
    "FOLDER": "my-policy",
    "ENV": "Pendulum-v1",
    "FILE": "my.hdf5",
    "DATA": "my.hdf5",
    "PATH": "drawn.png",
    "ROWS": "1e4",
    "N": "7",
}
"""What a reader would put where a page prints capitals."""
PROGRAM = re.compile(r"(?:\$ )?(?:[\w./-]*/)?(warmstart|python3?|make|pip) (\S.*)")
SHELL = ("sh", "bash", "shell", "console")


def commands(page: Path) -> list[str]:
    """Every command line of a page, once, in order, as `program words`; comments are cut off."""
    found = (PROGRAM.fullmatch(line) for line in _printed(page.read_text()))
    lines = [f"{line[1]} {line[2].strip()}" for line in found if line]
    return list(dict.fromkeys(typed for line in lines for typed in variants(line)))


def fenced(text: str) -> list[tuple[str, str]]:
    """Language and content of every block."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)


def _printed(text: str) -> Iterator[str]:
    """Lines of blocks, indented or fenced, and what stands between backticks."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    yield from re.findall(r"^    (\S.*)$", prose, re.M)
    yield from re.findall(r"`([^`\n]+)`", prose)
    given: dict[str, str] = {}
    for language, block in fenced(text):
        for line in block.splitlines() if language in ("", *SHELL) else ():
            if assigned := re.fullmatch(r"(\w+)='(.*)'", line):
                given[assigned[1]] = assigned[2]
            plain = re.split(r"\s{2,}", line)[0]
            yield re.sub(r"\$(\w+)", lambda name: given.get(name[1], name[0]), plain)


def variants(line: str) -> list[str]:
    """A line without what stands in brackets, and with each of these choices in turn."""
    if not re.search(r" \[", line):
        return [_filled(line)]
    groups, depth, start = [], 0, 0
    for at, letter in enumerate(line):
        depth += (letter == "[") - (letter == "]")
        if letter == "[" and depth == 1:
            start = at
        elif letter == "]" and depth == 0:
            groups.append(line[start : at + 1])
    bare = line
    for group in groups:
        bare = bare.replace(f" {group}", "")
    choices = [choice for group in groups for choice in re.split(r" \| ", group[1:-1])]
    return [_filled(bare), *(v for c in choices for v in variants(f"{bare} {c}"))]


def _filled(line: str) -> str:
    return re.sub(r"(?<!\S)[A-Z]+(?!\S)", lambda word: STAND_INS.get(word[0], word[0]), line)
