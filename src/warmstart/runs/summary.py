"""What the switch from offline to online did, in a few numbers for each seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from warmstart.files.durable import PAGE_AGAIN, write_json_atomic
from warmstart.runs.records import Record
from warmstart.tasks import Floor

SUMMARY = "summary.json"
CARRIED = " (carried)"
"""Behind a score before the switch that another run measured."""
NOT_RECOVERED = "not within the budget"


@dataclass(frozen=True)
class SeedSummary:
    """The switch as one seed went through it. Scores are on the task's own scale.

    Attributes:
        seed: which seed.
        score_before: end of pre-training; None where nothing was pre-trained (yet).
        carried: whether `score_before` was measured by the run whose pre-training this one took.
        score_after: right after the handover, before any warm-up.
        score_min: the lowest evaluation from the switch on, the one right after it included.
        min_at: environment steps at which it was first measured.
        score_final: the final evaluation; while the run goes on, the latest one.
        finished: whether that final evaluation was reached.
        learnt: whether any evaluation online came after an update.
        recovered: whether the curve came back to `score_before` after its fall, or never fell; None
            while that cannot be asked.
        steps_to_recover: environment steps at the first evaluation after the fall that is at or
            above `score_before`. The fall begins at the first evaluation nearer to `score_min`
            than to `noise_floor` (or `score_before`, where that is not known). 0 where none lies
            below `noise_floor`; None if not within the budget.
        fell_again: a later evaluation is as near to `score_min` again.
        dip: max(0, score_before - score_min); None, as what follows from it, as long as no update
            was made online: an unchanged policy does not fall.
        noise_floor: the lowest score of the unchanged pre-trained policy on the same schedule;
            None where the run did not evaluate it.
        dip_beyond_noise: the part of the dip below that floor.
        wall_seconds: from the start of the run to the seed's last record.
        peak_memory_mb: of the whole run, where the caller measured it.
    """

    seed: int
    score_before: float | None
    score_after: float | None
    score_min: float | None
    min_at: int | None
    score_final: float | None
    finished: bool
    learnt: bool
    recovered: bool | None
    steps_to_recover: int | None
    fell_again: bool
    dip: float | None
    noise_floor: float | None
    dip_beyond_noise: float | None
    wall_seconds: float
    peak_memory_mb: float | None = None
    carried: bool = False


def summarise(records: Sequence[Record], peak_memory_mb: float | None = None) -> list[SeedSummary]:
    """One summary for each seed, in the order of the seeds."""
    wall = max((r["wall"] for r in records), default=0.0)
    by_seed: dict[int, list[Record]] = {}
    for record in records:
        if record["kind"] == "eval" and record["seed"] is not None:
            by_seed.setdefault(record["seed"], []).append(record)
    return [_one(seed, by_seed[seed], wall, peak_memory_mb) for seed in sorted(by_seed)]


def _one(seed: int, evals: list[Record], wall: float, memory: float | None) -> SeedSummary:
    def scores(*tags: str) -> list[tuple[int, float]]:
        return [
            (r["env_steps"], r["values"]["score"])
            for r in evals
            if r.get("tag") in tags
            and (r["tag"] == "pretrained" or r["phase"] == "online")
            and (score := r["values"].get("score")) is not None
            and not math.isnan(score)
        ]

    before = _last(scores("pretrained"))
    after = _last(scores("switch"))
    final = _last(scores("final"))
    online = sorted([*scores("switch"), *scores("curve", "final")], key=lambda point: point[0])
    lowest = min(online, key=lambda point: point[1]) if online else None
    dip = floor = beyond = recovered = steps = None
    fell_again = False
    learnt = any(r["phase"] == "online" and r["updates"] > 0 for r in evals)
    if before is not None and lowest is not None and learnt:
        dip = max(0.0, before - lowest[1])
        frozen = [score for _, score in scores("frozen")]
        if frozen:
            floor = min(before, *frozen)
            beyond = max(0.0, floor - lowest[1])
        recovered, steps, fell_again = _back(online, before if floor is None else floor, before)
    return SeedSummary(
        seed=seed,
        score_before=before,
        score_after=after,
        score_min=lowest[1] if lowest else None,
        min_at=lowest[0] if lowest else None,
        score_final=final if final is not None else (online[-1][1] if online else None),
        finished=final is not None,
        learnt=learnt,
        recovered=recovered,
        steps_to_recover=steps,
        fell_again=fell_again,
        dip=dip,
        noise_floor=floor,
        dip_beyond_noise=beyond,
        wall_seconds=wall,
        peak_memory_mb=memory,
        carried=before is not None and any("carried" in r for r in evals),
    )


def _back(
    online: list[tuple[int, float]], chance: float, before: float
) -> tuple[bool, int | None, bool]:
    """Whether and when a curve came back from its fall, and whether it fell again.

    What does not go below `chance` is no fall. Its fall begins at the first look that is nearer
    to the lowest one than to `chance`: an unchanged policy scatters on both sides of `before`,
    and what it scores by luck is neither the fall nor the way back.
    """
    line = (chance + min(score for _, score in online)) / 2
    if line >= chance:
        return True, 0, False
    fell = next(i for i, (_, score) in enumerate(online) if score <= line)
    back = next((i for i, (_, x) in enumerate(online) if i > fell and x >= before), None)
    if back is None:
        return False, None, False
    return True, online[back][0], any(score <= line for _, score in online[back:])


def warnings(records: Sequence[Record]) -> list[str]:
    """What a run said of itself, each once, with the seeds it is about where there are several."""
    found: dict[str, list[Record]] = {}
    for record in records:
        if record["kind"] == "warning":
            found.setdefault(record["values"]["name"], []).append(record)
    several = len({r["seed"] for r in records if r["seed"] is not None}) > 1
    said = []
    for same in found.values():
        seeds = sorted({r["seed"] for r in same if r["seed"] is not None})
        who = ", ".join(map(str, seeds)) if several else ""
        text = same[0]["values"]["text"]
        said.append(f"seed{'s' if len(seeds) > 1 else ''} {who}: {text}" if who else text)
    return said


def _last(points: list[tuple[int, float]]) -> float | None:
    return points[-1][1] if points else None


def overall(summaries: Sequence[SeedSummary]) -> dict[str, Any]:
    """The seeds together: means of the scores, and the median seed's steps to recover.

    A seed that did not recover counts as slower than all others, so the median is None ("not
    within the budget") when half of the seeds or more did not.
    """

    def mean(name: str) -> float | None:
        known = [v for s in summaries if (v := getattr(s, name)) is not None]
        return float(np.mean(known)) if known else None

    asked = [s for s in summaries if s.recovered is not None]
    steps = [math.inf if s.steps_to_recover is None else s.steps_to_recover for s in asked]
    # Not interpolated: between a number and "never" there is no middle.
    median = float(np.percentile(steps, 50, method="higher")) if steps else math.inf
    names = ("score_before", "score_after", "score_min", "score_final")
    return {
        "seeds": len(summaries),
        "finished": sum(s.finished for s in summaries),
        "learnt": sum(s.learnt for s in summaries),
        **{name: mean(name) for name in names},
        "carried": any(s.carried for s in summaries),
        "dip": mean("dip"),
        "dip_beyond_noise": mean("dip_beyond_noise"),
        "asked": len(asked),
        "recovered": sum(bool(s.recovered) for s in asked),
        "steps_to_recover": None if math.isinf(median) else int(median),
        "wall_seconds": max((s.wall_seconds for s in summaries), default=0.0),
        "peak_memory_mb": max((s.peak_memory_mb or 0.0 for s in summaries), default=0.0) or None,
    }


COLUMNS = (
    "seed",
    "before",
    "after the switch",
    "lowest",
    "dip",
    "beyond noise",
    "back after",
    "final",
)


def rows(summaries: Sequence[SeedSummary]) -> list[list[str]]:
    """The table in words, one row for each seed and, for several seeds, one for their mean."""
    lines = [
        [
            str(s.seed),
            number(s.score_before) + (CARRIED if s.carried else ""),
            number(s.score_after),
            number(s.score_min),
            number(s.dip),
            number(s.dip_beyond_noise),
            recovery(s.recovered, s.steps_to_recover) + (", fell again" if s.fell_again else ""),
            number(s.score_final) + ("" if s.finished or s.score_final is None else " so far"),
        ]
        for s in summaries
    ]
    if len(summaries) > 1:
        all_ = overall(summaries)
        lines.append(
            [
                "mean",
                number(all_["score_before"]) + (CARRIED if all_["carried"] else ""),
                number(all_["score_after"]),
                number(all_["score_min"]),
                number(all_["dip"]),
                number(all_["dip_beyond_noise"]),
                f"{all_['recovered']} of {all_['asked']} seeds" if all_["asked"] else "–",
                number(all_["score_final"]),
            ]
        )
    return lines


def number(value: float | None) -> str:
    """A score with one decimal; a dash where there is none."""
    return "–" if value is None else f"{value:.1f}"


def recovery(recovered: bool | None, steps: int | None) -> str:
    """How soon the former score was reached again, in words."""
    if recovered is None:
        return "–"
    if steps is None:
        return NOT_RECOVERED
    return "never fell" if steps == 0 else f"{steps:,} steps"


def table(summaries: Sequence[SeedSummary], floor: Floor | None = None) -> Table:
    """The switch table for the terminal, with the task's floor below it where one is known."""
    known = None if floor is None else f"floor {floor.words}"
    shown = Table(title="What the switch did", caption=known)
    for column in COLUMNS:
        shown.add_column(column, justify="left" if column == "seed" else "right")
    lines = rows(summaries)
    for index, line in enumerate(lines):
        mean = len(summaries) > 1 and index == len(lines) - 1
        shown.add_row(*line, style="bold" if mean else "", end_section=index == len(lines) - 2)
    return shown


def write_summary(
    folder: Path, summaries: Sequence[SeedSummary], floor: Floor | None = None
) -> Path:
    """Write `folder/summary.json`, whole or not at all.

    Raises:
        RunError: the folder cannot be written.
    """
    path = Path(folder) / SUMMARY
    content = {
        "overall": overall(summaries),
        "seeds": [asdict(s) for s in summaries],
        "floor": None if floor is None else {**asdict(floor), "policy": floor.policy},
    }
    write_json_atomic(path, content, PAGE_AGAIN)
    return path
