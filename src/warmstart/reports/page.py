"""The page that shows what a run did: one HTML file that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

from warmstart.errors import RunError
from warmstart.files.durable import PAGE_AGAIN, make_folder, write_atomic
from warmstart.files.render import COLORS, png, svg
from warmstart.reports import sentences as words
from warmstart.reports.figures import curve_figure, diagnostics_figure
from warmstart.reports.films import films
from warmstart.reports.run import LoadedRun, load_runs
from warmstart.reports.style import CSS
from warmstart.runs.summary import COLUMNS, rows

_BANDS = (
    "Means of the seeds. Bands: 95 % bootstrap interval, from three seeds on. Dotted: each run's "
    "score before the switch."
)
_ROBOT = (
    "One robot: the points on the way are means of its training episodes since the point before, "
    "as it explores."
)
CROSSED = ("component", "outcome", "reason")
CARRIED_BELOW = (
    '"Carried": the score at the end of the pre-training that this run took over, as its source '
    "measured it."
)
GUIDE = {
    "Mean Q": "on rows of the dataset and on fresh rollouts: the two drift apart when the critic "
    "no longer trusts what the policy does.",
    "Temporal-difference error": "a leap at the switch on fresh rows says that the online data "
    "lie where the critic never learned.",
    "Q minus obtained return": "above zero the critic promises too much.",
    "Drift from the pre-trained policy": "how far the policy has moved.",
    "Share of online rows": "how much of a batch this run collected itself.",
    "Bound rate": "how often the return-to-go bound of Cal-QL holds the critic.",
}
"""How to read each panel of the diagnostics, by its title."""


def write_report(run_folders: Sequence[Path], out: Path) -> Path:
    """Write the page of one run, or the comparison of several, and its two figures beside it.

    It reads only what the runs wrote, so it can be called at any time and as often as you like,
    also while they go on.

    Args:
        run_folders: one or more run folders.
        out: the HTML file, or a folder, which then receives `report.html`. `curve.png` and
            `diagnostics.png` go to the same folder where there is something to draw.

    Returns:
        The path of the page.

    Raises:
        RunError: no folder given, a folder does not exist or is damaged, or `out` cannot be
            written.
    """
    if not run_folders:
        raise RunError("A report needs a run. Give at least one run folder.")
    runs = load_runs(run_folders)
    out = Path(out)
    page = out if out.suffix in (".html", ".htm") else out / "report.html"
    make_folder(page.parent)
    figures = {"curve": curve_figure(runs), "diagnostics": diagnostics_figure(runs)}
    drawn: dict[str, str] = {}
    for name, figure in figures.items():
        if figure is None:
            continue
        image = png(figure)
        write_atomic(
            page.with_name(f"{name}.png"), lambda file, image=image: file.write(image), PAGE_AGAIN
        )
        drawn[name] = svg(figure, name, escape(_alt(name, runs)))
    html = _page(runs, drawn).encode()
    write_atomic(page, lambda file: file.write(html), PAGE_AGAIN)
    return page


def _alt(name: str, runs: Sequence[LoadedRun]) -> str:
    who = words.title(runs)
    if name == "curve":
        told = words.story(runs[0]) if len(runs) == 1 else "The numbers stand in the table below."
        return f"Learning curve across the switch from offline to online, {who}. {told}"
    return f"Diagnostics of the critic and the policy across the switch, {who}."


def _page(runs: Sequence[LoadedRun], drawn: dict[str, str]) -> str:
    one = runs[0] if len(runs) == 1 else None
    body = [
        "<header>",
        '<p class="eyebrow">warmstart: from offline to online</p>',
        f"<h1>{escape(words.title(runs))}</h1>",
        f'<p class="muted">{escape(words.subtitle(one))}</p>' if one else "",
        f'<p class="lead">{escape(words.story(one))}</p>' if one else _stories(runs),
        "</header>",
        _tiles(one) if one else "",
        *(_warnings(run, alone=one is not None) for run in runs),
        "<h2>The switch</h2>",
        _figure(
            drawn.get("curve"),
            "The curve appears with the first evaluation.",
            _caption(runs),
        ),
        _seed_table(one) if one else _comparison(runs),
        "<h2>Inside the learner</h2>",
        _figure(drawn.get("diagnostics"), "No diagnostics have been recorded yet."),
        _guide(drawn.get("diagnostics", "")),
        *(films(run.folder, "" if one else run.label) for run in runs),
        *(_recipe(run, alone=one is not None) for run in runs),
        _footer(runs),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(words.title(runs))}</title>\n<style>{CSS}</style>\n</head>\n"
        "<body>\n<main>\n"
        + "\n".join(part for part in body if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def _caption(runs: Sequence[LoadedRun]) -> str:
    robot = _ROBOT if any(run.physical for run in runs) else ""
    return robot if len(runs) == 1 else f"{_BANDS} {robot}".strip()


def _stories(runs: Sequence[LoadedRun]) -> str:
    return "".join(
        f"<p><b>{escape(run.label)}</b> ({escape(words.subtitle(run))}). "
        f"{escape(words.story(run))}</p>"
        for run in runs
    )


def _tiles(run: LoadedRun) -> str:
    if not run.summaries:
        return ""
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(note)}</small></dd></div>"
        for name, value, note in words.tiles(run)
    )
    return f'<dl class="tiles">{cells}</dl>'


def _warnings(run: LoadedRun, alone: bool) -> str:
    who = "" if alone else f"<b>{escape(run.label)}</b>: "
    lines = "".join(f"<li>{who}{escape(text)}</li>" for text in run.warnings)
    return f'<ul class="warnings">{lines}</ul>' if lines else ""


def _figure(drawing: str | None, otherwise: str, caption: str = "") -> str:
    if drawing is None:
        return f'<p class="empty">{escape(otherwise)}</p>'
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><div class="wide">{drawing}</div>{below}</figure>'


def _guide(drawing: str) -> str:
    lines = "".join(
        f"<li><b>{escape(title)}</b>: {escape(text)}</li>"
        for title, text in GUIDE.items()
        if f">{title}</text>" in drawing
    )
    return f'<ul class="guide">{lines}</ul>' if lines else ""


def _seed_table(run: LoadedRun) -> str:
    if not run.summaries:
        return ""
    lines = rows(run.summaries)
    marks = [""] * len(run.summaries) + ["mean"]
    body = "".join(
        f'<tr class="{mark}">' + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>"
        for line, mark in zip(lines, marks[: len(lines)], strict=True)
    )
    return (
        _table(COLUMNS, body) + '<p class="muted">Scores are those of the task. "Dip" is how far '
        'the lowest evaluation lies below the score before; "beyond noise" is the part of it below '
        'anything the unchanged pre-trained policy scored on the same schedule; "back after" is '
        "the first evaluation after the fall that is at or above the score before."
        + (f" {CARRIED_BELOW}" if run.overall["carried"] else "")
        + "</p>"
    )


def _comparison(runs: Sequence[LoadedRun]) -> str:
    heads, lines = words.comparison(runs)
    body = ""
    for index, line in enumerate(lines):
        chip = f'<i style="background:var(--c{index % len(COLORS)})"></i>'
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in line[1:])
        body += f"<tr><td>{chip}{escape(line[0])}</td>{cells}</tr>"
    beats = (
        '; "beats" is the chance that a random seed of this run ends above one of the first run'
        if len(heads) > len(words.COMPARED)
        else ""
    )
    return (
        _table(heads, body) + '<p class="muted">Before, after and lowest are means of the seeds. '
        f"The final score is the interquartile mean with its 95 % bootstrap interval{beats} "
        "(Agarwal et al., 2021).</p>"
    )


def _table(heads: Sequence[str], body: str) -> str:
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    return (
        f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _recipe(run: LoadedRun, alone: bool) -> str:
    answers = "".join(
        f"<dt>{escape(str(question))}</dt><dd>{escape(str(answer))}</dd>"
        for question, answer in run.facts.get("describe") or ()
    )
    parts = [f"<h2>{'The recipe' if alone else escape(f'The recipe of {run.label}')}</h2>"]
    if answers:
        parts.append(f'<dl class="answers">{answers}</dl>')
    if crossed := run.facts.get("handover"):
        cells = "".join(
            "<tr>"
            + "".join(f"<td>{escape(str(row[key]))}</td>" for key in CROSSED if key in row)
            + "</tr>"
            for row in crossed
        )
        parts.append("<h3>What crosses at the switch</h3>" + _table(CROSSED, cells))
    if command := run.facts.get("command"):
        parts.append(f'<p class="muted">To repeat it:</p><pre>{escape(str(command))}</pre>')
    if recipe := run.facts.get("recipe"):
        text = escape(json.dumps(recipe, indent=2, ensure_ascii=False))
        parts.append(f"<details><summary>Every number of it</summary><pre>{text}</pre></details>")
    return "\n".join(parts) if len(parts) > 1 else ""


def _footer(runs: Sequence[LoadedRun]) -> str:
    versions: dict[str, set[str]] = {}
    for run in runs:
        for name, version in (run.facts.get("versions") or {}).items():
            versions.setdefault(str(name), set()).add(str(version))
    said = ", ".join(f"{name} {' / '.join(sorted(found))}" for name, found in versions.items())
    wall = max((r["wall"] for run in runs for r in run.records), default=0.0)
    time = f"Wall time {_duration(wall)}." if wall else ""
    created = sorted(str(run.facts["created"])[:10] for run in runs if run.facts.get("created"))
    when = f"Started on {created[0]}." if created else ""
    text = f"{when} {time} {said + '.' if said else ''}".strip()
    return f"<footer>{escape(text)}</footer>" if text else ""


def _duration(seconds: float) -> str:
    hours, minutes = int(seconds // 3600), int(seconds % 3600 // 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {int(seconds % 60)} s" if minutes else f"{seconds:.0f} s"
