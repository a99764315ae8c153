"""Results on disk: whole or passed over with a sentence; and the numbers read from them."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest
from made_results import result

from warmstart.errors import RunError
from warmstart.files.machine import instruction_set
from warmstart.studies.fingerprint import NUMERICS, numerics
from warmstart.studies.measures import MEASURES, area, at, smallest
from warmstart.studies.result import Result
from warmstart.studies.store import Store


def test_a_result_comes_back_equal_and_is_written_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one = result(diagnose={"q_online": ((0, 1.0), (250, 2.0))}, versions={"jax": "1"})
    assert store.add(one) == store.add(one)
    store.add(dataclasses.replace(one, task="a task/of mine"))
    found, said = store.read("wsrl")
    assert one in found and len(found) == 2 and not said
    assert store.read("else") == ([], [])


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda text: text[: len(text) // 2], "damaged"),
        (lambda text: "", "damaged"),
        (lambda text: "[1]", "no object"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "format 2"),
        (lambda text: text.replace('"seed"', '"sead"'), "seed"),
        (lambda text: text.replace('"steps": 50000', '"steps": "many"'), "no count"),
        (lambda text: text.replace("60.0", "NaN", 1), "no finite number"),
        (lambda text: text.replace("250", "0", 1), "do not grow"),
        (lambda text: text.replace('"steps": 50000', '"steps": 60000'), "ends at 50,000 of 60,000"),
    ],
)
def test_a_harmed_file_is_left_out_with_a_sentence(tmp_path: Path, harm, says: str) -> None:
    store = Store(tmp_path)
    store.add(result(seed=1))
    path = store.add(result(seed=2))
    path.write_text(harm(path.read_text()))
    found, said = store.read()
    assert [r.seed for r in found] == [1]
    assert len(said) == 1 and str(path) in said[0] and says in said[0] and "left out" in said[0]


def test_a_result_in_another_studys_folder_is_left_out(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.add(result(study="td3-parts"))
    (tmp_path / "td3").mkdir()
    moved = path.rename(tmp_path / "td3" / path.name)
    for study in (None, "td3"):
        found, said = store.read(study)
        assert not found and f"'{moved}' is of study td3-parts: move it" in said[0]


def test_a_result_of_wrong_types_is_none() -> None:
    content = json.loads(json.dumps(result().to_json()))
    for key, value in (
        ("arm", 3),
        ("success", 1),
        ("before", "60"),
        ("curve", [[0]]),
        ("created", None),
        ("seconds", "long"),
        ("versions", None),
    ):
        with pytest.raises(RunError, match="is no result"):
            Result.from_json({**content, key: value}, "here")


def test_numbers_of_a_curve() -> None:
    points = ((0, 0.0), (10, 10.0), (30, 10.0))
    assert area(points) == pytest.approx((50 + 200) / 30)
    assert area(points, 20) == pytest.approx((50 + 100) / 20)
    assert area(points, 40) is None and area(points[1:]) is None and area(()) is None
    assert at(points, 5) == 5.0 and at(points, 31) is None


def _say(name: str, **fields) -> float | None:
    r = result(**fields)
    return MEASURES[name].of(r, r.frozen)


def test_measures() -> None:
    fallen = (60, 20, 70, 70, 70, 10)
    assert _say("dip", scores=fallen) == 40.0  # the fall at 50,000 steps is no dip
    assert _say("gain", scores=fallen) == -50.0 and _say("loss", scores=fallen) == 50.0
    assert _say("recovered", scores=fallen) == 1.0
    assert _say("recovered", scores=(60, 1, 1, 1, 1, 1)) == 0.0
    assert _say("recovered", scores=(60, 1, 1, 1, 1, 1), pretraining=None) is None
    assert _say("score at 5,000", scores=fallen) == 70.0
    assert _say("steps to 80", scores=fallen) == math.log(100_000)
    assert _say("steps to 50", scores=(0, 0, 0, 60, 60, 60)) == math.log(5_000)
    td = {"td_offline": ((0, 2.0), (250, 8.0)), "td_online": ((0, 1.0), (250, 2.0))}
    assert _say("peak offline TD error", diagnose=td) == math.log(8)
    assert _say("growth of offline over online TD error", diagnose=td) == pytest.approx(math.log(2))
    q = {
        "q_online": ((0, -5.0), (250, -9.0), (1_000, -4.0)),
        "q_minus_return": ((0, 2.0), (250, -4.0), (20_000, 1.0)),
        "q_minus_return_unfamiliar": ((0, 3.0), (250, 5.0)),
    }
    known = {"diagnose": q, "value_range": 10.0, "scores": (60, 60, 20, 60, 60, 60)}
    assert _say("fall of Q", **known) == 0.4
    assert _say("loss when Q is back", **known) == 40.0
    assert _say("bias at the switch", **known) == 0.2
    assert _say("size of the early bias", **known) == 0.4
    assert _say("last bias", **known) == 0.1
    assert _say("unfamiliar bias at the switch", **known) == 0.4
    assert _say("early unfamiliar bias", **known) == 0.5
    assert _say("fall of Q", diagnose=q) is None  # of an unknown range
    assert smallest("score", True) == 10.0 and smallest("score", False) == 5.0


def test_every_measure_says_nothing_of_an_empty_result() -> None:
    empty = dataclasses.replace(result(pretraining=None), curve=(), before=None, frozen=(), steps=0)
    for name, measure in MEASURES.items():
        if name != "seconds":
            assert measure.of(empty, ()) is None, name


def test_the_instruction_set_is_the_processors_or_what_xla_is_held_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpu = tmp_path / "cpuinfo"
    cpu.write_text("processor: 0\nflags\t\t: fpu avx avx2 avx512f fma\n")
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    assert instruction_set(cpu) == "AVX512"
    monkeypatch.setenv("XLA_FLAGS", "--other --xla_cpu_max_isa=AVX")
    assert instruction_set(cpu) == "AVX"
    cpu.write_text("flags : avx\n")
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_max_isa=AVX2")
    assert instruction_set(cpu) == "AVX"
    assert instruction_set(tmp_path / "gone")
    assert numerics().startswith(f"{NUMERICS}-") and numerics() == numerics()
