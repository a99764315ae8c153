"""Checksums of arrays."""

from __future__ import annotations

import hashlib

import numpy as np


def digest(*parts: np.ndarray | None) -> str | None:
    """A checksum of types, shapes and numbers, in this order; None where a part is missing."""
    found = hashlib.sha256()
    for rows in parts:
        if rows is None:
            return None
        found.update(f"{rows.dtype} {rows.shape}".encode())
        found.update(np.ascontiguousarray(rows).data)
    return found.hexdigest()
