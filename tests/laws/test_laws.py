"""What every method of the table must pass."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from idle import idle, refused
from knobs import alive, others
from tiny import NUMBERS, Diary, finish, tiny, trainer

from warmstart import api, values
from warmstart.api.base import stands_on_base
from warmstart.config import names_of
from warmstart.engine import Schedule
from warmstart.methods import METHODS
from warmstart.recipe import Recipe
from warmstart.replay import Newest
from warmstart.runs.records import comparable, read
from warmstart.values import paths, registered

EVERY = sorted(METHODS)
ONCE = Schedule(
    episodes=1, fixed_episodes=2, offline_every=0, online_every=0, early=(0,), log_every=8,
    frozen=True,
)  # fmt: skip


def _finite(values: dict[str, Any]) -> None:
    for name, value in values.items():
        assert np.all(np.isfinite(np.asarray(value, float))), f"{name} = {value}"


REPRESENTATIVES = ("iql", "td3", "wsrl")
OTHERS = [
    pytest.param(name, marks=pytest.mark.laws) for name in EVERY if name not in REPRESENTATIVES
]


@pytest.mark.parametrize("method", [*REPRESENTATIVES, *OTHERS])
def test_runs_from_end_to_end_with_finite_numbers(method: str) -> None:
    run = trainer(tiny(method, steps=16), (0,), ONCE, Diary)
    events = finish(run)
    kinds = {event.kind for event in events}
    assert kinds >= {"train", "eval", "diagnose", "episode", "phase", "safe"}
    for event in events:
        if event.kind in ("train", "eval", "diagnose", "episode"):
            _finite(event.values)
    trained = {event.phase for event in events if event.kind == "train"}
    learns = bool(run.recipe.finetune.rhythm.updates)
    learning = {"pretrain": bool(run.recipe.pretrain), "online": learns}
    assert trained == {phase for phase, learns in learning.items() if learns}


def _knobs(method: str) -> None:
    recipe = tiny(method)
    dead = [
        path
        for path, value in paths(recipe)
        if not idle(recipe, path) and not alive(recipe, path, value)
    ]
    assert dead == []


@pytest.mark.parametrize("path", ["name", "finetune.learner.critic.net.scale"])
def test_a_dead_knob_is_found(path: str) -> None:
    """Two traces of one program are one text, and a field without a say changes none of it."""
    recipe = tiny("td3_bc_ft")
    fields = dict(paths(recipe))
    assert idle(recipe, path) and not alive(recipe, path, fields[path])
    assert alive(recipe, "finetune.learner.tau", fields["finetune.learner.tau"])


def test_what_the_table_calls_refused_has_no_other_value() -> None:
    """A field that a check lets through and nobody reads is a fault, and no row hides it."""
    legal = [
        (method, path, values.get(other, path))
        for method, recipe in ((method, tiny(method)) for method in EVERY)
        for path, value in paths(recipe)
        if refused(recipe, path)
        for _, other in others(recipe, path, value)
    ]
    assert legal == []


@pytest.mark.parametrize(
    ("method", "path"), [("rlpd", "finetune.learner.minibatches"), ("odt", "replay.source.share")]
)
def test_the_search_compares_recipes_that_differ_in_one_field(method: str, path: str) -> None:
    """Also where that field's other values are legal only beside a change of another one."""
    recipe = tiny(method)
    pairs = list(others(recipe, path, values.get(recipe, path)))
    assert pairs
    for base, other in pairs:
        assert set(paths(base)) ^ set(paths(other)) == {
            (path, values.get(one, path)) for one in (base, other)
        }


@pytest.mark.laws
@pytest.mark.parametrize("method", EVERY)
def test_no_dead_knob(method: str) -> None:
    _knobs(method)


SPARE: list[tuple[str, dict[str, str], str]] = [
    ("td3", {"finetune.rhythm.pace": "Ramp"}, "finetune.rhythm.pace"),
    ("td3", {"finetune.learner.row_weight": "CertainRows"}, "finetune.learner.row_weight"),
    ("td3", {"replay.source": "Intervened"}, "replay.source"),
    ("td3", {"finetune.rhythm.pace": "ByDisagreement"}, "finetune.rhythm.pace"),
    (
        "cal_ql",
        {
            "learner.value": "ValueSpec",
            "learner.value_fit": "ToReturns",
            "learner.conservatism.reference": "value",
        },
        "finetune.learner.conservatism.reference",
    ),
]
"""Parts that no method of the table carries: a method, its changes, where the part stands."""


def _with_spare(method: str, changes: dict[str, str]) -> Recipe:
    recipe = tiny(method)
    for path, value in changes.items():
        recipe = recipe.with_(path, value)
    return recipe


@pytest.mark.laws
@pytest.mark.parametrize(("method", "changes", "where"), SPARE)
def test_no_dead_knob_in_a_part_that_no_method_carries(
    method: str, changes: dict[str, str], where: str
) -> None:
    recipe = _with_spare(method, changes)
    fields = [(path, value) for path, value in paths(recipe) if path.startswith(where)]
    assert fields
    assert [path for path, value in fields if not alive(recipe, path, value)] == []


def _parts(value: Any) -> set[str]:
    """The classes of the parts that a recipe is made of."""
    if isinstance(value, tuple):
        return {name for item in value for name in _parts(item)}
    if not dataclasses.is_dataclass(value):
        return set()
    below = (getattr(value, field.name) for field in dataclasses.fields(value))
    return {type(value).__name__}.union(*map(_parts, below))


