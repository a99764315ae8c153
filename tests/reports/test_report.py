from __future__ import annotations

import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from pace import unit
from PIL import Image

from warmstart.errors import RunError
from warmstart.files.render import PALETTE
from warmstart.reports.axis import LEFT, MOST_POINTS, SwitchAxis, gather, short
from warmstart.reports.figures import curve_figure, diagnostics_figure
from warmstart.reports.page import write_report
from warmstart.reports.run import known_floor, load_runs
from warmstart.reports.sentences import story
from warmstart.reports.style import DARK
from warmstart.runs.records import MetricWriter
from warmstart.tasks import Floor, floor_of, get_task


class Reader(HTMLParser):
    """Checks that tags close in order, and keeps what a test asks for."""

    EMPTY = frozenset({"meta", "img"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.alts: list[str] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs) -> None:
        if tag not in self.EMPTY:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "srcset", "data"):
                self.links.append(value)
            if name in ("alt", "aria-label"):
                self.alts.append(value)

    def handle_startendtag(self, tag: str, attrs) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.EMPTY:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read_page(path: Path) -> Reader:
    return Reader(path.read_text(encoding="utf-8"))


def test_one_run_has_everything_on_one_page(make_run, tmp_path: Path) -> None:
    run = make_run(seeds=5)
    (run / "videos").mkdir()
    (run / "videos" / "before.mp4").write_bytes(b"film")
    Image.new("RGB", (4, 4)).save(run / "videos" / "after.gif")
    before = dict(matplotlib.rcParams)
    page = write_report([run], tmp_path / "out")
    assert page == tmp_path / "out" / "report.html"
    changed = {name for name, value in before.items() if matplotlib.rcParams[name] != value}
    assert changed <= {"backend"}, "a user's own plots look as before"
    for name in ("curve", "diagnostics"):
        with Image.open(page.with_name(f"{name}.png")) as image:
            assert image.width > 1000
    shown = read_page(page)
    for words in (
        "wsrl on pointmaze/medium",
        "5 seeds, finished",
        "the switch",
        "handover",
        "5 of 5 seeds",
        "optimiser moments fresh",
        "jax 0.10.2",
        "Started on 2025-03-14.",
        '"updates": 4',
        "bound of Cal-QL",
    ):
        assert words in shown.text, words
    assert len(shown.ids) == len(set(shown.ids)), "the figures' ids do not clash"
    assert any("Learning curve across the switch" in alt for alt in shown.alts)
    assert any(link.startswith("data:video/mp4;base64,") for link in shown.links)
    assert any(link.startswith("data:image/gif;base64,") for link in shown.links)


def test_the_page_needs_nothing_from_outside(make_run, tmp_path: Path) -> None:
    page = write_report([make_run(), make_run("other", method="cal_ql")], tmp_path / "two.html")
    text = page.read_text()
    outside = {url for url in re.findall(r"https?://[^\s\"'<>)]+", text) if "w3.org" not in url}
    assert not outside
    assert all(link.startswith(("data:", "#")) for link in read_page(page).links)
    assert "<script" not in text and "@import" not in text
    assert not re.search(r"#[0-9a-f]{6}", text.split("</style>")[1]), "colours come from the theme"
    assert set(DARK) == set(PALETTE)


def test_it_can_be_called_at_any_time_during_a_run(make_run, tmp_path: Path) -> None:
    run = make_run()
    pages, seconds = [], []
    for _ in range(2):
        start = time.process_time()
        pages.append(write_report([run], tmp_path).read_bytes())
        seconds.append(time.process_time() - start)
    assert pages[0] == pages[1], "the same lines give the same page"
    assert min(seconds) < 450 * unit()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"pretrain": False, "online": False}, "No evaluation has been recorded yet"),
        ({"online": False}, "The online phase has not been evaluated yet"),
        ({"finished": False, "seeds": 1}, "So far it stands at"),
        ({"pretrain": False, "frozen": False}, "Nothing was pre-trained"),
        ({"diagnose": False, "dip": 0.0, "seeds": 1}, "wsrl on pointmaze/medium"),
    ],
)
def test_pages_of_runs_that_lack_something(make_run, tmp_path: Path, how, words: str) -> None:
    assert words in read_page(write_report([make_run(**how)], tmp_path)).text


def test_a_folder_with_nothing_but_a_torn_line(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"kind":"ev')
    shown = read_page(write_report([tmp_path], tmp_path))
    assert "No evaluation has been recorded yet" in shown.text
    assert "No diagnostics have been recorded yet" in shown.text


def test_foreign_words_are_text_and_not_markup(make_run, tmp_path: Path) -> None:
    run = make_run()
    facts = json.loads((run / "run.json").read_text())
    nasty = "<script>alert('x')</script>\"&"
    facts |= {"method": nasty, "task": nasty, "describe": [[nasty, nasty]], "command": nasty}
    facts |= {"recipe": {"</pre>": nasty}, "versions": {nasty: nasty}, "score_label": nasty}
    (run / "run.json").write_text(json.dumps(facts))
    page = write_report([run], tmp_path)
    assert "<script" not in page.read_text()
    assert nasty in read_page(page).text


def test_several_runs_are_set_side_by_side(make_run, tmp_path: Path) -> None:
    runs = [make_run("a", seeds=5), make_run("b", seeds=5, dip=5.0), make_run("c", method="rlpd")]
    shown = read_page(write_report(runs, tmp_path))
    expected = ("3 runs on pointmaze/medium", "wsrl (a)", "wsrl (b)", "rlpd", "beats wsrl (a)")
    for words in (*expected, "final (IQM)"):
        assert words in shown.text, words


def test_runs_of_different_tasks_are_not_ranked(make_run, tmp_path: Path) -> None:
    runs = [make_run("a"), make_run("b")]
    facts = json.loads((runs[1] / "run.json").read_text()) | {"task": "antmaze/large"}
    (runs[1] / "run.json").write_text(json.dumps(facts))
    text = read_page(write_report(runs, tmp_path)).text
    assert "wsrl, antmaze/large" in text and "beats" not in text


def test_no_run_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="at least one run folder"):
        write_report([], tmp_path)
    with pytest.raises(RunError, match="no run folder"):
        write_report([tmp_path / "nowhere"], tmp_path)


