"""What one arm on one task with one seed came to: one small JSON file."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from warmstart.errors import RunError

FORMAT = 1
Points = tuple[tuple[int, float], ...]
"""(environment steps, value), in the order of the steps."""


@dataclass(frozen=True)
class Result:
    """One arm, task and seed, as verdicts, tables and curves need it.

    Attributes:
        study, arm, task, seed: which.
        pretraining: name of the pre-training it branched from; None: it began from nothing.
        pretrained: hash of that pre-training's arrays, or None.
        declared: hash of the run's recipe.
        protocol: hash of what all arms of a comparison share: the task as it was declared, online
            steps, evaluation schedule, share held out, seed of the data.
        numerics: version of the arithmetic, and of the libraries that have a say in it.
        isa: widest instruction set that the compiled programs could use, or the accelerator.
        success: whether scores are success rates (in percent) and not normalised returns.
        before: score at the end of pre-training, on the fixed episodes; None without one.
        curve: scores on the schedule, the one right after the switch included.
        frozen: scores of the unchanged pre-trained policy on the same schedule; empty where
            another arm of the pre-training carries them.
        offline: scores in pre-training, by updates.
        diagnose: measurements online, by name.
        value_range: largest minus smallest return-to-go of held-out rows, or None.
        steps: online steps of the run.
        warmup: online steps in which nothing is learnt.
        seconds: wall clock of the run.
        memory_mb: the most main memory that it held.
        versions, commit, created: of the software, and when.
        source_hash: of the user's own method file, or None.
    """

    study: str
    arm: str
    task: str
    seed: int
    pretraining: str | None
    pretrained: str | None
    declared: str
    protocol: str
    numerics: str
    isa: str
    success: bool
    before: float | None
    curve: Points
    steps: int
    frozen: Points = ()
    offline: Points = ()
    diagnose: Mapping[str, Points] = field(default_factory=dict)
    value_range: float | None = None
    warmup: int = 0
    seconds: float = 0.0
    memory_mb: float | None = None
    method: str = ""
    source_hash: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    commit: str | None = None
    created: str = ""

    @property
    def final(self) -> float | None:
        """The last score online."""
        return self.curve[-1][1] if self.curve else None

    @property
    def machine(self) -> tuple[str, str]:
        """What two results of one task and seed must share to be compared, beside the protocol
        and the pre-training."""
        return self.isa, self.numerics

    def to_json(self) -> dict[str, Any]:
        """Plain values with the format's number."""
        return {"format": FORMAT, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, data: Any, where: str) -> Result:
        """The inverse of `to_json`.

        Raises:
            RunError: another format, a key too many or one too few, or a value of another type.
        """
        if not isinstance(data, dict):
            raise RunError(f"'{where}' is no result (no object); restore it, or delete it")
        if data.get("format") != FORMAT:
            raise RunError(
                f"'{where}' has result format {data.get('format')}, this warmstart reads {FORMAT}; "
                "read it with the version that wrote it"
            )
        given = {key: value for key, value in data.items() if key != "format"}
        known = {f.name: f for f in dataclasses.fields(cls)}
        missing = [
            name
            for name, f in known.items()
            if name not in given
            and f.default is dataclasses.MISSING
            and f.default_factory is dataclasses.MISSING
        ]
        if missing or not given.keys() <= known.keys():
            odd = ", ".join(missing or sorted(given.keys() - known.keys()))
            raise RunError(f"'{where}' is no result ({odd}); restore it, or delete it")
        try:
            for name in ("curve", "frozen", "offline"):
                if name in given:
                    given[name] = _points(given[name])
            given["diagnose"] = {k: _points(v) for k, v in given.get("diagnose", {}).items()}
            result = cls(**given)
            _check(result)
        except (TypeError, ValueError, AttributeError) as error:
            raise RunError(f"'{where}' is no result ({error}); restore it, or delete it") from error
        return result


def _points(given: Any) -> Points:
    points = tuple((_whole(at), _number(value)) for at, value in given)
    if any(a >= b for (a, _), (b, _) in itertools.pairwise(points)):
        raise ValueError("steps that do not grow")
    return points


def _check(result: Result) -> None:
    texts = ("study", "arm", "task", "declared", "protocol", "numerics", "isa", "method", "created")
    for name in texts:
        if not isinstance(getattr(result, name), str):
            raise TypeError(f"{name} is no text")
    for name in ("pretraining", "pretrained", "commit", "source_hash"):
        if not isinstance(getattr(result, name), str | None):
            raise TypeError(f"{name} is no text")
    _number(result.seconds)
    if not isinstance(result.versions, Mapping):
        raise TypeError("versions are no object")
    for name in ("before", "value_range", "memory_mb"):
        if getattr(result, name) is not None:
            _number(getattr(result, name))
    for name in ("seed", "steps", "warmup"):
        _whole(getattr(result, name))
    if result.curve and result.curve[-1][0] != result.steps:
        raise ValueError(f"its curve ends at {result.curve[-1][0]:,} of {result.steps:,} steps")
    if type(result.success) is not bool:
        raise TypeError("success is no bool")


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{value!r} is no count")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no finite number")
    return float(value)
