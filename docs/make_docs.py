"""Write the generated parts of the documents: `python docs/make_docs.py`.

The README's table of methods and the lower half of every page in `docs/methods` come from the
methods' docstrings, families and citations. `tests/test_docs.py` says when they are stale.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from warmstart.api.describe import QUESTIONS, answer
from warmstart.methods import METHODS

ROOT = Path(__file__).parents[1]
MARK = "<!-- What follows is written by docs/make_docs.py from the method's file. -->"


def methods_table() -> str:
    """One row a method: its five answers in words."""
    lines = [f"| method | {' | '.join(QUESTIONS)} |", "|---" * (len(QUESTIONS) + 1) + "|"]
    for name, module in METHODS.items():
        words = [answer(module.__doc__ or "", question) for question in QUESTIONS]
        lines.append(f"| `{name}` | {' | '.join(words)} |")
    return "\n".join(lines) + "\n"


def readme() -> str:
    """The README with a fresh table."""
    text = (ROOT / "README.md").read_text()
    return re.sub(r"\| method \| pretrain .*?\n(?=\n)", lambda _: methods_table(), text, flags=re.S)


def pages() -> dict[str, Path]:
    """The pages that somebody has begun, by their method."""
    return {path.stem: path for path in sorted((ROOT / "docs" / "methods").glob("*.md"))}


def page(name: str) -> str:
    """A method's page: what is written by hand above the mark, and a fresh lower half."""
    above = pages()[name].read_text().partition(MARK)[0].rstrip()
    return f"{above}\n\n{MARK}\n\n{reference(METHODS[name])}"


def reference(method: Any) -> str:
    """The mathematics, the five answers, the differences, the families and the citation."""
    text = inspect.cleandoc(method.__doc__)
    head, _, body = text.partition("\n\n")
    mathematics, _, rest = body.partition(f"\n{QUESTIONS[0]} ")
    differences = rest.partition("**Differences.** ")[2]
    answers = [f"| {q} | {answer(text, q)} |" for q in QUESTIONS]
    families = [f"| `{name}` | {_numbers(given)} |" for name, given in method.FAMILIES.items()]
    name = method.__name__.rpartition(".")[2]
    parts = [
        f"## The mathematics\n\n{_flowing(head)}\n\n{_flowing(mathematics)}",
        "## The five answers\n\n| question | answer |\n|---|---|\n" + "\n".join(answers),
        f"## Differences from the authors\n\n{_flowing(differences)}",
        "## Families\n\n| family | what it changes |\n|---|---|\n" + "\n".join(families),
        f"`warmstart show {name}` lists every other number with its path for `--set`.",
        "## Citation\n\n" + "\n".join(f"- {line}" for line in method.CITE),
    ]
    return "\n\n".join(parts) + "\n"


def _flowing(text: str) -> str:
    """Paragraphs on one line each; indented lines are kept as they are."""
    blocks = re.split(r"\n\n+", text.strip("\n"))
    return "\n\n".join(b if b.startswith("    ") else b.replace("\n", " ") for b in blocks)


def _numbers(given: dict[str, Any]) -> str:
    """A family's numbers in words."""
    words = [
        f"{key} {value:,}" if type(value) is int else f"{key} {value}"
        for key, value in given.items()
    ]
    return ", ".join(words) or "nothing: the method as it stands"


if __name__ == "__main__":
    (ROOT / "README.md").write_text(readme())
    for name, path in pages().items():
        path.write_text(page(name))
