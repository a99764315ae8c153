from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from warmstart.runs.records import MetricWriter, Record, carried_over, read
from warmstart.runs.summary import (
    NOT_RECOVERED,
    overall,
    rows,
    summarise,
    table,
    warnings,
    write_summary,
)
from warmstart.tasks import Floor


def line(tag: str, steps: int, score: float | None, seed: int = 0, wall: float = 1.0) -> Record:
    return {
        "kind": "eval",
        "seed": seed,
        "phase": "pretrain" if tag == "pretrained" else "online",
        "stage": 0,
        "updates": steps,
        "env_steps": steps,
        "wall": wall,
        "tag": tag,
        "values": {"score": score},
    }


def course(before: float, scores: list[float], seed: int = 0) -> list[Record]:
    """Before, right after the switch, then one evaluation every 10 steps; the last is final."""
    tags = ["switch", *["curve"] * (len(scores) - 2), "final"]
    return [
        line("pretrained", 0, before, seed),
        *(
            line(tag, 10 * i, score, seed)
            for i, (tag, score) in enumerate(zip(tags, scores, strict=True))
        ),
    ]


def test_a_dip_and_its_recovery() -> None:
    [s] = summarise(course(60.0, [58.0, 20.0, 45.0, 61.0, 90.0]), peak_memory_mb=512.0)
    assert (s.score_before, s.score_after, s.score_min, s.score_final) == (60.0, 58.0, 20.0, 90.0)
    assert (s.dip, s.min_at, s.steps_to_recover, s.recovered) == (40.0, 10, 30, True)
    assert (s.finished, s.wall_seconds, s.peak_memory_mb) == (True, 1.0, 512.0)
    assert s.noise_floor is None and s.dip_beyond_noise is None


def test_a_score_that_was_carried_over_counts_and_is_marked() -> None:
    own = [course(60.0, [58.0, 20.0, 61.0], seed) for seed in (0, 1)]
    taken = [
        {**record, "carried": "runs/before"} if record["tag"] == "pretrained" else record
        for record in own[1]
    ]
    first, second = summarise([*own[0], *taken])
    assert (first.carried, second.carried) == (False, True)
    same = ("score_before", "score_min", "dip", "steps_to_recover", "recovered")
    assert all(getattr(first, name) == getattr(second, name) for name in same)
    assert overall([second])["carried"] and not overall([first])["carried"]
    assert [row[1] for row in rows([first, second])] == ["60.0", "60.0 (carried)", "60.0 (carried)"]


def test_the_score_that_is_carried_over_is_the_last_of_each_seed(tmp_path: Path) -> None:
    with MetricWriter(tmp_path) as recorder:
        for seed, tag, score in ((0, "pretrained", 1.0), (1, "pretrained", 2.0), (2, "curve", 9.0)):
            recorder.write("eval", seed, "pretrain", 0, 7, 0, 0.0, {"score": score}, tag=tag)
        recorder.write("eval", 0, "pretrain", 1, 9, 0, 0.0, {"score": 3.0}, tag="pretrained")
        recorder.write("eval", 0, "online", 0, 9, 5, 0.0, {"score": 4.0}, tag="final")
    found = carried_over(tmp_path, (2, 1, 0))
    assert [(r["seed"], r["updates"], r["values"]["score"]) for r in found] == [
        (1, 7, 2.0),
        (0, 9, 3.0),
    ]


def test_where_nothing_was_learnt_nothing_fell() -> None:
    """Every online step was warm-up: an unchanged policy scores by chance, and does not dip."""
    lines = [{**one, "updates": 0} for one in course(60.0, [58.0, 20.0, 61.0])]
    [s] = summarise(lines)
    assert (s.score_before, s.score_min, s.score_final, s.finished) == (60.0, 20.0, 61.0, True)
    assert (s.learnt, s.dip, s.recovered, s.steps_to_recover) == (False, None, None, None)
    assert [cell for cell in rows([s])[0] if cell == "–"] == ["–"] * 3
    assert (overall([s])["dip"], overall([s])["asked"], overall([s])["learnt"]) == (None, 0, 0)
    [s] = summarise(course(60.0, [58.0, 20.0, 61.0]))
    assert (s.learnt, s.dip) == (True, 40.0)


