"""Pictures of the methods' pages: `python docs/make_figures.py`.

One small run and one picture for each method and each domain, and one picture for each study that
shows what a method is for.

Nearly every method runs on the same task with the numbers of its `quick` preset, five seeds and
one processor core: two rooms, of which the logs know one, so that there is something to lose and
something to win; what learns without data swings up a pendulum. Every domain shows one method on a
task of its own. Beside the pages stay `methods/figures/NAME.json`, or `domains/NAME.json`, the
numbers, and `NAME.svg`, drawn from them.
What is there is not made again, and a run that was stopped goes on; delete the JSON to begin again.
Afterwards `python docs/make_docs.py` writes the pages. Names of methods or domains narrow it down.

A study is not run here but by `warmstart study run NAME`; of its results, which lie in
`studies/results`, `python docs/make_figures.py study-NAME` leaves `methods/figures/study-NAME.json`
and `.svg`, again at every call.

`--draw` only draws the pictures again from the numbers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from make_docs import OF_STUDIES
from matplotlib.figure import Figure

from warmstart.files.durable import write_atomic, write_json_atomic
from warmstart.files.render import COLORS, PALETTE, STYLE
from warmstart.methods import METHODS
from warmstart.reports.axis import LEFT, SwitchAxis, gather
from warmstart.reports.figures import EVALS
from warmstart.reports.run import load_runs
from warmstart.runs.folder import is_finished
from warmstart.studies.arm_tables import HEADS, rows
from warmstart.studies.bundles import find_study
from warmstart.studies.curves import curves
from warmstart.studies.evidence import gather as gather_evidence
from warmstart.studies.fingerprint import numerics
from warmstart.studies.store import Store
from warmstart.tasks import TASKS

ROOT = Path(__file__).parents[1]
METHOD_FIGURES = ROOT / "docs" / "methods" / "figures"
DOMAIN_FIGURES = ROOT / "docs" / "domains"
RUNS = ROOT / "runs" / "figures"
NUMBERS: dict[str, str] = {
    "--seeds": "0,1,2,3,4",
    "--preset": "quick",
    "--steps": "10000",
    "--episodes": "10",
    "--fixed-episodes": "50",
    "--offline-every": "2000",
    "--online-every": "2500",
    "--threads": "1",
}


@dataclass(frozen=True)
class Shown:
    """A run that the documents show; `changes` go before NUMBERS."""

    method: str
    task: str = "two-rooms"
    changes: dict[str, str] = field(default_factory=dict)
    folder: Path = METHOD_FIGURES

    @property
    def words(self) -> list[str]:
        """The words behind `warmstart` that make it."""
        numbers = {**NUMBERS, **self.changes}
        where = [self.task] if self.task in TASKS else ["--env", self.task]
        return ["run", self.method, *where, *(w for pair in numbers.items() for w in pair)]


LIGHTER: dict[str, dict[str, str]] = {
    "qc": {"--steps": "4000"},
    **{name: {"--steps": "2000", "--online-every": "500"} for name in ("cql", "gcql", "off2on")},
    **{name: {"--steps": "5000", "--online-every": "1000"} for name in ("redq", "redq_online")},
    "dt": {"--steps": "1000", "--online-every": "1000", "--fixed-episodes": "20"},
    "odt": {"--steps": "4000", "--online-every": "1000", "--fixed-episodes": "20"},
    "mopo": {"--steps": "1000", "--online-every": "1000"},
    "ppo": {"--steps": "20000"},
    **{name: {"--steps": "20000"} for name in ("aca", "sac_offline_data")},
    "dsrl": {"--pretrain-steps": "3000", "--steps": "4000", "--fixed-episodes": "20"},
    "residual": {"--policy": "examples/push.py:policy"},
}
"""What is changed of the numbers where a method has many updates a step, reads its whole context
again at every step, or learns nothing online, so that minutes will do; or learns more slowly."""
SCRATCH = ("sac", "td3", "td3_online", "redq", "redq_online", "simba")
"""They see no data, and no sparse goal is found in so few steps without: a pendulum to swing up."""
ELSEWHERE = {
    "ppo": "pointmaze-umaze-navigate-dense",
    **dict.fromkeys(("residual", "dsrl"), "jax-pointmass"),
    **dict.fromkeys(("rebrac", "fql", "ifql", "qc", "qc_fql", "rlpd_chunks"), "pointmaze-medium"),
}
"""Tasks of those that are shown with two seeds, or by a study beside others."""
TWO = {"--seeds": "0,1", "--steps": "8000"}
DOMAINS: dict[str, Shown] = {
    "navigation": Shown("fql", "pointmaze-medium", TWO, DOMAIN_FIGURES),
    "locomotion": Shown(
        "td3_bc_ft", "halfcheetah-medium",
        {
            **TWO, "--preset": "paper", "--pretrain-steps": "20000", "--steps": "20000",
            "--fixed-episodes": "10", "--offline-every": "5000", "--online-every": "5000",
        }, DOMAIN_FIGURES,
    ),
    "manipulation": Shown(
        "awac", "cube-single-demos-task1", {**TWO, "--steps": "6000", "--fixed-episodes": "20"},
        DOMAIN_FIGURES,
    ),
    "dexterity": Shown(
        "iql", "metaworld-door-open", {**TWO, "--steps": "10000", "--fixed-episodes": "20"},
        DOMAIN_FIGURES,
    ),
}  # fmt: skip
SHOWN: dict[str, Shown] = {
    **{
        name: Shown(
            name,
            "Pendulum-v1" if name in SCRATCH else ELSEWHERE.get(name, "two-rooms"),
            {**(TWO if name in ELSEWHERE else {}), **LIGHTER.get(name, {})},
        )
        for name in METHODS
    },
    **DOMAINS,
}


RESULTS = ROOT / "studies" / "results"


def study_numbers(name: str) -> tuple[dict[str, Any], Figure]:
    """What a page shows of a study, and its curves. Raises RuntimeError without results."""
    study = find_study(name)
    found, _ = Store(RESULTS).read(name)
    units = gather_evidence(found, numerics()).units
    figure = curves(units, study.everything)
    if figure is None:
        raise RuntimeError(f"study {name} has no results here: warmstart study run {name}")
    arms = [row for row in rows(units, study.everything) if row.arm in study.arms]
    seeds = sorted({seed for of_task in units.values() for seed in of_task})
    tables = {t: cells for t in units if (cells := [r.cells() for r in arms if r.task == t])}
    counted = [r for t in tables for unit in units[t].values() for r in unit.results.values()]
    words = [f"--seeds {','.join(map(str, seeds))}"]
    steps = max(r.steps for r in counted)
    if steps != study.steps:
        words.append(f"--steps {steps}")
    if set(tables) != set(study.tasks):
        words.append(f"--tasks {','.join(tables)}")
    if ran := [name for name in study.arms if any(row.arm == name for row in arms)]:
        words += [f"--arms {','.join(ran)}"] * (len(ran) < len(study.arms))
    # Looks measure too, but not at 750 steps.
    if any(step == 750 for r in counted for points in r.diagnose.values() for step, _ in points):
        words.append("--diagnose-every 250")
    return {
        "study": name,
        "about": study.about,
        "steps": steps,
        "seeds": seeds,
        "heads": list(HEADS),
        "tables": tables,
        "core_hours": round(sum(r.seconds for r in counted) / 3600, 2),
        "command": " ".join([f"warmstart study run {name}", *words]),
    }, figure


def make_study(name: str) -> int:
    """Write what a page shows of a study; 1 without results."""
    try:
        numbers, figure = study_numbers(name)
    except RuntimeError as error:
        print(error)
        return 1
    path = METHOD_FIGURES / f"study-{name}.json"
    save(figure, path.with_suffix(".svg"))
    write_json_atomic(path, numbers)
    return 0


def finish(name: str) -> Path:
    """The folder of a finished run. Raises RuntimeError where it does not finish."""
    folder = RUNS / name
    if folder.exists() and is_finished(folder):
        return folder
    if (folder / "run.json").exists():
        words = ["resume", str(folder), "--threads", NUMBERS["--threads"]]
    else:
        words = [*SHOWN[name].words, "--root", str(RUNS), "--name", name]
    RUNS.mkdir(parents=True, exist_ok=True)
    log = RUNS / f"{name}.log"
    with log.open("a") as out:
        done = subprocess.run([sys.executable, "-m", "warmstart", *words], stdout=out, stderr=out)
    if done.returncode:
        raise RuntimeError(f"{name} did not finish; the last lines of {log} say why")
    return folder


def numbers_of(name: str, folder: Path) -> dict[str, Any]:
    """What stays of a run: its switch in numbers, and its curve."""
    run = load_runs([folder])[0]
    axis = SwitchAxis(run.offline_updates, run.online_steps)
    curve = {}
    for phase, length in (("pretrain", run.offline_updates), ("online", run.online_steps)):
        lines = gather(run, axis, "score", phase, ("eval",), EVALS)
        if lines is not None:
            at = lines.x / LEFT + 1.0 if phase == "pretrain" else lines.x
            steps = [round(length * float(x)) for x in at]
            curve[phase] = {"steps": steps, "scores": lines.y.tolist()}
    kept = ("score_before", "score_after", "score_min", "score_final", "recovered", "asked")
    return {
        "method": run.facts["method"],
        "task": SHOWN[name].task,
        "preset": run.facts["preset"],
        "command": " ".join(["warmstart", *SHOWN[name].words]),
        "seeds": run.seeds,
        "updates": run.offline_updates,
        "steps": run.online_steps,
        "warmup": run.warmup,
        "score": run.facts["score_label"],
        "overall": {key: run.overall[key] for key in kept},
        "curve": curve,
    }


def draw(numbers: dict[str, Any]) -> Figure:
    """Score against steps: the seeds and their mean, the offline part shaded, the switch."""
    axis = SwitchAxis(numbers["updates"], numbers["steps"])
    left = -LEFT if axis.offline else 0.0
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.6, 2.7), layout="constrained")
        axes = figure.add_subplot()
        for phase, lines in numbers["curve"].items():
            steps, y = np.array(lines["steps"]), np.array(lines["scores"], float)
            length = axis.offline if phase == "pretrain" else axis.online
            x = LEFT * (steps / length - 1.0) if phase == "pretrain" else steps / length
            low, high = np.nanmin(y, axis=0), np.nanmax(y, axis=0)
            axes.fill_between(x, low, high, color=COLORS[0], alpha=0.18, lw=0)
            axes.plot(x, y.T, color=COLORS[0], lw=0.8, alpha=0.45)
            axes.plot(x, np.nanmean(y, axis=0), color=COLORS[0], lw=2, marker="o", ms=3)
        axes.set_xlim(left - 0.02, 1.02)
        if "%" in numbers["score"]:
            axes.set_ylim(-4.0, 104.0)
            axes.set_yticks(range(0, 101, 25))
        marks = axis.ticks()
        axes.set_xticks([x for x, _ in marks], [text for _, text in marks])
        below = axes.get_xaxis_transform()
        note: dict[str, Any] = {"transform": below, "color": PALETTE["muted"], "va": "top"}
        if axis.offline:
            axes.axvspan(left - 0.02, 0.0, color=PALETTE["shade"], lw=0, zorder=0)
            axes.text(left / 2, -0.14, "offline: gradient steps", ha="center", **note)
            axes.text(0.0, 1.02, "the switch", transform=below, ha="center", va="bottom")
            axes.axvline(0.0, color=PALETTE["ink"], lw=1.2, zorder=2)
        if numbers["warmup"]:
            end = min(1.0, numbers["warmup"] / axis.online)
            axes.axvspan(0.0, end, color=PALETTE["warmup"], lw=0, alpha=0.6, zorder=0)
            axes.text(0.1, 1.02, "warm-up in yellow", transform=below, color=PALETTE["muted"])
        axes.text(0.5, -0.14, "online: environment steps", ha="center", **note)
        axes.set_ylabel(numbers["score"])
        return figure


def save(figure: Figure, path: Path) -> None:
    """The picture as SVG on white, the same bytes for the same numbers."""
    with matplotlib.rc_context(STYLE):
        write_atomic(
            path,
            lambda file: figure.savefig(
                file, format="svg", facecolor="white", metadata={"Date": None}
            ),
        )


def make(names: Sequence[str]) -> int:
    """Run and draw what is missing; how many methods did not finish."""
    waiting = [name for name in names if not _numbers_file(name).exists()]
    print(f"{len(names) - len(waiting)} of {len(names)} are there", flush=True)
    began, failed = time.monotonic(), 0
    for done, name in enumerate(waiting):
        left = (time.monotonic() - began) / done * (len(waiting) - done) if done else None
        hint = "" if left is None else f", about {left / 60:.0f} minutes left"
        print(f"{done + 1} of {len(waiting)}: {name}{hint}", flush=True)
        start = time.monotonic()
        try:
            numbers = numbers_of(name, finish(name))
        except RuntimeError as error:
            print(f"  {error}", flush=True)
            failed += 1
            continue
        path = _numbers_file(name)
        path.parent.mkdir(exist_ok=True)
        save(draw(numbers), path.with_suffix(".svg"))
        write_json_atomic(path, numbers)
        print(f"  {time.monotonic() - start:.0f} s", flush=True)
    return failed


def _numbers_file(name: str) -> Path:
    return SHOWN[name].folder / f"{name}.json"


def main() -> int:
    """Read the words of the command line."""
    reader = argparse.ArgumentParser(description="Pictures of docs/methods.")
    reader.add_argument("names", nargs="*", metavar="NAME", help="methods, domains, study-NAME")
    reader.add_argument("--draw", action="store_true", help="only draw again from the numbers")
    given = reader.parse_args()
    studies = {f"study-{name}": name for name in OF_STUDIES.values()}
    unknown = [name for name in given.names if name not in SHOWN and name not in studies]
    if unknown:
        known = ", ".join([*SHOWN, *studies])
        reader.error(f"there is no run '{unknown[0]}'; choose among {known}")
    failed = [make_study(studies[name]) for name in given.names if name in studies]
    names = [name for name in given.names if name in SHOWN] if given.names else list(SHOWN)
    if not given.draw:
        return 1 if (names and make(names)) or any(failed) else 0
    for name in names:
        path = _numbers_file(name)
        if path.exists():
            save(draw(json.loads(path.read_text())), path.with_suffix(".svg"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
