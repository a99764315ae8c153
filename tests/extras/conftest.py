"""Tests of `make test-extras`: an installation without the optional packages, or a rare one."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Read when huggingface_hub is imported: nothing of the user's own is touched.
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="warmstart-hub-")
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
sys.path.append(str(HERE.parent / "policy"))  # policies as its tests make them


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever stands in this folder is marked so."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.extras)
