"""Measurements between the evaluations, and by how familiar a pair is."""

from __future__ import annotations

import numpy as np
from tiny import finish, learnt, same_bits, tiny, trainer

from warmstart.engine import Schedule
from warmstart.engine.familiarity import Familiarity


def test_a_pair_far_from_its_nearest_logged_row_is_unfamiliar() -> None:
    rng = np.random.default_rng(0)
    logged = rng.normal(size=(500, 6)) * [1, 100, 1, 1, 1, 1]
    held = rng.normal(size=(400, 6)) * [1, 100, 1, 1, 1, 1]
    found = Familiarity(logged, held, 3)  # the first three numbers are the pair
    assert abs(found.unfamiliar(held).mean() - 0.05) < 0.01
    assert not found.unfamiliar(logged).any()
    some = logged[:50]
    away = np.add(some, [0, 0, 9, 0, 0, 0])
    assert found.unfamiliar(away).all()
    beside = np.add(some, [0, 0, 0, 50, 50, 50])  # what is no part of the pair
    assert not found.unfamiliar(beside).any()
    near = np.add(some, [0, 1, 0, 0, 0, 0])  # a hundredth of its spread
    assert not found.unfamiliar(near).any()


def test_measuring_between_evaluations_changes_nothing_else() -> None:
    looks = {
        "episodes": 1,
        "fixed_episodes": 1,
        "online_every": 0,
        "early": (0, 12),
        "log_every": 6,
    }
    runs, events = [], []
    for every in (0, 4):
        # At this discount also an episode that was cut has rows whose return is known.
        recipe = tiny("td3_bc").with_discount(0.2)
        run = trainer(recipe, schedule=Schedule(**looks, diagnose_every=every))
        events.append(finish(run))
        runs.append(learnt(run))
    same_bits(*runs)

    def at(kind: str, number: int) -> list[int]:
        found = [e for e in events[number] if e.kind == kind and e.phase == "online"]
        return [e.env_steps for e in found]

    assert at("eval", 0) == at("eval", 1) == [0, 12, 24]
    assert at("diagnose", 0) == [0, 12, 24]
    assert at("diagnose", 1) == [0, 4, 8, 12, 24]  # up to the last early step, and at the end
    told = [e.values for e in events[1] if e.kind == "diagnose" and e.phase == "online"]
    assert all(v["value_range"] > 0 for v in told)
    groups = ("q_minus_return_familiar", "q_minus_return_unfamiliar")
    for v in told:
        share = v["unfamiliar_share"]
        parts = [w * v[n] for n, w in zip(groups, (1 - share, share), strict=True) if n in v]
        assert np.isclose(sum(parts), v["q_minus_return"], atol=1e-5)
    plain = [e.values for e in events[0] if e.kind == "diagnose"]
    assert all("value_range" not in v and "unfamiliar_share" not in v for v in plain)
