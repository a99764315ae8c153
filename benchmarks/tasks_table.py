"""`python -m benchmarks.tasks_table [TASK ...]`: make the data of tasks and note what came out.

For every task that has a maker (or those named) it makes the data as `warmstart data make TASK`
does, examines them as `warmstart data check TASK` does, and writes size, time, score, successes
and what the data check found to `docs/tasks.json`, task by task, and from there the table in
`docs/tasks.md`. What is made already is recognised, and what was interrupted goes on, so that the
command can be stopped at any time and typed again. `--minutes M` begins no further task after M
minutes; `--only-write` makes nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from warmstart.data import load, read_manifest
from warmstart.data.checks import examine
from warmstart.data.makers import MAKERS, make
from warmstart.envs.make import make_env
from warmstart.errors import TaskError
from warmstart.files.durable import write_atomic, write_json_atomic
from warmstart.tasks import TASKS, Task, floor_of, get_task, normalised_score
from warmstart.tasks.behaviour import behaviours

DOCS = Path(__file__).parents[1] / "docs"
RECORD = DOCS / "tasks.json"
PAGE = DOCS / "tasks.md"
MARK = "<!-- What follows is written by `python -m benchmarks.tasks_table`. -->"
_DOMAINS = {
    "navigation": "Navigation",
    "locomotion": "Locomotion",
    "manipulation": "Manipulation",
    "toy": "Toys",
}


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="default: all that have a maker")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--only-write", action="store_true")
    given = parser.parse_args()
    chosen = [get_task(name) for name in given.tasks] or [
        task for task in TASKS.values() if task.data is not None and task.data.maker in MAKERS
    ]
    began = time.monotonic()
    for task in [] if given.only_write else chosen:
        if time.monotonic() - began > 60 * given.minutes:
            break
        print(task.name, flush=True)
        measured = measure(task)
        print("   ", measured, flush=True)
        write_json_atomic(RECORD, {**record(), task.name: measured})
    write()


def write() -> None:
    """Write the page again from the records."""
    write_atomic(PAGE, lambda file: file.write(page().encode()))


def made_here(task: Task) -> bool:
    """Whether this package makes the task's data."""
    return task.data is not None and task.data.maker is not None


def measure(task: Task) -> dict[str, Any]:
    """Make the task's data, unless they are there, and say what they are.

    Raises:
        TaskError: the task has no maker, or its packages are not installed.
    """
    if not made_here(task):
        raise TaskError(f"Nobody makes data for task '{task.name}': name tasks with a maker.")
    folder = make(task)
    manifest = read_manifest(folder)
    found, recipe = manifest["statistics"], manifest["recipe"]
    mean = mean_return(task, found)
    judged = task.success
    reference = None if judged else task.reference
    return {
        "rows": found["rows"],
        "episodes": found["episodes"],
        "megabytes": round((folder / "data.npz").stat().st_size / 1e6, 1),
        "seconds": manifest.get("seconds"),
        "return": float(f"{mean:.4g}"),
        "score": float(f"{normalised_score(mean, reference):.3g}") if reference else None,
        "success_rate": round(found["success_rate"], 4)
        if judged and "success_rate" in found
        else None,
        "doctor": examined(task, folder),
        "sha256": manifest["sha256"],
        "packages": recipe["packages"],
    }


def mean_return(task: Task, found: dict[str, Any]) -> float:
    """The mean raw return of the data's episodes.

    maze2d's cuts are no ends of episodes: there it is that of as many steps as the task's have.
    """
    mean: float = found["return"]["mean"]
    if task.data is not None and task.data.maker == "maze2d":
        return mean * found["episodes"] / found["rows"] * task.horizon
    return mean


def examined(task: Task, folder: Path) -> dict[str, list[str]]:
    """The names of the data check's findings in a dataset, by grade."""
    env = make_env(task)()
    try:
        report = examine(load(folder), env, task)
    finally:
        env.close()
    grades = ("error", "warning", "note")
    return {grade: sorted({finding.name for finding in report.of(grade)}) for grade in grades}


def record() -> dict[str, Any]:
    """What was measured so far, by task."""
    return json.loads(RECORD.read_text()) if RECORD.exists() else {}


def page() -> str:
    """docs/tasks.md: what is written by hand above the mark, and fresh tables below."""
    above = PAGE.read_text().partition(MARK)[0].rstrip()
    return f"{above}\n\n{MARK}\n\n{tables()}"


def tables() -> str:
    """One table a domain, from the catalogue and the record."""
    known, parts = record(), []
    for domain in dict.fromkeys(task.domain for task in TASKS.values()):
        head = (
            "| task | what it is | steps | floor | rows (episodes) | MB | made in | behaviour "
            "| data check |"
        )
        lines = [f"## {_DOMAINS.get(domain, domain.capitalize())}", "", head, "|---" * 9 + "|"]
        lines += [_line(t, known.get(t.name)) for t in TASKS.values() if t.domain == domain]
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, _policies()]) + "\n"


def _policies() -> str:
    """The behaviour policies that come with the package."""
    head = "| robot | policy | trained for (steps) | score of 10 episodes | of 100 drawn ones |"
    lines = ["## The behaviour policies", "", head, "|---" * 5 + "|"]
    for robot, known in behaviours().items():
        by_steps = sorted(known.levels.items(), key=lambda pair: pair[1].steps)
        for name, level in by_steps:
            drawn = "" if level.drawn is None else f"{level.drawn:.1f}"
            score = f"{level.steps:,} | {level.score:.1f}"
            lines.append(f"| `{robot}` | {name} | {score} | {drawn} |")
    return "\n".join(lines)


def _line(task: Task, found: dict[str, Any] | None) -> str:
    role = f" Stands in for {task.stands_in_for}." if task.stands_in_for else ""
    cells = [f"`{task.name}`", task.description + role, str(task.horizon or ""), _floor(task)]
    if not made_here(task):
        cells += ["your own file", "", "", "", ""]
    elif found is None:
        cells += ["not measured yet", "", "", "", ""]
    else:
        rows = f"{found['rows']:,} ({found['episodes']:,})"
        cells += [rows, str(found["megabytes"]), _duration(found["seconds"]), _behaviour(found)]
        cells.append(_doctor(found["doctor"]))
    return "| " + " | ".join(cells) + " |"


def _floor(task: Task) -> str:
    """The floor and whose it is; in bold above 5 % of the scale."""
    floor = floor_of(task)
    if floor is None:
        return "not measured"
    height = f"{floor.score:.1f} %" if task.success else f"{floor.score:.1f}"
    unit = "" if task.success or task.reference is not None else " (return)"
    if task.success and not floor.score:
        return height
    return f"**{height}**, {floor.policy}" if floor.high else f"{height}{unit}, {floor.policy}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "by training again"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _doctor(found: dict[str, list[str]]) -> str:
    named = [*found["error"], *found["warning"]]
    return ", ".join(f"`{name}`" for name in named) or "clean"


def _behaviour(found: dict[str, Any]) -> str:
    words = [] if found["score"] is None else [f"score {found['score']:g}"]
    if found["success_rate"] is not None:
        words.append(f"{found['success_rate']:.1%} successes")
    return ", ".join(words) or f"return {found['return']:g}"


if __name__ == "__main__":
    main()