def test_warnings_are_told_once_with_their_seeds() -> None:
    def warning(name: str, text: str, seed: int | None) -> Record:
        return {**line("curve", 1, 1.0), "kind": "warning", "seed": seed,
                "values": {"name": name, "text": text}}  # fmt: skip

    lines = [warning("scales", "wide", None), warning("gap", "9", 2), warning("gap", "8", 0)]
    assert warnings(lines) == ["wide", "seeds 0, 2: 9"]
    assert warnings(lines[:2]) == ["wide", "9"]
    assert warnings([*lines[:2], line("curve", 1, 1.0, seed=5)])[1] == "seed 2: 9"


def test_never_fell_and_never_came_back() -> None:
    [rose] = summarise(course(60.0, [60.0, 70.0, 90.0]))
    assert (rose.dip, rose.steps_to_recover, rose.recovered) == (0.0, 0, True)
    [lost] = summarise(course(60.0, [60.0, 10.0, 59.9]))
    assert (lost.dip, lost.steps_to_recover, lost.recovered) == (50.0, None, False)
    assert NOT_RECOVERED in rows([lost])[0]
    assert "never fell" in rows([rose])[0]


def test_a_fall_after_the_recovery_is_named() -> None:
    [s] = summarise(course(60.0, [50.0, 20.0, 61.0, 40.0, 70.0]))
    assert (s.steps_to_recover, s.min_at, s.fell_again) == (20, 10, True)
    assert "20 steps, fell again" in rows([s])[0]
    assert not summarise(course(60.0, [50.0, 20.0, 61.0, 41.0, 70.0]))[0].fell_again
    [late] = summarise(course(60.0, [0.0, 100.0, 100.0, 0.0, 50.0]))
    assert (late.steps_to_recover, late.fell_again, late.recovered) == (10, True, True)


def test_a_good_score_before_the_fall_is_no_recovery() -> None:
    """A policy that is unchanged during the warm-up may score above itself before it falls."""
    [s] = summarise(course(60.0, [50.0, 61.0, 20.0, 40.0, 70.0]))
    assert (s.steps_to_recover, s.min_at, s.recovered) == (40, 20, True)
    [lost] = summarise(course(60.0, [50.0, 61.0, 20.0, 40.0]))
    assert (lost.steps_to_recover, lost.recovered) == (None, False)


def test_what_an_unchanged_policy_scores_by_chance_is_no_fall() -> None:
    scatter = course(60.0, [60.0, 45.0, 58.0, 52.0])
    [s] = summarise([*scatter, line("frozen", 0, 60.0), line("frozen", 10, 45.0)])
    assert (s.dip, s.dip_beyond_noise, s.steps_to_recover, s.recovered) == (15.0, 0.0, 0, True)
    [s] = summarise([*scatter, line("frozen", 0, 60.0), line("frozen", 10, 55.0)])
    assert (s.dip_beyond_noise, s.steps_to_recover, s.recovered) == (10.0, None, False)


def test_looks_at_one_step_are_in_the_order_of_time() -> None:
    twice = course(60.0, [50.0, 20.0, 40.0])
    [up] = summarise([*twice[:-1], line("curve", 20, 10.0), line("final", 20, 61.0)])
    assert (up.min_at, up.steps_to_recover, up.score_final) == (20, 20, 61.0)
    [down] = summarise([*twice[:-1], line("curve", 20, 61.0), line("final", 20, 10.0)])
    assert (down.steps_to_recover, down.fell_again, down.score_final) == (20, True, 10.0)
    [nan] = summarise(course(60.0, [float("nan"), 50.0, 61.0]))
    assert (nan.score_min, nan.steps_to_recover) == (50.0, 20)


def test_the_evaluation_at_the_switch_is_no_recovery() -> None:
    [s] = summarise(course(60.0, [65.0, 20.0, 60.0]))
    assert s.steps_to_recover == 20


