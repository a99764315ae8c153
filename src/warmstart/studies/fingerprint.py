"""What must be equal where two runs are compared: arithmetic and machine."""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any

NUMERICS = 2
"""Raised by every change that makes an equal run learn other numbers: at 2 the minimum over critics
pulls at one of those that are equal."""
_DECIDE = ("jax", "jaxlib", "equinox", "optax", "numpy")
_SIMULATE = ("gymnasium", "gymnasium-robotics", "metaworld", "mujoco", "ogbench")


def numerics() -> str:
    """Version of the arithmetic, and of the packages that compute or simulate."""
    found = []
    for name in (*_DECIDE, *_SIMULATE):
        try:
            found.append(f"{name}-{metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    short = hashlib.sha256(" ".join(found).encode()).hexdigest()[:8]
    return f"{NUMERICS}-{short}"


def digest(value: Any) -> str:
    """Hash of what JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """Hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def checkpoint_digest(folder: Path) -> str | None:
    """Hash of the arrays in the one checkpoint of a folder; None where there is none.

    The arrays are described, with a checksum for each file, in `checkpoint.json`.
    """
    for record in sorted(Path(folder).glob("[0-9]*/checkpoint.json")):
        content = json.loads(record.read_text())
        return digest([content["leaves"], _state(record.parent)])
    return None


def _state(folder: Path) -> str:
    """Hash of the packed bytes; their storage has names and times of its own, so it is read."""
    import numpy as np
    import orbax.checkpoint as ocp

    arrays = {"bytes": ocp.RestoreArgs(restore_type=np.ndarray)}
    reader = ocp.PyTreeCheckpointer(use_compression=False)
    packed = reader.restore((folder / "state").absolute(), restore_args=arrays)["bytes"]
    return hashlib.sha256(np.ascontiguousarray(packed).tobytes()).hexdigest()
