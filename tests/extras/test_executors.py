"""Units of work on Ray, of whose nodes one dies, and as jobs of submitit."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from warmstart.studies.executors.protocol import Executor
from warmstart.studies.store import Store
from warmstart.studies.study import Arm, Study
from warmstart.studies.work import Work, plan

SMALL = {"nets.hidden": "8", "learner.batch": "8", "replay.warmup.steps": "20"}
STUDY = Study(
    "toy", "A toy.", {}, {"alone": Arm("td3", changes=SMALL)}, ("jax-pointmass",), "quick", 2_000,
    {"episodes": 2, "fixed_episodes": 2, "early": (0,), "log_every": 500},
)  # fmt: skip


def units(folder: Path, count: int = 2) -> list[Work]:
    where = {"runs": folder / "runs", "results": folder / "results"}
    return [plan(STUDY, "jax-pointmass", seed, **where) for seed in range(count)]


def over(executor: Executor, patience: float = 300.0) -> dict[str, str]:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        states = executor.poll()
        if all(state in ("done", "failed") for state in states.values()):
            return dict(states)
        time.sleep(0.5)
    raise AssertionError(f"not over after {patience} s: {executor.poll()}")


def test_no_unit_is_lost_when_a_node_of_two_dies(tmp_path: Path) -> None:
    import ray
    from ray.cluster_utils import Cluster

    from warmstart.studies.executors.on_ray import OnRay

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = cluster.add_node(num_cpus=1)
    try:
        ray.init(address=cluster.address, log_to_driver=False)
        works = units(tmp_path, 3)
        executor = OnRay(2)
        for work in works:
            executor.submit(work)
        until = time.monotonic() + 400
        while not any(p.stat().st_size for p in tmp_path.rglob("metrics.jsonl")):
            assert time.monotonic() < until
            time.sleep(0.2)
        cluster.remove_node(second, allow_graceful=False)
        states = over(executor)
        assert states == {work.name: "done" for work in works}
        found, said = Store(tmp_path / "results").read()
        assert not said and sorted(r.seed for r in found) == [0, 1, 2]
        assert all(r.curve[-1][0] == STUDY.steps for r in found)
    finally:
        ray.shutdown()
        cluster.shutdown()


def test_ray_starts_here_and_says_why_a_unit_failed(tmp_path: Path) -> None:
    import ray

    from warmstart.studies.executors.on_ray import OnRay

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        executor = OnRay(2)
        good, bad = units(tmp_path)
        executor.submit(good)
        executor.submit(dataclasses.replace(bad, numerics="other"))
        assert over(executor) == {good.name: "done", bad.name: "failed"}
        assert "planned with numerics other" in executor.why(bad.name)
    finally:
        ray.shutdown()


def test_submitit_runs_units_as_jobs(tmp_path: Path) -> None:
    from warmstart.studies.executors.slurm import OnSlurm

    executor = OnSlurm(cluster="local")
    good, bad = units(tmp_path)
    executor.submit(good)
    executor.submit(dataclasses.replace(bad, numerics="other"))
    assert over(executor) == {good.name: "done", bad.name: "failed"}
    assert "planned with numerics other" in executor.why(bad.name)
    assert [r.seed for r in Store(tmp_path / "results").read()[0]] == [0]