def test_only_what_lies_below_the_frozen_policy_counts_beyond_noise() -> None:
    dipped = course(60.0, [60.0, 50.0, 70.0])
    quiet = [line("frozen", 0, 61.0), line("frozen", 10, 58.0)]
    loud = [line("frozen", 0, 61.0), line("frozen", 10, 49.0)]
    lucky = [line("frozen", 0, 80.0)]
    assert [
        (s.noise_floor, s.dip_beyond_noise)
        for noise in (quiet, loud, lucky)
        for s in summarise(dipped + noise)
    ] == [(58.0, 8.0), (49.0, 0.0), (60.0, 10.0)]


def test_runs_that_are_not_there_yet() -> None:
    assert summarise([]) == []
    [offline] = summarise([line("pretrained", 0, 60.0)])
    assert (offline.score_before, offline.score_min, offline.dip) == (60.0, None, None)
    [running] = summarise(course(60.0, [60.0, 20.0, 30.0])[:-1])
    assert (running.score_final, running.finished) == (20.0, False)
    assert "20.0 so far" in rows([running])[0]
    [scratch] = summarise(course(60.0, [1.0, 5.0, 9.0])[1:])
    assert (scratch.score_before, scratch.dip, scratch.recovered) == (None, None, None)
    [gap] = summarise([*course(60.0, [60.0, 70.0, 80.0]), line("curve", 15, None)])
    assert gap.score_min == 60.0, "an evaluation without a number is left out"


def test_the_seeds_together() -> None:
    quick = course(60.0, [60.0, 50.0, 70.0, 80.0])
    slow = course(60.0, [60.0, 40.0, 50.0, 60.0], seed=1)
    never = course(60.0, [60.0, 30.0, 30.0, 40.0], seed=2)
    all_ = overall(summarise(quick + slow + never))
    assert (all_["score_final"], all_["dip"], all_["recovered"], all_["asked"]) == (
        60.0,
        20.0,
        2,
        3,
    )
    assert all_["steps_to_recover"] == 30, "the median seed"
    assert overall(summarise(quick + never))["steps_to_recover"] is None
    assert overall([])["score_before"] is None


@given(st.lists(st.floats(0, 100), min_size=2, max_size=9), st.floats(0, 100))
def test_laws_of_the_numbers(scores: list[float], before: float) -> None:
    [s] = summarise(course(before, scores))
    assert s.score_min == min(scores) and s.dip == max(0.0, before - min(scores))
    line = (before + min(scores)) / 2
    if line >= before:
        assert s.recovered and s.steps_to_recover == 0
        return
    fell = next(i for i, score in enumerate(scores) if score <= line)
    assert s.recovered == (max(scores[fell:]) >= before)
    if s.recovered:
        at = (s.steps_to_recover or 0) // 10
        assert at > fell and scores[at] >= before
        assert max(scores[fell:at]) < before
        assert s.fell_again == (min(scores[at:]) <= line)


def test_json_and_terminal(make_run, tmp_path: Path) -> None:
    summaries = summarise(read(make_run(seeds=3)))
    floor = Floor(3.0, 1.0, "constant", (0.5, -1.0), 100, False)
    assert json.loads(write_summary(tmp_path, summaries).read_text())["floor"] is None
    path = write_summary(tmp_path, summaries, floor)
    content = json.loads(path.read_text())
    assert content["floor"]["score"] == 3.0 and content["floor"]["action"] == [0.5, -1.0]
    assert content["floor"]["policy"] == "the constant action (0.5, -1)"
    assert [s["seed"] for s in content["seeds"]] == [0, 1, 2]
    assert content["overall"]["score_final"] == pytest.approx(
        sum(s.score_final or 0.0 for s in summaries) / 3
    )
    console = Console(width=120, file=StringIO())
    console.print(table(summaries, floor))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "floor 3.0, by the constant action (0.5, -1)" in text
    assert "What the switch did" in text and "mean" in text and "3 of 3 seeds" in text
