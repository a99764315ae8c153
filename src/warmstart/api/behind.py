"""Numbers of a fine-tuning that its pre-training has behind it, and of a pre-training that the
fine-tuning lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from warmstart.api.numbers import LENGTHS, of_pretraining
from warmstart.api.own import short_name
from warmstart.errors import RecipeError
from warmstart.values import as_text

if TYPE_CHECKING:
    from warmstart.api.declare import Declared


def refuse_of_pretraining(
    arm: Declared, before: Declared, given: Mapping[str, Any], folder: str
) -> None:
    """Raises RecipeError for a number that is of consequence for pre-training alone, unless it is
    what was pre-trained with: `folder` has that behind it."""
    theirs = dict(before.changes) if arm.method == before.method else {}
    for name, value in given.items():
        if theirs.get(name) == as_text(value):
            continue
        told = {**given, name: theirs.get(name, value)}  # the preset's own value moves nothing
        if any(of_pretraining(arm.method, arm.preset, way, name) for way in (given, told)):
            raise RecipeError(
                f"{name}={as_text(value)} is of the pre-training alone, which '{folder}' has "
                f"behind it; leave it out, or give it to `warmstart pretrain "
                f"{short_name(arm.method)}` and go on from that"
            )


def not_taken_over(arm: Declared, before: Declared, folder: str) -> str | None:
    """What to tell where the same method was pre-trained with numbers that act online as well, and
    goes on without them; None where there are none."""
    if arm.method != before.method:
        return None
    theirs, said = dict(before.changes), dict(arm.changes)
    missing = [
        f"{name}={value}"
        for name, value in theirs.items()
        if said.get(name) != value
        and name.rpartition(".")[2] not in ("normalise", *LENGTHS)
        and not of_pretraining(before.method, before.preset, theirs, name)
    ]
    if not missing:
        return None
    way = " ".join(f"--set {each}" for each in missing)
    return (
        f"'{folder}' was pre-trained with {', '.join(missing)}, which counts online as well, and "
        f"a fine-tuning takes over what was learnt, not the numbers; to keep them: {way}"
    )
