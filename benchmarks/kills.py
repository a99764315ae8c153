"""`python -m benchmarks.kills` (`make kills`): runs that are killed at random moments and resumed.

Five methods of different kind are run small, again and again. Each process is killed (SIGKILL) in
a moment that still lacks kills, and the next one resumes, until a run is at its end; then its
metric lines and the weights of its policies are compared, to the last bit, with those of a run
that nobody stopped. `--signals` sends SIGINT, SIGTERM or two SIGINT instead, of which each must
end the process with one sentence and the exit code 130 or 143.

Every process and every comparison is one line appended to `--out`, so that a call that is stopped
itself goes on where it was; at the end, and with `--show` at once, the table.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

METHODS = {
    "wsrl": "an actor-critic",
    "odt": "a sequence model",
    "moore": "a model of the world",
    "off2on": "agents",
    "upq": "a source with a memory",
}
MOMENTS = ("start-up", "pre-training", "hand-over", "online", "saving", "report")
"""Hand-over is what lies between pre-training and the first update online: the warm-up too."""
SPAN = {"start-up": 4.0, "pre-training": 1.0, "hand-over": 0.5, "online": 2.0, "saving": 0.05,
        "report": 1.0}  # fmt: skip
"""Seconds within which the kill comes once the moment is there."""
ASKS = ("SIGINT", "SIGTERM", "SIGINT twice")
TASK, SEEDS, UPDATES, STEPS = "jax-pointmass", (0, 3), 300, 1200
SMALL: dict[str, Any] = {"episodes": 1, "fixed_episodes": 2, "offline_every": 100,
                         "online_every": 300, "early": (0, 100), "log_every": 50}  # fmt: skip


def child(method: str, folder: Path, marks: Path) -> int:
    """Begin the run in `folder`, or go on with it; says in `marks` in which moment it is."""
    from warmstart import api
    from warmstart.api import driver as drive
    from warmstart.commands.exits import last_words_are_said
    from warmstart.errors import WarmstartError

    # Whoever started us in the background may have had Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    running: Any = sys.modules["warmstart.api.run"]  # its name is that of its function
    now = ["start-up"]
    with marks.open("a", buffering=1) as said:

        def mark(moment: str) -> None:
            if moment != now[0]:
                now[0] = moment
                said.write(f"{moment}\n")

        def observe(event: Any) -> None:
            if event.phase == "pretrain" and event.kind not in ("begin", "phase"):
                mark("pre-training")
            elif event.phase == "online":
                mark("online" if event.updates else "hand-over")

        save, report = drive.Driver.save, running.report

        def marked_save(*args: Any) -> None:
            before = now[0]
            mark("saving")
            save(*args)
            mark(before)

        def marked_report(*args: Any) -> Any:
            mark("report")
            return report(*args)

        drive.Driver.save, running.report = marked_save, marked_report
        try:
            if (folder / "run.json").exists():
                api.resume(folder, observe=observe)
            else:
                api.start(declared(method), folder.parent, folder.name, "done", observe)
        except api.Interrupted as stop:
            last_words_are_said()
            print(stop, file=sys.stderr)
            return 130
        except KeyboardInterrupt as stop:
            last_words_are_said()
            print("stopped", *stop.args, sep=": ", file=sys.stderr)
            return 130
        except WarmstartError as error:
            print("error:", " ".join(str(error).split()), file=sys.stderr)
            return 2
    return 0


def declared(method: str) -> Any:
    """A method's own recipe with its parts, short and with narrow networks."""
    from warmstart.api import declare

    recipe = declare(method, TASK).recipe
    rhythm, minibatches = recipe.finetune.rhythm, recipe.finetune.learner.minibatches
    changes: dict[str, Any] = {
        **{f"pretrain.{i}.updates": UPDATES for i in range(len(recipe.pretrain))},
        "finetune.rhythm.every": min(rhythm.every, 50),
        "finetune.rhythm.updates": min(rhythm.updates, 20 // minibatches * minibatches)
        or minibatches,
        "replay.warmup.steps": max(200, min(recipe.replay.warmup.steps, 200)),
        "finetune.steps": STEPS,
        **({} if method == "odt" else {"nets.hidden": "32"}),
    }
    return declare(method, TASK, seeds=SEEDS, changes=changes, schedule=SMALL)


def bits(folder: Path) -> Any:
    """What two equal runs have in common: metric lines, and names of weights, which are sums."""
    from warmstart.runs.records import comparable, read

    weights = sorted(str(p.relative_to(folder)) for p in folder.rglob("*.safetensors"))
    return json.loads(json.dumps([comparable(read(folder)), weights]))


def spawn(method: str, folder: Path, marks: Path) -> subprocess.Popen[str]:
    """A process that runs, or goes on with, the run in `folder`."""
    marks.write_text("")
    words = ["child", method, str(folder), str(marks)]
    root = Path(__file__).parents[1]
    code = f"import sys; sys.path.insert(0, {str(root)!r}); sys.argv[1:] = {words!r}\n"
    command = [sys.executable, "-P", "-c", f"{code}from benchmarks.kills import main; main()"]
    env = {"JAX_COMPILATION_CACHE_DIR": str(folder.parent / "compiled"), **os.environ}
    env["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.1"
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env
    )


def moment_of(marks: Path) -> str:
    """Where a process is now."""
    lines = marks.read_text().splitlines()
    return lines[-1] if lines else "start-up"


def wait_for(process: subprocess.Popen[str], marks: Path, moment: str) -> bool:
    """Whether a process came to a moment before it was over."""
    while process.poll() is None:
        if moment_of(marks) == moment:
            return True
        time.sleep(0.005)
    return False


def hit(process: subprocess.Popen[str], marks: Path, moment: str, how: str) -> dict[str, Any]:
    """Stop a process in a moment; what came of it. It may be over before."""
    if not wait_for(process, marks, moment):
        return {"hit": None, "code": process.wait(), **_said(process)}
    time.sleep(random.uniform(0.0, SPAN[moment]))
    at = moment_of(marks)
    if process.poll() is not None:
        return {"hit": None, "code": process.returncode, **_said(process)}
    if how == "SIGKILL":
        process.kill()
    else:
        process.send_signal(getattr(signal, how.split()[0]))
        if "twice" in how:
            time.sleep(random.uniform(0.0, 0.2))
            process.send_signal(signal.SIGINT)
    try:
        told = _said(process, 120)
    except subprocess.TimeoutExpired:
        process.kill()
        told = {"said": "it did not end within two minutes"}
    return {"hit": at, "code": process.returncode, **told}


def _said(process: subprocess.Popen[str], seconds: float | None = None) -> dict[str, str]:
    _, err = process.communicate(timeout=seconds)
    return {"said": err[-500:] if "Traceback" in err else "\n".join(err.splitlines()[-1:])}


def gone_through(
    method: str, root: Path, number: int, whole: Any, kind: list[str], lacks: Counter[str]
) -> Iterator[dict[str, Any]]:
    """One run, stopped as often as it lasts; a line for each stop, and one for the comparison."""
    folder, marks = root / f"{method}-{number}", root / "marks"
    stops = 0
    for _ in itertools.count():
        moment = max(MOMENTS, key=lambda m: (lacks[m] > 0, lacks[m] * random.random()))
        how = random.choice(kind)
        process = spawn(method, folder, marks)
        line = {"method": method, "run": number, "how": how, "aimed": moment}
        line |= hit(process, marks, moment, how)
        if line["hit"] is not None:
            stops += 1
            lacks[line["hit"]] -= 1
            ended = (folder / "finished.json").exists()  # then there is nothing to say any more
            over = (0, -signal.SIGTERM, -signal.SIGINT) if ended else ()
            codes = (130, 143, *over)
            said = (bool(line["said"]) or ended) and "Traceback" not in line["said"]
            good = how == "SIGKILL" or (line["code"] in codes and said)
            yield {**line, "good": good}
        if (folder / "finished.json").exists():
            break
        if line["hit"] is None and line["code"]:
            yield {**line, "good": False}
            break
        if stops >= 8:
            process = spawn(method, folder, marks)
            process.communicate()
            break
    ended = (folder / "finished.json").exists()
    equal = ended and bits(folder) == whole
    yield {"method": method, "run": number, "stops": stops, "equal": equal}


def table(path: Path) -> str:
    """What the file says: stops by method and moment, and the runs that were equal."""
    lines = [json.loads(text) for text in path.read_text().splitlines()] if path.exists() else []
    hits = [line for line in lines if line.get("hit")]
    runs = [line for line in lines if "equal" in line]
    rows = ["| method | " + " | ".join(MOMENTS) + " | stopped | runs, equal |"]
    rows.append("|---" * (len(MOMENTS) + 3) + "|")
    for method in dict.fromkeys([*METHODS, *(run["method"] for run in runs)]):
        at = Counter(line["hit"] for line in hits if line["method"] == method)
        mine = [run for run in runs if run["method"] == method]
        rows.append(
            f"| {method}, {METHODS.get(method, 'another')} | "
            + " | ".join(str(at[moment]) for moment in MOMENTS)
            + f" | {sum(at.values())} | {len(mine)}, {sum(run['equal'] for run in mine)} |"
        )
    bad = sum(not line["good"] for line in hits)
    rows.append(f"\n{len(hits)} stops, {bad} of them without one good sentence or exit code.")
    return "\n".join(rows)


def main() -> None:
    """Stop runs until every moment has its share, then print the table."""
    if sys.argv[1:2] == ["child"]:
        sys.exit(child(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--each", type=int, default=15, help="at least so many in each moment")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--signals", action="store_true", help="ask instead of killing")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("kills.jsonl"))
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    if not given.show:
        work(given)
    print(table(given.out))


def work(given: argparse.Namespace) -> None:
    """Append lines until there are enough."""
    kind: list[str] = list(ASKS) if given.signals else ["SIGKILL"]
    methods = given.methods.split(",")
    whole: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for number in itertools.count():
            there = given.out.read_text().splitlines() if given.out.exists() else []
            hits = [line for line in map(json.loads, there) if line.get("hit")]
            hits = [line for line in hits if line["how"] in kind]
            had = Counter(line["hit"] for line in hits)
            lacks = Counter({moment: given.each - had[moment] for moment in MOMENTS})
            if len(hits) >= given.kills and max(lacks.values()) <= 0:
                return
            method = min(methods, key=lambda m: sum(line["method"] == m for line in hits))
            if method not in whole:
                folder = root / f"{method}-whole"
                _, err = spawn(method, folder, root / "marks").communicate()
                if not (folder / "finished.json").exists():
                    sys.exit(f"the run that nobody stopped failed: {err[-2000:]}")
                whole[method] = bits(folder)
            for line in gone_through(method, root, number, whole[method], kind, lacks):
                with given.out.open("a") as out:
                    out.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