def test_the_axis_runs_across_the_switch() -> None:
    axis = SwitchAxis(offline=100, online=1000)
    place = [("pretrain", 0, -LEFT), ("pretrain", 100, 0.0), ("online", 100, 0.0)]
    for phase, updates, x in place:
        assert axis.at({"phase": phase, "updates": updates, "env_steps": 0}) == x
    assert axis.at({"phase": "online", "updates": 0, "env_steps": 1000}) == 1.0
    xs = [x for x, _ in axis.ticks()]
    assert xs == sorted(xs) and len(set(xs)) == len(xs)
    assert [short(n) for n in (0, 500, 20_000, 1_500_000)] == ["0", "500", "20k", "1.5M"]


def test_curves_hold_the_recorded_numbers(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with MetricWriter(tmp_path) as out:
        for seed in (0, 1):
            for step in (0, 10, 20):
                score = None if (seed, step) == (1, 10) else float(step + seed)
                out.write("eval", seed, "online", 0, 0, step, 0.0, {"score": score}, tag="curve")
            out.write("eval", seed, "online", 0, 0, 20, 0.0, {"score": 50.0 + seed}, tag="final")
    [run] = load_runs([tmp_path])
    lines = gather(run, SwitchAxis(0, 20), "score", "online", ("eval",), ("curve", "final"))
    assert lines is not None
    np.testing.assert_array_equal(lines.x, [0, 0.5, 1])
    np.testing.assert_array_equal(lines.y, [[0, 10, 50], [1, np.nan, 51]])
    np.testing.assert_array_equal(lines.mean, [0.5, 10, 50.5])


def test_long_lines_are_averaged_in_groups(tmp_path: Path) -> None:
    with MetricWriter(tmp_path) as out:
        for step in range(2 * MOST_POINTS):
            out.write("train", 0, "online", 0, 0, step, 0.0, {"bound_rate": float(step)})
    [run] = load_runs([tmp_path])
    axis = SwitchAxis(0, 2 * MOST_POINTS)
    lines = gather(run, axis, "bound_rate", "online", ("train",))
    assert lines is not None and lines.x.shape == (MOST_POINTS,)
    np.testing.assert_allclose(lines.y[0], 2 * np.arange(MOST_POINTS) + 0.5)
    np.testing.assert_allclose(lines.x * axis.online, lines.y[0])


def test_what_the_figures_show(make_run) -> None:
    [run] = load_runs([make_run(seeds=3)])
    curve, grid = curve_figure([run]), diagnostics_figure([run])
    assert curve is not None and grid is not None
    legend = curve.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "mean", "single seeds", "95 % interval", "score before", "frozen policy", "warm-up",
    ]  # fmt: skip
    titles = [axes.get_title(loc="left") for axes in grid.axes]
    assert titles[0] == "Mean Q" and titles[-1] == "Bound rate" and len(titles) == 6
    assert grid.axes[1].get_yscale() == "log"


def test_the_floor_is_drawn_named_and_said(make_run, monkeypatch) -> None:
    high = Floor(70.0, 2.0, "constant", (1.0, -1.0), 100, True)
    low = Floor(3.0, 1.0, "uniform", None, 100, False)
    folder = make_run("a", seeds=2)
    [bare] = load_runs([folder])
    assert bare.floor is None and "floor" not in story(bare)
    for floor, words in ((high, "Before the switch all 2 seeds scored no better"), (low, None)):
        monkeypatch.setattr("warmstart.reports.run.known_floor", lambda facts, f=floor: f)
        [run] = load_runs([folder])
        assert (words in story(run)) if words else ("floor" not in story(run))
        axes = curve_figure([run]).axes[0]
        name = f"floor ({floor.score:.1f})"
        [line] = [line for line in axes.get_lines() if line.get_label() == name]
        assert set(line.get_ydata()) == {floor.score}
        assert [text.get_text() for text in axes.get_legend().get_texts()][-2] == name
    page = write_report([folder], folder).read_text()
    assert "floor (3.0)" in page
    runs = load_runs([folder, make_run("b", method="iql")])
    assert any(str(line.get_label()) == name for line in curve_figure(runs).axes[0].get_lines())


def test_a_run_knows_the_floor_of_the_task_that_it_tells_of() -> None:
    facts = {"task_facts": json.loads(get_task("pointmaze-large").to_json())}
    assert known_floor(facts) == floor_of(get_task("pointmaze-large")) is not None
    assert known_floor({}) is None and known_floor({"task_facts": {"name": "x"}}) is None
    facts["task_facts"]["start_cells"] = []  # a run from before the mazes had their starts
    assert known_floor(facts) is None


def test_the_story_of_a_run(make_run) -> None:
    [dipped] = load_runs([make_run("a", seeds=1)])
    told = story(dipped)
    assert "points below anything the unchanged policy scored" in told
    assert re.search(r"back at its former score after [\d,]+ steps", told)
    assert dipped.status == "finished"
    [smooth] = load_runs([make_run("b", seeds=1, dip=-20.0)])
    assert "No evaluation online fell below the score before" in story(smooth)
