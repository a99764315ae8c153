"""The page of a study: one HTML file that needs nothing else, made from results alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from warmstart.files.durable import make_folder, write_atomic
from warmstart.files.render import png, svg
from warmstart.reports.style import CSS
from warmstart.studies.arm_tables import HEADS, rows
from warmstart.studies.claims import carried
from warmstart.studies.curves import curves
from warmstart.studies.evidence import Evidence, gather, with_ranges
from warmstart.studies.fingerprint import numerics
from warmstart.studies.judge import Verdict, judge
from warmstart.studies.leaf import Unit
from warmstart.studies.store import Store
from warmstart.studies.study import Study
from warmstart.studies.verdicts import effects


def write_page(study: Study, results: Path | str, out: Path | str | None = None) -> Path:
    """Write the page of a study's results.

    Args:
        out: the HTML file, or a folder, which receives `NAME.html`; None: `studies/`.

    Raises:
        RunError: the file cannot be written.
    """
    store = Store(results)
    _, said = store.read(study.name)
    everywhere, more = with_ranges(store.read()[0])  # other studies know ranges of its tasks
    evidence = gather([r for r in everywhere if r.study == study.name], numerics())
    out = Path("studies") if out is None else Path(out)
    page = out if out.suffix in (".html", ".htm") else out / f"{study.name}.html"
    make_folder(page.parent, "write the report again")
    html = html_of(study, evidence, [*said, *more]).encode()
    write_atomic(page, lambda file: file.write(html), "write the report again")
    return page


def html_of(study: Study, evidence: Evidence, said: Sequence[str] = ()) -> str:
    """The page's text."""
    units = evidence.units
    judged = [judge(claim, evidence) for claim in carried(study.name)]
    seeds = {seed for each in units.values() for seed in each}
    body = [
        "<header>",
        '<p class="eyebrow">warmstart: a study</p>',
        f"<h1>{escape(study.name)}</h1>",
        f'<p class="lead">{escape(study.about)}</p>',
        f'<p class="muted">{len(study.arms)} arms, {len(units)} tasks, {len(seeds)} seeds so far'
        "</p>",
        "</header>",
        "<h2>Curves</h2>",
        drawing(units, study.everything),
        "<h2>Before and after</h2>",
        *(arm_table(task, {task: each}, study.everything) for task, each in units.items()),
        '<p class="muted">Interquartile means over seeds. "Before" is the score at the end of '
        'pre-training, "dip" how far the lowest of the first 20,000 steps lies below it, "beyond '
        'noise" what of it lies below anything the frozen policy scored on the same schedule; '
        "areas are mean heights of the curve.</p>",
        "<h2>Claims</h2>" if judged else "",
        claim_table(judged) if judged else "",
        notes([*said, *evidence.said]),
    ]
    return document(f"Study {study.name}", body)


def document(title: str, body: Iterable[str]) -> str:
    """A page in the style of the report."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in body if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def drawing(units: Mapping[str, Mapping[int, Unit]], arms: Sequence[str]) -> str:
    """The curves as inline SVG."""
    figure = curves(units, arms)
    if figure is None:
        return '<p class="empty">The curves appear with the first result.</p>'
    png(figure)  # finds the layout's places
    return (
        f'<figure><div class="wide">{svg(figure, "curves", "Scores of the arms by steps")}</div>'
        "<figcaption>Means over seeds. Bands: 95 % bootstrap interval, from three seeds on. "
        "Dotted: the frozen pre-trained policy.</figcaption></figure>"
    )


def arm_table(task: str, units: Mapping[str, Mapping[int, Unit]], arms: Sequence[str]) -> str:
    """The arms of one task."""
    lines = [row.cells() for row in rows(units, arms)]
    return f"<h3>{escape(task)}</h3>" + table(HEADS, lines) if lines else ""


def claim_table(judged: Sequence[Verdict]) -> str:
    """The claims with their verdicts, and what would have refuted each."""
    lines = [
        [
            v.claim.id + ("*" if v.claim.headline else ""), v.claim.text, v.outcome,
            effects(v).replace("\n", "; ") or "–", str(v.seeds) if v.tasks else "–",
            ", ".join(t.task for t in v.tasks) or v.reason, v.claim.refuted,
        ]
        for v in judged
    ]  # fmt: skip
    heads = ("claim", "", "verdict", "effect", "seeds", "tasks", "what would have refuted it")
    return (
        table(heads, lines, words=True) + '<p class="muted">* headline. Effects with their 95 % '
        "intervals; of several tasks in their order.</p>"
    )


def table(heads: Sequence[str], lines: Sequence[Sequence[str]], words: bool = False) -> str:
    """An HTML table; `words`: cells may wrap."""
    style = ' style="white-space: normal; text-align: left"' if words else ""
    top = "".join(f'<th scope="col"{style}>{escape(head)}</th>' for head in heads)
    body = "".join(
        "<tr>" + "".join(f"<td{style}>{escape(cell)}</td>" for cell in line) + "</tr>"
        for line in lines
    )
    return (
        f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def notes(said: Sequence[str]) -> str:
    """What was left out, and why."""
    if not said:
        return ""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in said)
    return f'<h2>Left out</h2><ul class="guide">{items}</ul>'
