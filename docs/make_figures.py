"""One small run and one picture for each method: `python docs/make_figures.py [NAME ...]`.

Every method runs on the same task with the numbers of its `quick` family, two seeds and one
processor core. Beside each page in `docs/methods` stay `figures/NAME.json`, the numbers, and
`figures/NAME.svg`, drawn from them. What is there is not made again, and a run that was stopped
goes on; delete the JSON to begin anew. Afterwards `python docs/make_docs.py` writes the pages.

`--draw` only draws the pictures again from the numbers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from warmstart.edge.durable import write_atomic, write_json_atomic
from warmstart.edge.report.axis import LEFT, SwitchAxis, gather
from warmstart.edge.report.figures import EVALS
from warmstart.edge.report.render import COLORS, PALETTE, STYLE
from warmstart.edge.report.run import load_runs
from warmstart.edge.runs import is_finished
from warmstart.methods import METHODS

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "docs" / "methods" / "figures"
RUNS = ROOT / "runs" / "figures"
TASK = "pointmaze-large"
NUMBERS: dict[str, str] = {
    "--seeds": "0,1",
    "--family": "quick",
    "--steps": "8000",
    "--episodes": "10",
    "--fixed-episodes": "50",
    "--offline-every": "2000",
    "--online-every": "2500",
    "--threads": "1",
}
LIGHTER: dict[str, dict[str, str]] = {
    "redq": {"--steps": "4000"},
    "rlpd": {"--steps": "4000"},
}
"""What a method with many updates a step changes of these, so that minutes will do."""


def command(name: str) -> list[str]:
    """The words behind `warmstart` that make a method's run."""
    numbers = {**NUMBERS, **LIGHTER.get(name, {})}
    words = [word for pair in numbers.items() for word in pair]
    return ["run", name, TASK, *words]


def finish(name: str) -> Path:
    """The folder of a method's finished run. Raises RuntimeError where it does not finish."""
    folder = RUNS / name
    if folder.exists() and is_finished(folder):
        return folder
    if (folder / "run.json").exists():
        words = ["resume", str(folder), "--threads", NUMBERS["--threads"]]
    else:
        words = [*command(name), "--root", str(RUNS), "--name", name]
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
        "method": name,
        "task": run.task,
        "family": run.facts["family"],
        "command": " ".join(["warmstart", *command(name)]),
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
    waiting = [name for name in names if not (FIGURES / f"{name}.json").exists()]
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
        FIGURES.mkdir(exist_ok=True)
        save(draw(numbers), FIGURES / f"{name}.svg")
        write_json_atomic(FIGURES / f"{name}.json", numbers)
        print(f"  {time.monotonic() - start:.0f} s", flush=True)
    return failed


def main() -> int:
    """Read the words of the command line."""
    reader = argparse.ArgumentParser(description="Pictures of docs/methods.")
    reader.add_argument("names", nargs="*", metavar="NAME", help="methods; default: all")
    reader.add_argument("--draw", action="store_true", help="only draw again from the numbers")
    given = reader.parse_args()
    unknown = [name for name in given.names if name not in METHODS]
    if unknown:
        reader.error(f"there is no method '{unknown[0]}'; see `warmstart list methods`")
    names = given.names or list(METHODS)
    if not given.draw:
        return 1 if make(names) else 0
    for name in names:
        if (FIGURES / f"{name}.json").exists():
            numbers = json.loads((FIGURES / f"{name}.json").read_text())
            save(draw(numbers), FIGURES / f"{name}.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
