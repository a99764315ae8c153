"""How quick this machine is, for tests that say how long something may take."""

from __future__ import annotations

import time

WORK = 300_000


def unit() -> float:
    """Processor seconds of a fixed piece of plain Python, the best of five: about 0.007."""
    seconds = []
    for _ in range(5):
        begin = time.process_time()
        total = 0
        for number in range(WORK):
            total += number % 7
        seconds.append(time.process_time() - begin)
        assert total > 0
    return min(seconds)