def test_every_part_is_in_the_table_or_among_the_spare_ones() -> None:
    recipes = [module.recipe("quick") for module in METHODS.values()]
    recipes += [_with_spare(method, changes) for method, changes, _ in SPARE]
    ours = {name for name, cls in registered().items() if cls.__module__.startswith("warmstart.")}
    assert ours - set().union(*map(_parts, recipes)) == set()


CHANGES = {"hidden": "8", "batch": "4", "policy.width": "8"}


def _base(method: str) -> dict[str, Any]:
    """The policy that a method starts from, where it starts from one."""
    stands = stands_on_base(METHODS[method].recipe("quick"))
    return {"policy": str(Path(__file__).parents[2] / "examples" / "push.py")} if stands else {}


def _declared(method: str, **numbers: int) -> dict[str, Any]:
    """Arguments of `api.run` that make a method of the table tiny."""
    recipe = METHODS[method].recipe("quick")
    changes = {
        path: small
        for path, _ in paths(recipe)
        for name, small in CHANGES.items()
        if path.endswith(f".{name}")
    }
    if recipe.replay.warmup.steps:
        changes["replay.warmup.steps"] = "60"
    if isinstance(recipe.replay.source, Newest):
        changes |= {"replay.source.rows": "60", "finetune.rhythm.every": "60"}
    return {
        **_base(method),
        "changes": changes,
        **({"pretrain_steps": numbers.get("pretrain", 300)} if recipe.pretrain else {}),
        "steps": numbers.get("steps", 300),
        "schedule": {
            "episodes": 1, "fixed_episodes": 2, "offline_every": 100, "online_every": 100,
            "early": (0, 50), "log_every": 50,
        },
    }  # fmt: skip


@pytest.mark.laws
@pytest.mark.parametrize("method", EVERY)
def test_improves_on_the_point_mass(method: str, tmp_path: Path) -> None:
    done = api.run(
        method, "jax-pointmass", root=tmp_path, name="run", seeds=(0,),
        changes={
            path: "64,64" if path.endswith("hidden") else "64"
            for path, _ in paths(METHODS[method].recipe("quick"))
            if path.endswith((".hidden", ".batch"))
        },
        steps=6_000,
        **({"pretrain_steps": 3_000} if METHODS[method].recipe().pretrain else _base(method)),
        schedule={"episodes": 10, "fixed_episodes": 20, "online_every": 0, "early": (0,)},
    )  # fmt: skip
    scores = [
        (line["tag"], line["values"]["score"]) for line in done.metrics if line["kind"] == "eval"
    ]
    first = next(score for tag, score in scores if tag in ("switch", "curve"))
    last = next(score for tag, score in scores if tag == "final")
    # 0 is a random policy, 100 a good one, and the data's own is near 59. DT clones the best of
    # them and learns nothing online.
    least = 55.0 if method == "dt" else 60.0
    assert last > max(least, first - 10.0), scores


CHILD = """
import signal, sys
import warmstart as ws
from warmstart import api

class Waits(ws.Callback):
    # On a quick machine too the run has not ended when it is killed.
    def on_evaluation(self, event):
        if event.tag == "final":
            signal.pause()

api.run(sys.argv[1], "jax-pointmass", root=sys.argv[2], name="killed", seeds=(0, 3),
        callbacks=[Waits()], **eval_free)
"""


def _child(method: str, root: Path, arguments: dict[str, Any]) -> subprocess.Popen[bytes]:
    code = CHILD.replace("**eval_free", f"**{arguments!r}")
    return subprocess.Popen(
        [sys.executable, "-c", code, method, str(root)], env=os.environ | {"COLUMNS": "80"}
    )


def _killed(method: str, root: Path, phase: str, arguments: dict[str, Any]) -> None:
    """Start a run and kill it by SIGKILL once it has written lines of a phase."""
    child, folder = _child(method, root, arguments), root / "killed"
    while child.poll() is None:
        here = folder.exists() and any(
            line["phase"] == phase and line["kind"] in ("train", "eval") for line in read(folder)
        )
        saved = (folder / "checkpoints").exists() and any((folder / "checkpoints").iterdir())
        if here and saved:
            break
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "the run ended before it was killed"


def _resumes(method: str, phases: tuple[str, ...], tmp_path: Path) -> None:
    arguments = _declared(method)
    whole = api.run(method, "jax-pointmass", root=tmp_path, name="whole", seeds=(0, 3), **arguments)
    for phase in phases:
        _killed(method, tmp_path / phase, phase, arguments)
        again = api.resume(tmp_path / phase / "killed")
        assert comparable(read(again.folder)) == comparable(read(whole.folder)), phase


def test_killed_and_resumed_equals_unbroken(tmp_path: Path) -> None:
    _resumes("wsrl", ("online",), tmp_path)


def test_killed_before_the_first_checkpoint_begins_anew(tmp_path: Path) -> None:
    """What was written before then is no part of the run."""
    arguments = _declared("td3", steps=120)
    whole = api.run("td3", "jax-pointmass", root=tmp_path, name="whole", seeds=(0,), **arguments)
    lines = comparable(read(whole.folder))
    shutil.rmtree(whole.folder / "checkpoints")
    (whole.folder / "finished.json").unlink()
    assert comparable(read(api.resume(whole.folder).folder)) == lines


@pytest.mark.laws
@pytest.mark.parametrize("method", EVERY)
def test_every_method_killed_in_every_phase(method: str, tmp_path: Path) -> None:
    learns = bool(METHODS[method].recipe("quick").pretrain)
    _resumes(method, ("pretrain", "online") if learns else ("online",), tmp_path)


def test_the_tiny_numbers_are_those_of_some_method() -> None:
    known = {n for module in METHODS.values() for n in names_of(module.PRESETS["quick"])}
    assert set(NUMBERS) <= known
