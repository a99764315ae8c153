"""Write the generated parts of the documents: `python docs/make_docs.py`.

The README's table of methods comes from the methods' docstrings. `tests/test_docs.py` says when it
is stale.
"""

from __future__ import annotations

import re
from pathlib import Path

from warmstart.api.describe import QUESTIONS, answer
from warmstart.methods import METHODS

ROOT = Path(__file__).parents[1]


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


if __name__ == "__main__":
    (ROOT / "README.md").write_text(readme())
