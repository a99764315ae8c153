"""What happened, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from warmstart.reports.run import LoadedRun
from warmstart.reports.statistics import bootstrap_interval, improvement_interval, iqm
from warmstart.reports.statistics import probability_of_improvement as beats
from warmstart.runs.summary import CARRIED, number, recovery


def title(runs: Sequence[LoadedRun]) -> str:
    """The page's title."""
    tasks = sorted({run.task for run in runs if run.task})
    place = f" on {tasks[0]}" if len(tasks) == 1 else ""
    return f"{runs[0].method}{place}" if len(runs) == 1 else f"{len(runs)} runs{place}"


def subtitle(run: LoadedRun) -> str:
    """Seeds and state of one run."""
    count = len(run.seeds)
    seeds = {0: "no seed yet", 1: "1 seed"}.get(count, f"{count} seeds")
    return f"{seeds}, {run.status}"


def story(run: LoadedRun) -> str:
    """Two or three sentences on the switch, and one where it stood at the task's floor."""
    return " ".join([_course(run), *floors(run)])


def floors(run: LoadedRun) -> list[str]:
    """What is to be said of seeds that began or ended no better than a policy without learning."""
    if run.floor is None:
        return []
    before = {s.seed: s.score_before for s in run.summaries if s.score_before is not None}
    final = {
        s.seed: s.score_final for s in run.summaries if s.finished and s.score_final is not None
    }
    told = (run.floor.said(before, "Before the switch"), run.floor.said(final, "At the end"))
    return [sentence for sentence in told if sentence is not None]


def _course(run: LoadedRun) -> str:
    all_ = run.overall
    count = len(run.summaries)
    if not count:
        return "No evaluation has been recorded yet."
    who = f" (mean of {count} seeds)" if count > 1 else ""
    before, after = all_["score_before"], all_["score_after"]
    lowest, final = all_["score_min"], all_["score_final"]
    if before is None:
        if final is None:
            return "Pre-training has begun; the policy at its end has not been evaluated yet."
        if run.facts.get("source"):
            begun = f"The pre-training is that of {run.facts['source']}"
        elif run.offline_updates:
            begun = "Before the switch nothing was evaluated"
        else:
            begun = "Nothing was pre-trained"
        return f"{begun}. {_ending(run)} at {number(final)}{who}."
    by = f" in {run.facts.get('source')}" if all_["carried"] else ""
    said = [f"Before the switch the policy scored {number(before)}{who}{by}"]
    if lowest is None:
        return said[0] + ". The online phase has not been evaluated yet."
    if after is not None:
        said[0] += f", right after the handover {number(after)}"
    if all_["dip"] is None:
        said.append("Nothing has been learnt online, so that the policy cannot have fallen")
    elif all_["dip"] < 0.05:
        said.append("No evaluation online fell below the score before")
    else:
        mean = "On average it" if count > 1 else "It"
        fall = f"{mean} fell to {number(lowest)} at its lowest"
        beyond = all_["dip_beyond_noise"]
        if beyond is not None:
            fall += (
                f", {number(beyond)} points below anything the unchanged policy scored"
                if beyond >= 0.05
                else ", no lower than the unchanged policy scored by chance"
            )
        said.append(fall if beyond is not None and beyond < 0.05 else f"{fall}; {_return(run)}")
    said.append(f"{_ending(run)} at {number(final)}")
    return ". ".join(said) + "."


def _return(run: LoadedRun) -> str:
    all_ = run.overall
    steps = all_["steps_to_recover"]
    if all_["asked"] == 1:
        if steps is None:
            return "it did not come back to its former score within the budget"
        return f"it was back at its former score after {steps:,} steps"
    back = f"{all_['recovered']} of {all_['asked']} seeds came back to their former score"
    if steps is None:
        return back
    when = f"after {steps:,} steps" if steps else "without a fall"
    return f"{back}, the median one {when}"


def _ending(run: LoadedRun) -> str:
    done = run.overall["finished"] == len(run.seeds)
    return "It ended" if done else "So far it stands"


def tiles(run: LoadedRun) -> list[tuple[str, str, str]]:
    """(name, number, remark) of the numbers that a person looks for first."""
    all_ = run.overall
    recovered, steps = all_["recovered"], all_["steps_to_recover"]
    several = len(run.summaries) > 1
    if not all_["asked"]:
        back, note = "–", ""
    elif steps == 0:
        back, note = "at once", "never fell"
    elif steps is None:
        back, note = "–", recovery(False, None)
    else:
        back, note = f"{steps:,}", "steps, median seed" if several else "steps"
    if several and 0 < recovered < all_["asked"]:
        note += f", {recovered} of {all_['asked']} seeds"
    finals = [s.score_final for s in run.summaries if s.score_final is not None]
    low, high = bootstrap_interval(np.array(finals), np.mean) if len(finals) >= 3 else (None, None)
    spread = "" if low is None else f"95 % interval {number(low)} to {number(high)}"
    ended = "carried over from its source" if all_["carried"] else "end of pre-training"
    # As in the table: the mean of the seeds' own dips, each at its own time.
    fell = f"{number(all_['dip'])} below the start" if all_["dip"] else ""
    return [
        ("Before the switch", number(all_["score_before"]), ended),
        ("Right after", number(all_["score_after"]), "before any warm-up"),
        ("Lowest", number(all_["score_min"]), fell),
        ("Back after", back, note),
        ("Final" if run.status == "finished" else "So far", number(all_["score_final"]), spread),
    ]


COMPARED = (
    "run",
    "seeds",
    "before",
    "after the switch",
    "lowest",
    "back after",
    "final (IQM)",
    "95 % interval",
)


def comparison(runs: Sequence[LoadedRun]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the table that sets runs side by side.

    The last column, the chance that a seed of this run beats one of the first run, is there when
    all runs have the same task.
    """
    same_task = len({run.task for run in runs}) == 1
    heads: list[str] = [*COMPARED]
    if same_task:
        heads.append(f"beats {runs[0].label}")
    finals = [
        np.array([s.score_final for s in run.summaries if s.score_final is not None])
        for run in runs
    ]
    rows = []
    for run, scores in zip(runs, finals, strict=True):
        all_ = run.overall
        middle = number(iqm(scores)) if len(scores) else "–"
        low, high = bootstrap_interval(scores) if len(scores) >= 3 else (None, None)
        row = [
            run.label,
            str(len(run.seeds)),
            number(all_["score_before"]) + (CARRIED if all_["carried"] else ""),
            number(all_["score_after"]),
            number(all_["score_min"]),
            recovery(_typical(run), all_["steps_to_recover"]),
            middle + ("" if run.status == "finished" or not len(scores) else " so far"),
            "–" if low is None else f"{number(low)} to {number(high)}",
        ]
        if same_task:
            row.append("" if run is runs[0] else _odds(scores, finals[0]))
        rows.append(row)
    return heads, rows


def _typical(run: LoadedRun) -> bool | None:
    all_ = run.overall
    return None if not all_["asked"] else all_["steps_to_recover"] is not None


def _odds(scores: np.ndarray, others: np.ndarray) -> str:
    if not (len(scores) and len(others)):
        return "–"
    chance = f"{100 * beats(scores, others):.0f} %"
    if min(len(scores), len(others)) < 3:
        return chance
    low, high = improvement_interval(scores, others)
    return f"{chance} ({100 * low:.0f} to {100 * high:.0f})"
