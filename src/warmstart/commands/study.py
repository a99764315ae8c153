"""The commands of studies: list, show, run, report, verdicts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from warmstart.commands.arguments import seeds_of
from warmstart.commands.exits import FOUND_ERRORS, STOPPED
from warmstart.commands.study_options import (
    StudyList,
    StudyReport,
    StudyRun,
    StudyShow,
    StudyVerdicts,
)
from warmstart.errors import RunError
from warmstart.studies.bundles import BUNDLES, STUDIES
from warmstart.studies.claims import carried, find_claim
from warmstart.studies.predict import predict
from warmstart.studies.select import listed, selected
from warmstart.studies.verdicts import effects, verdicts

Command = StudyList | StudyShow | StudyRun | StudyReport | StudyVerdicts


def study(given: Command) -> int:
    """Do it; the exit code. Raises WarmstartError."""
    match given:
        case StudyList():
            return show_list(given)
        case StudyShow():
            return show(given)
        case StudyRun():
            return run(given)
        case StudyReport():
            from warmstart.studies.study_page import write_page

            page = write_page(selected(given.name), given.results, given.out)
            _say(f"report: {page}")
            return 0
        case _:
            return show_verdicts(given)


def _say(text: str) -> None:
    Console().print(text, soft_wrap=True, highlight=False, markup=False)


def show_list(given: StudyList) -> int:
    """Name, bundle, size, claims."""
    by_name = {name: bundle for bundle, name in BUNDLES.items()}
    rows = [
        {
            "name": s.name, "bundle": by_name.get(s.name, ""), "about": s.about,
            "tasks": list(s.tasks), "pretrainings": list(s.pretrainings), "arms": list(s.arms),
            "steps": s.steps, "claims": [c.id for c in carried(s.name)],
        }
        for s in STUDIES.values()
    ]  # fmt: skip
    if given.json:
        print(json.dumps(rows))
        return 0
    table = Table()
    for head in ("study", "bundle", "about", "arms", "tasks", "claims"):
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(
            row["name"], row["bundle"], row["about"], str(len(row["arms"])),
            ", ".join(row["tasks"]), ", ".join(row["claims"]),
        )  # fmt: skip
    Console().print(table)
    return 0


def show(given: StudyShow) -> int:
    """Arms, claims, and predicted core-hours."""
    chosen = selected(given.name, given.tasks, given.steps)
    arms = chosen.chosen(listed(given.arms))
    sizes = (5, 15) if given.seeds is None else (given.seeds,)
    if any(size < 1 for size in sizes):
        raise RunError(f"--seeds {given.seeds} cannot be used; give 1 or more")
    costs = predict(chosen, arms, given.results, given.runs, probe=given.probe, tell=_tell)
    claims = [c for c in carried(chosen.name) if set(c.arms) <= set(arms)]
    if given.json:
        print(
            json.dumps(
                {
                    "name": chosen.name, "about": chosen.about, "tasks": list(chosen.tasks),
                    "steps": chosen.steps,
                    "arms": {
                        n: {"method": m.method, "source": getattr(m, "source", None),
                            "changes": dict(m.changes), "policy": getattr(m, "policy", None)}
                        for n in arms
                        for m in [(chosen.arms.get(n) or chosen.pretrainings[n])]
                    },
                    "claims": [c.id for c in claims],
                    "core_hours": {str(n): costs.hours(n) for n in sizes},
                    "seconds": costs.seconds, "unknown": [list(p) for p in costs.unknown],
                }
            )
        )  # fmt: skip
        return 0
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"{chosen.name}: {chosen.about}")
    console.print(f"tasks: {', '.join(chosen.tasks)}; {chosen.steps or 'own'} online steps")
    table = Table()
    for head in (
        "arm",
        "from",
        "method and changes",
        *(f"{t}, core-minutes" for t in chosen.tasks),
    ):
        table.add_column(head, overflow="fold")
    for name in arms:
        made = chosen.arms.get(name) or chosen.pretrainings[name]
        changes = ", ".join(f"{path}={value}" for path, value in made.changes.items())
        file = getattr(made, "policy", None)
        base = "" if file is None else f" --policy {Path(file).name}"
        minutes = [costs.seconds.get(task, {}).get(name) for task in chosen.tasks]
        table.add_row(
            name, getattr(made, "source", None) or "", f"{made.method} {changes}{base}".strip(),
            *("?" if m is None else f"{m / 60:.1f}" for m in minutes),
        )  # fmt: skip
    console.print(table)
    for size in sizes:
        hours = costs.hours(size)
        known = "" if not costs.unknown else f", without {len(costs.unknown)} arms never timed"
        console.print(f"{size} seeds of each task: {hours:.1f} core-hours{known}")
    if costs.unknown:
        console.print("to time them: the same command with --probe")
    for claim in claims:
        console.print(f"{claim.id}{'*' if claim.headline else ''}  {claim.text}")
    return 0


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def run(given: StudyRun) -> int:
    """Run it; 1 where an arm failed, 130 where it was stopped and saved."""
    from warmstart.api.given import check_seeds
    from warmstart.studies.executors.protocol import make_executor
    from warmstart.studies.runner import StudyRunner, StudyStopped, Where

    chosen = selected(given.name, given.tasks, given.steps)
    if given.hours is not None and not given.hours > 0:
        raise RunError(f"--hours {given.hours} cannot be used; give more than 0")
    if given.diagnose_every is not None and given.diagnose_every < 1:
        raise RunError(f"--diagnose-every {given.diagnose_every} cannot be used; give 1 or more")
    driver = StudyRunner(
        chosen,
        chosen.tasks,
        listed(given.arms),
        () if given.seeds is None else check_seeds(seeds_of(given.seeds)),
        Where(given.runs, given.results),
        make_executor(given.on, given.workers),
        _say,
        given.hours,
        given.diagnose_every or 0,
    )
    try:
        failed = driver.run()
    except StudyStopped as stop:
        print(stop, file=sys.stderr)
        return STOPPED
    if failed:
        _say(f"{len(failed)} runs failed; the same command tries them again")
    _say(f"go on with: warmstart study report {given.name}")
    return FOUND_ERRORS if failed else 0


def show_verdicts(given: StudyVerdicts) -> int:
    """The table of claims."""
    wanted = [find_claim(name).id for name in listed(given.claims)]
    found, said = verdicts(given.results)
    shown = [v for v in found if not wanted or v.claim.id in wanted]
    if given.json:
        print(json.dumps({"verdicts": [v.to_json() for v in shown], "left_out": list(said)}))
        return 0
    table = Table(caption="* headline")
    least = {"claim": 5, "": 26, "verdict": 8}  # of 80 columns; words stay whole where they can
    for head in ("claim", "", "verdict", "effect [95 % interval]", "seeds", "tasks", "run on"):
        table.add_column(head, overflow="fold", min_width=least.get(head))
    for v in shown:
        table.add_row(
            v.claim.id + ("*" if v.claim.headline else ""), v.claim.text, v.outcome,
            effects(v), str(v.seeds) if v.tasks else "", "\n".join(t.task for t in v.tasks),
            "\n".join((*v.isas, *v.commits)) if v.tasks else v.reason,
        )  # fmt: skip
    Console().print(table)
    for sentence in said:
        _say(sentence)
    return 0
