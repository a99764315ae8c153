"""A policy leaves its run: a folder that needs neither the run nor JAX."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.api.about import facts, named
from warmstart.errors import RunError
from warmstart.files.durable import cannot_write, write_atomic
from warmstart.files.machine import versions
from warmstart.files.workspaces import scratch
from warmstart.policy.actor import NumpyPolicy
from warmstart.policy.carried import files_of
from warmstart.policy.describe import stored_learner
from warmstart.policy.folder import CARD, Stored, read_policy, write_policy
from warmstart.policy.graph import (
    as_onnx,
    input_name,
    require_one_step,
    require_onnx,
    run_onnx,
)
from warmstart.policy.parity import OBSERVATIONS, TOLERANCE, difference, trials
from warmstart.policy.readme import readme
from warmstart.runs.find_policy import find_policy
from warmstart.runs.folder import as_folder
from warmstart.types import Clock, Spec, Step
from warmstart.values import from_json
from warmstart.views import View

ONNX = "model.onnx"
AGAIN = "export again"
_ADDED = ("kind", "format", "tensors", "weights", "checksum")
"""Keys of a card that `write_policy` makes."""


@dataclass(frozen=True)
class Exported:
    """A policy that has left its run.

    Attributes:
        folder: where it lies; `warmstart.load_policy` acts from it.
        card: what its `policy.json` says; docs/schema.md lists it.
    """

    folder: Path
    card: dict[str, Any]


def export(
    run: Path | str,
    to: Path | str,
    *,
    seed: int | None = None,
    which: Literal["latest", "best"] = "latest",
    onnx: bool = False,
    names: Mapping[str, Any] | None = None,
    license: str | None = None,
) -> Exported:
    """Write one seed's policy as a folder that needs neither the run nor JAX.

    Args:
        run: its folder, or a policy folder.
        to: a folder that is not there yet, or is empty.
        seed: as of `warmstart.actor`.
        which: the same.
        onnx: write `model.onnx` too; needs the extra `onnx`.
        names: `{"observation": [...], "action": [...]}`, for each flat number its name, or
            `{"name": ..., "unit": ...}`.
        license: of the policy, as the Hub calls it, such as "mit".

    Raises:
        RunError: no policy yet, one without a form in NumPy or ONNX, two forms that act
            differently, names that do not fit, or a folder that is taken or cannot be written.
            Nothing half-written is left.
    """
    folder, place = as_folder(run), as_folder(to)
    try:
        return _export(folder, place, seed, which, onnx, names, license)
    except KeyboardInterrupt:
        there = (place / CARD).exists()
        raise KeyboardInterrupt(
            f"'{place}' is whole" if there else f"nothing was written to '{place}'"
        ) from None


def _export(
    folder: Path,
    place: Path,
    seed: int | None,
    which: Literal["latest", "best"],
    onnx: bool,
    names: Any,
    license: str | None,
) -> Exported:
    if onnx:
        require_onnx()
    _require_room(place)
    stored = find_policy(folder, seed, which)
    actor = NumpyPolicy(stored)
    if onnx:
        require_one_step(actor)
    try:
        parity, file = _compared(stored, actor, onnx)
        card = {k: v for k, v in stored.card.items() if k not in _ADDED}
        card |= named(card, names, actor)
        before = stored.card.get("exported") or {}  # it has left its run already
        card["exported"] = {
            **facts(folder, stored.card),
            "acts_on": actor.acts_on,
            "license": license or before.get("license"),
            "parity": parity,
            "onnx": None if file is None else _onnx_facts(actor, file),
            "created": datetime.now().astimezone().isoformat(timespec="seconds"),
            "versions": versions(),
        }
        page = readme(card)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(
            f"'{stored.path / CARD}' does not describe a policy ({error!r}); take one that a run "
            "wrote"
        ) from error
    _write(place, card, stored, page, file)
    return Exported(place, read_policy(place).card)


def _require_room(place: Path) -> None:
    """Refuse (RunError) a place that holds anything."""
    try:
        taken = os.path.lexists(place) and not (place.is_dir() and not any(place.iterdir()))
    except OSError as error:
        raise cannot_write(place, error, AGAIN) from error
    if taken:
        raise RunError(f"'{place}' holds something already; give another folder, or remove it")


def _write(
    place: Path,
    card: dict[str, Any],
    stored: Stored,
    page: str,
    onnx: bytes | None,
) -> None:
    """The folder, written beside its place and renamed: wholly there, or not at all."""
    whole, files = place.absolute(), {"README.md": page.encode()}
    if onnx is not None:
        files[ONNX] = onnx
    try:
        with scratch(whole.with_name(f".exporting-{whole.name}"), AGAIN) as room:
            made = room / "policy"
            write_policy(made, card, stored.tensors, AGAIN, files_of(stored))
            for name, held in files.items():
                write_atomic(made / name, lambda out, held=held: out.write(held), AGAIN)
            os.rename(made, place)
    except OSError as error:
        raise cannot_write(place, error, AGAIN) from error


def _compared(
    stored: Stored, actor: NumpyPolicy, onnx: bool
) -> tuple[dict[str, Any], bytes | None]:
    """What two forms differ by, and the ONNX file where it is wanted. Raises RunError."""
    learner, state = stored_learner(stored.card, stored.tensors)
    view = learner.view(state)
    gaps = [_in_jax(stored, actor, view, flat) for flat in trials(actor)]
    parity = {"observations": OBSERVATIONS, "numpy": max(gaps), "onnx": None}
    if not onnx:
        return parity, None
    file = as_onnx(actor)
    pairs = ((run_onnx(file, actor, flat), actor.act(flat)) for flat in trials(actor))
    gaps = [_near(difference(theirs, ours, actor.box), "onnxruntime") for theirs, ours in pairs]
    parity["onnx"] = max(gaps)
    return parity, file


def _in_jax(stored: Stored, actor: NumpyPolicy, view: View, flat: np.ndarray) -> float:
    """How far NumPy is from JAX at the first step of an episode, on the scale of [-1, 1]."""
    obs = actor.seen(actor.observations(flat)[0])
    with jax.default_matmul_precision("highest"):  # accelerators round products to ten bits
        if actor.acts_on == "rewards":
            rule = from_json(stored.card["acting"])
            memory = rule.init(len(obs), Spec(obs.shape[1], actor.box.size))
            step = Step(jnp.asarray(obs), jnp.zeros(len(obs)), jnp.ones(len(obs)))
            clock = Clock(*(jnp.int32(0),) * 3)
            unit, _ = rule(jax.random.key(0), clock, view, memory, step, "evaluate")
            ours, _ = actor.predict(flat)
        else:  # of a rule that chooses between policies the one that learns; of a chunk each step
            unit = view.policy(jnp.asarray(obs)).mode().reshape(-1, actor.box.size)
            ours = actor.box(actor.learnt.policy.mode(obs).reshape(-1, actor.box.size))
    theirs = actor.box(np.asarray(unit, np.float32))
    return _near(difference(theirs, ours, actor.box), "JAX")


def _near(gap: float, other: str) -> float:
    if not gap <= TOLERANCE:
        raise RunError(
            f"the policy acts otherwise in NumPy than in {other}: actions differ by {gap:.1e} on "
            f"the scale of [-1, 1], where {TOLERANCE:.0e} may; nothing was exported. Please report "
            "this with the run's policy folder"
        )
    return gap


def _onnx_facts(actor: NumpyPolicy, file: bytes) -> dict[str, Any]:
    return {
        "file": ONNX,
        "bytes": len(file),
        "sha256": hashlib.sha256(file).hexdigest(),
        "inputs": [input_name(part.path) for part in actor.observations.parts],
        "type": "float32" if actor.observations.offset is None else "float64",
        "images": [input_name(part.path) for part in actor.observations.parts if part.image],
    }
