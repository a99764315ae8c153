"""What crossed from pre-training to online learning, as a table to print."""

from __future__ import annotations

from warmstart.handover import Crossed


class HandoverTable(tuple[Crossed, ...]):
    """Rows of (component, outcome, reason), a line each where it is printed."""

    __slots__ = ()

    def __str__(self) -> str:
        """The rows in columns."""
        if not self:
            return "nothing was pre-trained, so nothing crosses"
        wide = [max(len(row[k]) for row in self) for k in (0, 1)]
        return "\n".join(f"{r[0]:<{wide[0]}}  {r[1]:<{wide[1]}}  {r[2]}".rstrip() for r in self)
