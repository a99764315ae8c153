"""What can be imported has types that every checker reads alike, as `py.typed` says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ASKED = ("-m", "pyright", "--verifytypes", "warmstart", "--ignoreexternal", "--outputjson")


def test_what_can_be_imported_is_typed() -> None:
    """Run by this Python, since what it cannot import of other packages counts as unknown."""
    here = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    found = subprocess.run(
        [sys.executable, *ASKED],
        env={**os.environ, "PATH": here, "PYTHONPATH": str(ROOT / "src")},
        cwd=ROOT,
        capture_output=True,
        text=True,
    ).stdout
    said = json.loads(found[found.index("{") :])["typeCompleteness"]
    assert Path(said["packageRootDirectory"]) == ROOT / "src" / "warmstart"
    lacking = [
        f"{symbol['name']}: {fault['message']}"
        for symbol in said["symbols"]
        if symbol["isExported"] and not symbol["isTypeKnown"]
        for fault in symbol["diagnostics"]
    ]
    assert said["completenessScore"] >= 0.98, "\n".join(lacking)
