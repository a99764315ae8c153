"""One planted fault, one finding."""

from dataclasses import replace

import numpy as np
import pytest

from warmstart.edge.datasets import check, require_clean
from warmstart.errors import DataError
from warmstart.types import Dataset, Spec


def clean(episodes=6, length=9):
    rng = np.random.default_rng(0)
    tracks = rng.standard_normal((episodes, length + 1, 3)).astype(np.float32)
    flat = (episodes * length, 3)
    ends = np.zeros((episodes, length), bool)
    ends[:, -1] = True
    died = ends.copy()
    died[1:] = False  # one episode terminates, the others are cut
    return Dataset(
        obs=tracks[:, :-1].reshape(flat),
        actions=rng.uniform(-1, 1, (flat[0], 2)).astype(np.float32),
        rewards=rng.standard_normal(flat[0]).astype(np.float32),
        terminated=died.ravel(),
        truncated=(ends & ~died).ravel(),
        next_obs=tracks[:, 1:].reshape(flat),
        info={"source": "clean.npz"},
    )


def spoil(name, index, value):
    data = clean()
    column = getattr(data, name).copy()
    column[index] = value
    return replace(data, **{name: column})


def test_a_clean_dataset_has_no_findings():
    assert check(clean(), Spec(3, 2)) == []
    assert require_clean(clean()) == []


@pytest.mark.parametrize(
    ("data", "grade", "what", "where"),
    [
        (spoil("obs", (4, 1), np.nan), "error", "obs hold NaN", "row 4"),
        (spoil("rewards", [2, 5], np.inf), "error", "rewards hold NaN", "2 rows: 2, 5"),
        (spoil("next_obs", 3, 7.0), "error", "not the next row", "row 3"),
        (spoil("rewards", slice(None), 0.0), "warning", "every reward is 0", "rewards"),
        (spoil("actions", (slice(None), 1), 0.3), "warning", "never change", "axes 1"),
        (spoil("terminated", slice(None), False), "note", "no episode terminates", "episodes"),
        (
            replace(clean(), terminated=clean().ends, truncated=np.zeros(54, bool)),
            "warning",
            "6 episodes terminate after exactly 9 steps",
            "6 rows",
        ),
        (
            replace(clean(), info={"actions_outside": {"rows": 30, "first": 1, "largest": 9.0}}),
            "error",
            "leave the action box",
            "30 rows",
        ),
    ],
)
def test_planted_faults(data, grade, what, where):
    hits = [f for f in check(data) if what in f.what]
    assert len(hits) == 1 and hits[0].grade == grade and where in hits[0].where
    assert hits[0].fix.endswith(".") and grade in str(hits[0])


def test_a_few_actions_outside_are_only_a_warning():
    outside = {"actions_outside": {"rows": 1, "first": 1, "largest": 1.1}}
    data = replace(clean(30), info=outside)
    assert [f.grade for f in check(data)] == ["warning"]


def test_copies_are_found():
    data = clean()
    twice = data.take(data.episodes() + data.episodes()[:1])
    assert "9 rows repeat" in check(twice)[0].what


def test_one_endless_episode():
    data = clean(1, 11_000)
    assert any("one episode" in finding.what for finding in check(data))


def test_sizes_are_compared_with_the_environment():
    with pytest.raises(DataError, match="observations have 3 numbers, the environment's have 4"):
        require_clean(clean(), Spec(4, 2))
    assert "actions" in check(clean(), Spec(3, 1))[0].what


def test_columns_that_do_not_fit_and_no_rows():
    data = clean()
    assert "do not fit" in check(replace(data, actions=data.actions[:5]))[0].what
    assert "no rows" in check(data.take([]))[0].what


def test_the_first_error_is_raised_with_the_source_and_the_fix():
    data = spoil("obs", 0, np.nan)
    with pytest.raises(DataError, match=r"clean.npz: obs hold NaN .*row 0.*Remove the episodes"):
        require_clean(data)
