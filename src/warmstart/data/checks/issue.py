"""What one name of a finding stands for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Issue:
    """What one name stands for.

    Attributes:
        grades: every grade that it can have, the worst first, as in the documentation.
        meaning: what is so, and why it matters.
        fix: what to do.
        fatal: an error that no run can do without, so that it cannot be ignored.
        vain: a warning with which little or nothing can be learnt.
    """

    grades: str
    meaning: str
    fix: str
    fatal: bool = False
    vain: bool = False
