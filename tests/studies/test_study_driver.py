"""Running a study with an executor that only pretends: blocks, retries, stops, progress."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_results import result
from made_runs import STUDY, Here

from warmstart.errors import RunError, TaskError
from warmstart.studies import runner as drive
from warmstart.studies.executors.protocol import make_executor
from warmstart.studies.runner import StudyRunner, StudyStopped, Where
from warmstart.studies.store import Store


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drive, "POLL_SECONDS", 0.0)


def driver(
    folder: Path, here: Here, seeds=(0, 1), arms=(), **more
) -> tuple[StudyRunner, list[str]]:
    said: list[str] = []
    where = Where(folder / "runs", folder / "results")
    made = StudyRunner(STUDY, STUDY.tasks, arms, seeds, where, here, said.append, **more)
    return made, said


def test_every_seed_is_a_unit_and_done_once(tmp_path: Path) -> None:
    here = Here()
    assert driver(tmp_path, here)[0].run() == {}
    assert here.submitted == ["jax-pointmass, seed 0", "jax-pointmass, seed 1"]
    assert len(Store(tmp_path / "results").read()[0]) == 8
    again = Here()
    driver(tmp_path, again)[0].run()
    assert again.submitted == []
    driver(tmp_path, again, seeds=(1, 2))[0].run()
    assert again.submitted == ["jax-pointmass, seed 2"]


def test_without_seeds_the_first_block_is_run(tmp_path: Path) -> None:
    here = Here()
    driver(tmp_path, here, seeds=())[0].run()
    assert len(here.submitted) == 5  # no claim asks for more


def test_a_dead_worker_is_tried_again_and_then_given_up(tmp_path: Path) -> None:
    here = Here(dies=2)
    made, said = driver(tmp_path, here, seeds=(0,))
    assert made.run() == {} and len(here.submitted) == 3
    assert any("its node went away" in line for line in said)
    dead = Here(dies=9)
    made, _ = driver(tmp_path / "other", dead, seeds=(0,))
    assert made.run() == {"jax-pointmass, seed 0": "its node went away"}
    assert len(dead.submitted) == drive.TRIES


def test_a_failing_arm_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    made, said = driver(tmp_path, Here(fails={"free": 2}), seeds=(0, 1))
    failed = made.run()
    assert list(failed) == ["free, jax-pointmass, seed 0", "free, jax-pointmass, seed 1"]
    assert len(Store(tmp_path / "results").read()[0]) == 6
    assert sum("free" in line for line in said) == 2


def test_ctrl_c_and_the_end_of_the_hours_save_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Here()
    made, _ = driver(tmp_path, here)
    monkeypatch.setattr(here, "poll", lambda: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(StudyStopped, match="same command goes on"):
        made.run()
    assert here.cancelled
    late = Here()
    made, _ = driver(tmp_path, late, hours=1e-9)
    with pytest.raises(StudyStopped, match="hours are over"):
        made.run()
    assert late.cancelled


def test_progress_says_how_much_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drive, "SAY_SECONDS", -1.0)
    made, said = driver(tmp_path, Here(dies=1), seeds=(0,))
    made.run()
    assert any("toy: 0 of 4 runs done" in line for line in said)


def test_what_cannot_be_is_refused_before_anything_runs(tmp_path: Path) -> None:
    here = Here()
    with pytest.raises(RunError, match="no arm 'kep'"):
        driver(tmp_path, here, arms=("kep",))[0].run()
    made, _ = driver(tmp_path, here)
    made.tasks = ("jax-pointmas",)
    with pytest.raises(TaskError, match="jax-pointmass"):
        made.run()
    assert here.submitted == []


def test_places_to_work() -> None:
    assert type(make_executor("local", 2)).__name__ == "Local"
    with pytest.raises(RunError, match="leaves nobody"):
        make_executor("local", 0)
    with pytest.raises(RunError, match="choose local, ray or slurm"):
        make_executor("moon", 1)


@pytest.mark.parametrize(("where", "package"), [("ray", "ray"), ("slurm", "submitit")])
def test_a_package_that_is_not_installed_is_named(
    where: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, package, None)
    for name in list(sys.modules):
        if name.endswith(("executors.on_ray", "executors.slurm")):
            monkeypatch.delitem(sys.modules, name)
    with pytest.raises(RunError, match=rf"pip install 'warmstart\[{where}\]'"):
        make_executor(where, 1)


def test_results_of_another_protocol_are_named_before_anything_runs(tmp_path: Path) -> None:
    """Who forgets `--steps` learns it at once, and not from the verdict."""
    before = [
        result(arm, seed, task="jax-pointmass", study=STUDY.name, protocol="p",
               numerics=drive.numerics(), diagnose={"q": ((0, 1.0), (250, 2.0), (500, 3.0))})
        for arm in ("a", "b", "c")
        for seed in range(3)
    ]  # fmt: skip
    store = Store(tmp_path / "results")
    for each in before:
        store.add(each)
    made, said = driver(tmp_path, Here(), seeds=(0,))
    made.run()
    assert "jax-pointmass: 9 results are of another protocol" in said[0]
    assert said[0].endswith("Theirs has --steps 50000 --diagnose-every 250")
    made, said = driver(tmp_path / "new", Here(), seeds=(0,))
    made.run()
    assert not any("protocol" in line for line in said)
    same = drive.other_protocol(before, "p"), drive.other_protocol([], "p")
    assert same == ("", "")
