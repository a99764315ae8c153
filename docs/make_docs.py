"""Write the generated parts of the documents: `python docs/make_docs.py`.

The lower half of every page in `docs/methods` and that of their index come from the methods'
docstrings, presets, citations and recipes, and from the numbers that `docs/make_figures.py` left,
as does `docs/domains.md`; the tables of `docs/tasks.md` from the catalogue and from what `python -m
benchmarks.tasks_table` measured; the list of methods that the command line reads from their
docstrings. `tests/test_docs.py` and `tests/test_tasks_table.py` say when they are stale.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

from warmstart import config
from warmstart.api.in_words import QUESTIONS, answer, crossing
from warmstart.commands import show
from warmstart.methods import METHODS
from warmstart.tasks import TASKS
from warmstart.tasks.floors import floor_of
from warmstart.values import as_text

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "methods"
INDEX = PAGES / "README.md"
DOMAINS = ROOT / "docs" / "domains.md"
LISTED = ROOT / "src" / "warmstart" / "methods" / "index.json"
GROUPS: dict[str, tuple[str, ...]] = {
    "From scratch, without data": ("sac", "td3", "redq", "simba", "td3_online", "redq_online"),
    "From scratch, with the data at hand": ("rlpd", "sac_offline_data"),
    "Pessimism: values held down where there are no data": (
        "cql",
        "cal_ql",
        "gcql",
        "off2on",
        "upq",
    ),
    "Constraint: the policy held near the data or near itself": (
        "td3_bc",
        "rebrac",
        "td3_bc_ft",
        "td3_bc_pr",
        "td3_bc_pr_ft",
        "adaptive_bc",
        "gctd3bc",
        "td3_c",
    ),
    "In-sample: only actions that are in the buffer": ("iql", "awac"),
    "Flows: a policy that makes actions of noise": ("fql", "ifql", "dsrl"),
    "Chunks: several actions at a time": ("qc", "qc_fql", "rlpd_chunks"),
    "A policy that is there already, and a correction": ("residual",),
    "On-policy: what the policy has just done, and nothing else": ("ppo",),
    "The switch itself: what crosses, and what is done first": ("wsrl", "aca"),
    "Exploration: who chooses the action": ("pex", "jsrl", "o3f"),
    "Sequences: a policy conditioned on the return": ("dt", "odt"),
    "A learned model of the world": ("mopo", "moore"),
    "Controls: what a gain is compared with": ("bc", "bc_sac", "cql_sac", "redq_offline"),
}
"""Presets of idea, and their methods in the order in which one would meet them."""
HEAD = (
    "# A run in each domain\n\n"
    "What the package does with a task of each kind in some minutes on one core: data that it made "
    "itself ([tasks.md](tasks.md)), a policy learned from them, the switch, and what learning "
    "online added. Each can be repeated with the printed command; the data are made at the first "
    "call. `dexterity` stands where Adroit's binary tasks stand in the literature."
)
OF_STUDIES = {
    "fql": "flow",
    "qc_fql": "chunks",
    "residual": "residual",
    "ppo": "on-policy",
    "td3_bc": "td3",
    "td3_c": "td3",
    "wsrl": "wsrl",
}
"""The study whose picture stands on a method's page."""
FEW = 5
"""Fewer seeds than this are called what they are."""
MARK = "<!-- What follows is written by docs/make_docs.py. -->"


def methods_table() -> str:
    """One row a method: its five answers in words."""
    lines = [f"| method | {' | '.join(QUESTIONS)} |", "|---" * (len(QUESTIONS) + 1) + "|"]
    for name, module in METHODS.items():
        words = [answer(module.__doc__ or "", question) for question in QUESTIONS]
        lines.append(f"| [`{name}`]({name}.md) | {' | '.join(words)} |")
    return "\n".join(lines) + "\n"


def pages() -> dict[str, Path]:
    """Every method's page, by its method."""
    return {name: PAGES / f"{name}.md" for name in METHODS}


