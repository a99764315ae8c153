"""Units of work: what they hold, what they skip, what a failure costs. No run learns here."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from made_results import result
from made_runs import STUDY, Runs, planned

from warmstart.errors import RecipeError, RunError
from warmstart.files.durable import write_json_atomic
from warmstart.runs.folder import RunLock, create_run, finish_run
from warmstart.studies import child
from warmstart.studies.fingerprint import numerics
from warmstart.studies.store import Store
from warmstart.studies.study import Arm, Pretraining
from warmstart.studies.work import Work, plan
from warmstart.studies.worker import OUTCOME, STOPPED, Stopped, run_unit


def test_a_unit_holds_its_runs_in_an_order_that_works(tmp_path: Path) -> None:
    work = planned(tmp_path)
    assert [s.arm for s in work.steps] == ["pre", "kept", "free", "alone"]
    assert [s.arm for s in planned(tmp_path, "kept").steps] == ["pre", "kept"]
    assert [s.arm for s in planned(tmp_path, "alone").steps] == ["alone"]
    assert [s.arm for s in planned(tmp_path, "pre").steps] == ["pre"]
    assert Work.from_json(work.to_json()) == work
    assert work.schedule["online_every"] == STUDY.steps  # none lies beyond the end
    assert work.schedule["episodes"] == 20 and work.protocol == planned(tmp_path).protocol
    longer = plan(dataclasses.replace(STUDY, steps=400), "jax-pointmass", 0, runs="r", results="s")
    assert longer.protocol != work.protocol
    assert longer.steps[0].declared == work.steps[0].declared  # the pre-training is the same
    odd = dataclasses.replace(STUDY, arms={"kept": Arm("td3_bc", "pre", preset="quik")})
    with pytest.raises(RecipeError, match="quick"):
        plan(odd, "jax-pointmass", 0, runs="r", results="s")
    odd = dataclasses.replace(STUDY, schedule={"online_every": 900})
    with pytest.raises(RunError, match="beyond the end"):
        plan(odd, "jax-pointmass", 0, runs="r", results="s")
    odd = dataclasses.replace(STUDY, pretrainings={"pre": Pretraining("td3")})
    with pytest.raises(RunError, match="no pre-training to branch from"):
        plan(odd, "jax-pointmass", 0, runs="r", results="s")


def test_a_whole_unit_and_never_twice(tmp_path: Path) -> None:
    work, runs = planned(tmp_path), Runs()
    outcome = run_unit(work, runs)
    assert runs.began == ["pre", "kept", "free", "alone"] and not outcome["failed"]
    assert runs.frozen == ["kept"]  # one control for each pre-training
    found, said = Store(tmp_path / "results").read("toy")
    assert not said and {r.arm for r in found} == set(runs.began)
    kept = next(r for r in found if r.arm == "kept")
    assert kept.before == 50.0 and kept.curve == ((0, 50.0),) and kept.frozen == ((0, 40.0),)
    assert kept.seconds == 3.0 and kept.numerics == numerics() and kept.pretraining == "pre"
    again = Runs()
    assert run_unit(work, again)["done"] == [] and again.began == []
    (next((tmp_path / "results").rglob("free-*.json"))).unlink()
    assert len(run_unit(work, again)["done"]) == 1 and again.began == []  # its run is there


@pytest.mark.parametrize(
    ("fails", "lost", "says"),
    [
        ({"free": 2}, {"free"}, "it broke"),
        ({"free": -9}, {"free"}, "killed by SIGKILL"),
        ({"pre": 1}, {"pre", "kept", "free"}, "its pre-training pre failed"),
    ],
)
def test_a_failure_costs_what_needs_it(
    tmp_path: Path, fails: dict[str, int], lost: set[str], says: str
) -> None:
    work = planned(tmp_path)
    outcome = run_unit(work, Runs(fails))
    assert set(outcome["failed"]) == lost
    assert any(says in why for why in outcome["failed"].values())
    assert {r["arm"] for r in outcome["done"]} == {"pre", "kept", "free", "alone"} - lost
    assert json.loads((work.folder / OUTCOME).read_text())["failed"] == outcome["failed"]
    fixed = Runs()
    assert not run_unit(work, fixed)["failed"]
    assert set(fixed.began) == lost


def test_the_control_passes_on_to_the_next_arm_where_the_first_fails(tmp_path: Path) -> None:
    runs = Runs({"kept": 2})
    run_unit(planned(tmp_path), runs)
    assert runs.frozen == ["kept", "free"]


def test_a_half_done_run_is_gone_on_with(tmp_path: Path) -> None:
    work = planned(tmp_path, "alone")
    folder = work.folder / work.steps[0].folder
    folder.parent.mkdir(parents=True)
    create_run(folder.parent, folder.name, {"method": "td3", "task": "t"})
    seen = []

    def run(command: list[str], log: Path) -> int:
        seen.append(json.loads(Path(command[-1]).read_text())["folder"])
        finish_run(folder, {"wall_seconds": 1.0})
        return 0

    run_unit(work, run)
    assert seen == [str(folder)]


def test_stopping_ends_the_unit_and_loses_nothing(tmp_path: Path) -> None:
    work = planned(tmp_path)
    with pytest.raises(Stopped):
        run_unit(work, Runs({"free": STOPPED}))
    assert {r.arm for r in Store(tmp_path / "results").read()[0]} == {"pre", "kept"}
    rest = Runs()
    run_unit(work, rest)
    assert rest.began == ["free", "alone"]


def test_a_unit_is_one_processs_and_of_its_own_numerics(tmp_path: Path) -> None:
    work = planned(tmp_path)
    work.folder.mkdir(parents=True)
    with RunLock(work.folder), pytest.raises(RunError, match="is being written by process"):
        run_unit(work, Runs())
    with pytest.raises(RunError, match="planned with numerics other"):
        run_unit(dataclasses.replace(work, numerics="other"), Runs())


def test_results_of_other_numbers_do_not_count_as_done(tmp_path: Path) -> None:
    work = planned(tmp_path, "alone")
    fits = {
        "study": "toy", "task": "jax-pointmass", "declared": work.steps[0].declared,
        "protocol": work.protocol, "numerics": work.numerics,
    }  # fmt: skip
    same = result("alone", pretraining=None, **fits)
    assert work.lacks([same]) == ()  # also of another machine, where that did the whole unit
    for other in ({"declared": "x"}, {"protocol": "x"}, {"numerics": "x"}, {"seed": 3}):
        assert len(work.lacks([dataclasses.replace(same, **other)])) == 1


def test_a_unit_that_another_machine_began_is_done_whole(tmp_path: Path) -> None:
    work = planned(tmp_path)
    fits = {"study": "toy", "task": "jax-pointmass", "protocol": work.protocol}
    theirs = [
        result(s.arm, pretraining=None, declared=s.declared, numerics=work.numerics, **fits)
        for s in work.steps
    ]
    assert work.lacks(theirs, "AVX512") == ()
    assert work.lacks(theirs[:3], "AVX512") == work.steps
    assert [s.arm for s in work.lacks(theirs[:3], "AVX2")] == ["alone"]
    assert [s.arm for s in work.lacks(theirs[1:], "AVX2")] == ["pre"]
    assert [s.arm for s in work.lacks([theirs[0], theirs[3]], "AVX2")] == ["pre", "kept", "free"]


def test_a_file_of_ones_own_reaches_a_worker_that_lacks_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from warmstart.methods import td3\ndef recipe():\n    return td3.recipe('quick')\n"
    )
    study = dataclasses.replace(STUDY, pretrainings={}, arms={"own": Arm(f"{file}:recipe")})
    work = plan(study, "jax-pointmass", 0, runs=tmp_path / "runs", results=tmp_path / "results")
    code = work.steps[0].code
    assert code is not None and work.files[str(file)] == file.read_text()
    file.unlink()
    told = []

    def run(command: list[str], log: Path) -> int:
        told.append(json.loads(Path(command[-1]).read_text()))
        return 2

    run_unit(work, run)
    there = Path(told[0]["method"].rpartition(":")[0])
    assert there != file and there.read_text() == work.files[str(file)]
    assert told[0]["code"] == code
    harmed = dataclasses.replace(work, files={str(file): "pass"})
    assert "did not arrive whole" in run_unit(harmed, run)["failed"]["own"]


def test_a_base_policy_goes_with_its_arm_and_is_the_one_that_was_planned_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "arm.py"
    file.write_text("def policy(obs):\n    return 0 * obs[:2]\n")
    arm = Arm("residual", policy=f"{file}:policy")
    study = dataclasses.replace(STUDY, pretrainings={}, arms={"base": arm})
    where = {"runs": tmp_path / "runs", "results": tmp_path / "results"}
    step = plan(study, "jax-pointmass", 0, **where).steps[0]
    assert step.policy == f"{file}:policy" and len(step.policy_sha256 or "") == 64
    told = []

    def run(command: list[str], log: Path) -> int:
        told.append(json.loads(Path(command[-1]).read_text()))
        return 2

    run_unit(plan(study, "jax-pointmass", 0, **where), run)
    begun: list[str] = []
    monkeypatch.setattr("warmstart.api.run", lambda *_, **given: begun.append(given["policy"]))
    child.do(told[0])
    assert begun == [f"{file}:policy"]
    file.write_text("def policy(obs):\n    return 0 * obs[:2] + 0.1\n")
    with pytest.raises(RunError, match="has changed since the study began"):
        child.do(told[0])
    assert plan(study, "jax-pointmass", 0, **where).steps[0].declared != step.declared
    file.unlink()
    with pytest.raises(RunError, match="is another one here"):
        child.do(told[0])


def test_a_damaged_folder_is_a_sentence(tmp_path: Path) -> None:
    work = planned(tmp_path, "alone")
    folder = work.folder / work.steps[0].folder
    folder.mkdir(parents=True)
    write_json_atomic(folder / "finished.json", {"wall_seconds": 1.0})
    outcome = run_unit(work, Runs())
    assert "not a run folder" in outcome["failed"]["alone"]
