"""Which tasks may carry a claim, by a rule that was written before any online arm ran.

Only pre-training is looked at. A task is eligible where, over its seeds, the offline curve is flat
where it stops (the last two scores no further apart than twice the smallest effect of interest),
the pre-trained score lies between 15 and 85, and there is room to fall: what no learning scores
there, the task's floor, lies at least the smallest effect of interest below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from warmstart.reports.statistics import iqm
from warmstart.studies.judge import ROOM
from warmstart.studies.measures import smallest
from warmstart.studies.result import Result
from warmstart.tasks import TASKS, floor_of


@dataclass(frozen=True)
class Eligible:
    """Whether a task may carry a claim, and in a sentence why not."""

    task: str
    pretraining: str
    eligible: bool
    why: str
    before: float | None
    drift: float | None


def eligible(
    results: Sequence[Result], pretraining: str, task: str, floor: float | None = None
) -> Eligible:
    """Whether a task is eligible after this pre-training.

    Args:
        results: of a study; the pre-training's own are looked at.
        floor: what no learning scores there, in points; None: as measured for the catalogue's
            tasks, and not asked for others.
    """
    mine = [r for r in results if r.arm == pretraining and r.task == task and r.offline]

    def no(why: str) -> Eligible:
        return Eligible(task, pretraining, False, why, before, drift)

    before = drift = None
    if not mine:
        return no("its pre-training has no results")
    least = smallest("score", mine[0].success)
    before = float(iqm(np.array([r.offline[-1][1] for r in mine])))
    if not ROOM[0] <= before <= ROOM[1]:
        return no(f"its pre-trained score is {before:.0f}, outside {ROOM[0]:.0f} to {ROOM[1]:.0f}")
    if min(len(r.offline) for r in mine) < 2:
        return no("its offline curve has one point: evaluate on the way")
    drift = float(iqm(np.array([r.offline[-1][1] - r.offline[-2][1] for r in mine])))
    if abs(drift) > 2 * least:
        return no(f"its offline curve still moves by {drift:+.0f} points where it stops")
    if floor is None and task in TASKS:
        measured = floor_of(TASKS[task])
        floor = None if measured is None else measured.score
    if floor is not None and before - floor < least:
        return no(f"its floor is {floor:.0f}: there is no room to fall from {before:.0f}")
    return Eligible(task, pretraining, True, "eligible", before, drift)