def page(name: str) -> str:
    """A method's page: what is written by hand above the mark, and a fresh lower half."""
    return _below(pages()[name], figure(name) + of_study(name) + reference(METHODS[name]))


def index() -> str:
    """The index of the pages: a guide by hand, and the methods by family of idea."""
    parts = []
    for title, members in GROUPS.items():
        lines = [_line(name) for name in members if name in METHODS]
        if lines:
            head = "| method | what it is | before | lowest | end | steps |\n" + "|---" * 6 + "|"
            parts.append("\n".join([f"## {title}\n\n{head}", *lines]))
    parts.append(
        "The numbers are success rates in percent of one small run of each method (preset "
        "`quick`, five seeds in `two-rooms`, whose logs know one of the rooms, two elsewhere; for "
        "what sees no data the returns of five seeds in `Pendulum-v1`, where random actions and "
        "none get -1,200): before the switch, the lowest from there on, and at the end, after so "
        "many steps online. They show what a run looks like; one task, and budgets that differ, "
        "are no ranking."
    )
    parts.append(f"## Five answers each\n\n{methods_table().rstrip()}")
    return _below(INDEX, "\n\n".join(parts) + "\n")


def _line(name: str) -> str:
    title = inspect.cleandoc(METHODS[name].__doc__ or "").partition("\n")[0]
    numbers = measured(name)
    scores = numbers["overall"] if numbers else {}
    cells = [_score(scores.get(f"score_{key}")) for key in ("before", "min", "final")]
    cells.append(f"{numbers['steps']:,} (`{numbers['task']}`)" if numbers else "–")
    return f"| [`{name}`]({name}.md) | {title} | {' | '.join(cells)} |"


def _below(path: Path, generated: str) -> str:
    """What is written by hand in a file, and what is generated below the mark."""
    above = path.read_text().partition(MARK)[0].rstrip()
    return f"{above}\n\n{MARK}\n\n{generated}"


def measured(name: str) -> dict[str, Any] | None:
    """The numbers that `docs/make_figures.py` left of a method's run; None before it was made."""
    path = PAGES / "figures" / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def figure(name: str) -> str:
    """The picture of a method's run, and its numbers in one sentence; empty before it was made."""
    run = measured(name)
    if run is None:
        return ""
    return f"## One run here\n\n{shown(run, name, f'figures/{name}.svg')}\n\n"


def of_study(name: str) -> str:
    """The study that shows what a method is for, as `docs/make_figures.py study-NAME` left it;
    empty before it was run."""
    study = OF_STUDIES.get(name)
    path = PAGES / "figures" / f"study-{study}.json"
    if study is None or not path.exists():
        return ""
    found = json.loads(path.read_text())
    head = f"| {' | '.join(found['heads'])} |\n" + "|---" * len(found["heads"]) + "|\n"
    tables = "\n\n".join(
        f"`{task}`:\n\n{head}" + "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        for task, lines in found["tables"].items()
    )
    return (
        f"## Beside others\n\nStudy `{study}`: {found['about']}\n\n"
        f"![Scores of the arms against online steps](figures/study-{study}.svg)\n\n{tables}\n\n"
        "Interquartile means over seeds: before the switch and right after it (an arm with fresh "
        "networks begins low whatever was pre-trained), how far the lowest of the first 20,000 "
        "steps lies below the score before (dip), what of that lies below anything the frozen "
        "policy scored, the mean height of the curve early and in all, and the end with its 95 % "
        "interval. "
        f"{found['steps']:,} steps online, {found['core_hours']} core-hours: "
        f"`{found['command']}` ([studies](../studies.md)).\n\n"
    )


