"""What the documents repeat of the code is what the code says."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))
import make_docs as make

from warmstart.methods import METHODS


def test_the_readme_has_the_table_of_methods() -> None:
    text = (make.ROOT / "README.md").read_text()
    assert text == make.readme(), "run `python docs/make_docs.py`"
    assert all(f"| `{name}` |" in text for name in METHODS)
