"""Keep freed memory in the process, where glibc would hand it back to the kernel."""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def keep_freed_memory() -> bool:
    """Ask glibc to reuse large temporaries of compiled programs instead of unmapping them.

    Each call of a program would otherwise fault its temporaries in again, page by page: up to a
    third of an update's time (`benchmarks/NOTES.md`, section 2). Returns False, and changes
    nothing, where the C library has no `mallopt`.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # TypeError: Windows
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, 1 << 30) and mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1))