def shown(run: dict[str, Any], name: str, picture: str) -> str:
    """A run that `docs/make_figures.py` made: its picture, and its numbers in one sentence."""
    scores, seeds = run["overall"], len(run["seeds"])
    said = (
        f"{_score(scores['score_min'])} at the lowest, {_score(scores['score_final'])} at the end"
    )
    offline = ""
    if scores["score_before"] is not None:
        said = f"{_score(scores['score_before'])} before the switch, {said}"
        offline = f"{run['updates']:,} updates offline, "
    few = "Two seeds are an illustration, no ranking. " if seeds < FEW else ""
    return (
        f"![{run['score'].capitalize()} against steps]({picture})\n\n"
        f"`{run['task']}`, preset `{run['preset']}`, {offline}{run['steps']:,} steps online, "
        f"{run['score']}: **{said}** (means of {seeds} seeds, the band spans them; the lowest is "
        f"each seed's own). {few}{_at_floor(run)}"
        f"Made by `python docs/make_figures.py {name}`."
    )


NEAR = 5.0
"""Points above the floor that are no success, where scores have a scale."""


def _at_floor(run: dict[str, Any]) -> str:
    """A word on a run that ends where no learning would have."""
    task, final = TASKS.get(run["task"]), run["overall"]["score_final"]
    floor = floor_of(task) if task else None
    near = NEAR if floor and floor.high is not None else 0.0
    if floor is None or final is None or final > floor.score + near:
        return ""
    return (
        f"What needs no learning scores {floor.words}: here the method fails, by this budget and "
        "these numbers. "
    )


def domains() -> str:
    """docs/domains.md: one method trained in each domain, from what `docs/make_figures.py` left;
    empty before the first of these runs."""
    parts = []
    for path in sorted((ROOT / "docs" / "domains").glob("*.json")):
        run = json.loads(path.read_text())
        said = shown(run, path.stem, f"domains/{path.stem}.svg")
        title = f"## {path.stem.capitalize()}: `{run['method']}` on `{run['task']}`"
        parts.append(f"{title}\n\n{said}\n\n    {run['command']}")
    return "\n\n".join([HEAD, *parts]) + "\n" if parts else ""


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def reference(method: Any) -> str:
    """The mathematics, the five answers, the differences, the presets and the citation."""
    text = inspect.cleandoc(method.__doc__)
    head, _, body = text.partition("\n\n")
    mathematics, _, rest = body.partition(f"\n{QUESTIONS[0]} ")
    differences = rest.partition("**Differences.** ")[2]
    answers = [f"| {q} | {answer(text, q)} |" for q in QUESTIONS]
    given = {name: config.differences(numbers) for name, numbers in method.PRESETS.items()}
    presets = [f"| `{name}` | {_numbers(changed)} |" for name, changed in given.items()]
    name = method.__name__.rpartition(".")[2]
    parts = [
        f"## The mathematics\n\n{_flowing(head)}\n\n{_flowing(mathematics)}",
        "## The five answers\n\n| question | answer |\n|---|---|\n" + "\n".join(answers),
        *switch(method),
        f"## Differences from the authors\n\n{_flowing(differences)}",
        "## Presets\n\n| preset | what it changes |\n|---|---|\n" + "\n".join(presets),
        "## Numbers\n\n`--set NAME=VALUE`, in Python `NAME=VALUE`.\n\n| number | by default | "
        "what it is |\n|---|---|---|\n" + "\n".join(_lines(method)),
        f"`warmstart show {name}` lists every other number with its path for `--set`.",
        f"## In the code\n\n{code(method)}",
        "## Citation\n\n" + "\n".join(f"- {line}" for line in method.CITE),
    ]
    return "\n\n".join(parts) + "\n"


def switch(method: Any) -> list[str]:
    """What becomes of each component at the switch, as the function that does it says."""
    rows = [
        f"| {row.component} | {row.outcome} | {row.reason} |" for row in crossing(method.recipe())
    ]
    table = "## What crosses at the switch\n\n| component | what is done | why |\n|---|---|---|\n"
    return [table + "\n".join(rows)] if rows else []


def code(method: Any) -> str:
    """Where a method stands in the code: its file, and the parts that its recipe is made of."""
    recipe = method.recipe("paper")
    found: dict[type, None] = {}
    for stage in recipe.pretrain:
        _parts(stage, found)
    for answer_ in (recipe.replay, recipe.acting, recipe.finetune):
        _parts(answer_, found)
    rows = []
    for part in sorted(found, key=lambda part: ROOMS.index(_room(part))):
        equations = ", ".join(
            f"[`{name}`]({_source(function)})" for name, function in _equations(part).items()
        )
        rows.append(f"| [`{part.__name__}`]({_source(part)}) | {_first_line(part)} | {equations} |")
    table = "| part | what it is | its equations |\n|---|---|---|\n" + "\n".join(rows)
    return f"The recipe is [{Path(method.__file__).name}]({_source(method)}).\n\n{table}"


ROOMS = ("learners", "nets", "parts", "replay", "acting")
"""Where the parts of a recipe stand, in the order in which a page names them."""
LEFT_OUT = {
    "EncoderSpec", "Fixed", "NetSpec", "Steady",
    "EvenRows", "NoConservatism", "NoConstraint", "NoImprovement",
}  # fmt: skip
"""What nearly every recipe holds, and what stands for nothing."""


def _parts(value: Any, found: dict[type, None]) -> None:
    """Every part in a value, in the order of its fields; those that stand for nothing left out."""
    for field in dataclasses.fields(value):
        held = getattr(value, field.name)
        for item in held if isinstance(held, tuple) else (held,):
            if dataclasses.is_dataclass(item) and not isinstance(item, type):
                _parts(item, found)
                if _room(type(item)) in ROOMS and type(item).__name__ not in LEFT_OUT:
                    found[type(item)] = None


def _room(cls: type) -> str:
    return cls.__module__.split(".")[1]


def _first_line(cls: type) -> str:
    return inspect.cleandoc(cls.__doc__ or "").partition("\n")[0].replace("|", "\\|")


def _source(thing: Any) -> str:
    """The link from a method's page to the file of a class, function or module."""
    module = thing if inspect.ismodule(thing) else sys.modules[thing.__module__]
    path = Path(module.__file__ or "").resolve().relative_to(ROOT)
    return f"../../{path.as_posix()}"


def _equations(cls: type) -> dict[str, Any]:
    """The functions of `warmstart.equations` that a class calls, its bases' too."""
    called: dict[str, Any] = {}
    for base in cls.__mro__:
        if base.__module__.startswith("warmstart.parts"):
            _called_by(base, called, set())
    return called


def _called_by(thing: Any, called: dict[str, Any], seen: set[Any]) -> None:
    """Add the equations that a class or function of a part calls, by its helpers too."""
    seen.add(thing)
    text = inspect.getsource(thing)
    for name, value in vars(sys.modules[thing.__module__]).items():
        home = getattr(value, "__module__", "") or ""
        if callable(value) and re.search(rf"\b{name}\(", text):
            if home.startswith("warmstart.equations"):
                called[name] = value
            helps = home.startswith("warmstart.parts") and inspect.isfunction(value)
            if helps and value not in seen:
                _called_by(value, called, seen)


def _flowing(text: str) -> str:
    """Paragraphs on one line each; indented lines are kept as they are."""
    blocks = re.split(r"\n\n+", text.strip("\n"))
    return "\n\n".join(b if b.startswith("    ") else b.replace("\n", " ") for b in blocks)


def _lines(method: Any) -> list[str]:
    """Each number of a method, a line of a table."""
    numbers = config.numbers_of(type(method.PRESETS["paper"]))
    return [f"| `{n.name}` | {as_text(n.default)} | {n.meaning} |" for n in numbers]


def _numbers(given: dict[str, Any]) -> str:
    """A preset's numbers in words."""
    words = [
        f"{key} {value:,}" if type(value) is int else f"{key} {value}"
        for key, value in given.items()
    ]
    return ", ".join(words) or "nothing: the method as it stands"


def listed() -> str:
    """What `warmstart list methods` reads instead of importing the methods."""
    return json.dumps(show.index(), indent=1) + "\n"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from benchmarks import tasks_table

    for name, path in pages().items():
        path.write_text(page(name))
    tasks_table.PAGE.write_text(tasks_table.page())
    if text := domains():
        DOMAINS.write_text(text)
    INDEX.write_text(index())
    LISTED.write_text(listed())
