"""What a run folder has beside its checkpoints, read again and compared."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.engine import Trainer
from warmstart.engine.training_rows import require_same
from warmstart.errors import RunError, TaskError, typed
from warmstart.files.durable import Damaged, entries, unsealed
from warmstart.runs.checkpoints import Checkpoints
from warmstart.runs.folder import is_finished, read_finished, read_run
from warmstart.runs.records import MetricWriter, carried_over, require_written
from warmstart.runs.segments import Segments

LOG = logging.getLogger("warmstart")
_KEYS = {"trainer": dict, "rows": int, "metrics": int, "wall": (int, float)}
"""What the meta of every checkpoint has."""


def rows_of(meta: dict[str, Any], segments: Segments, capacity: int) -> np.ndarray | None:
    """The rows that a checkpoint counts, as many as the ring holds; None where there are none.

    Raises Damaged where the meta or a row is not what was written.
    """
    kinds = all(isinstance(meta.get(key), kind) for key, kind in _KEYS.items())
    if not kinds or meta["rows"] < 0:
        raise Damaged(f"A checkpoint beside '{segments.folder}' is damaged (its record).")
    rows = meta["rows"]
    found = segments.read(rows, max(0, rows - capacity), meta.get("replay"))
    return found if rows else None


class Images:
    """The images that a run's rows number, of each seed in a folder of its own; mostly none."""

    def __init__(self, folder: Path, seeds: Sequence[int]) -> None:
        self.seeds: list[Segments] = [Segments(folder / str(seed), np.uint8) for seed in seeds]
        self.saved: list[int] = [0] * len(seeds)

    def most(self, trainer: Trainer) -> float:
        """Rows that may wait for the disk: a row has at most two images of its own."""
        return trainer.carries.room_for_images() // 4 if self.seeds else math.inf

    def keep(self, trainer: Trainer, rows: int) -> None:
        """Store what the first `rows` rows show and no call before did. Raises RunError."""
        counted = trainer.counted(rows) if self.seeds else []
        for i, held in enumerate(self.seeds):
            held.append(self.saved[i], trainer.images(i, self.saved[i], counted[i])[None])
        self.saved = counted

    def meta(self) -> dict[str, Any]:
        """What a checkpoint says of them."""
        if not self.seeds:
            return {}
        held = zip(self.seeds, self.saved, strict=True)
        return {"images": list(self.saved), "image_marks": [own.mark(n) for own, n in held]}

    def read(self, meta: dict[str, Any], trainer: Trainer) -> list[tuple[int, np.ndarray]]:
        """Of each seed the newest [n, P] that its ring holds, and the number of the first.

        Raises Damaged where one is not what was written.
        """
        found, counted = [], []
        for i, held in enumerate(self.seeds):
            try:
                count, mark = int(meta["images"][i]), int(meta["image_marks"][i])
            except (LookupError, TypeError, ValueError) as error:
                told = f"A checkpoint beside '{held.folder}' is damaged (its record)."
                raise Damaged(told) from error
            first = max(0, count - trainer.carries.room_for_images())
            pictures = held.read(count, first, mark)
            found.append((first, pictures.reshape(-1, trainer.carries.layout.pixels)))
            counted.append(count)
        self.saved = counted
        return found


def require_metrics(folder: Path) -> None:
    """Refuse (Damaged) the metric lines of a run where they are not what it wrote.

    A finished run remembers all of them, another one those before its newest checkpoint.
    """
    if is_finished(folder):
        told = read_finished(folder).get("metrics")
    else:
        told = _of_newest(folder / "checkpoints")
    if told is not None:
        require_written(folder, told["bytes"], told["crc32"])


def _of_newest(folder: Path) -> dict[str, Any] | None:
    """As the newest checkpoint has it whose record is whole."""
    for path in sorted(entries(folder) if folder.is_dir() else [], reverse=True):
        try:
            meta = unsealed(path / "checkpoint.json", "").get("meta", {})
            told = {"bytes": meta["metrics"], "crc32": meta["metrics_crc32"]}
        except (RunError, KeyError, TypeError):
            continue
        if all(type(number) is int for number in told.values()):
            return told
    return None


def take_over(driver: Any, source: Path, recorder: MetricWriter) -> None:
    """Stand at the switch with another run's pre-training, and with its score before it."""
    run = read_run(source).get("id")  # says so where it is gone
    found = Checkpoints(source / "pretrained", keep=1, run=run).restore_newest(driver.model)
    if found is None:
        raise TaskError(
            f"the run in '{source}' has not finished its pre-training; "
            f"finish it first: {typed('resume', source)}"
        )
    _, tree, meta = found
    require_same(meta.get("data"), driver.data, driver.declared.task, str(source))
    driver.trainer.restore(tree, meta["trainer"], None)
    require_metrics(source)
    told = carried_over(source, driver.declared.seeds)
    for record in told:
        seed, phase, stage = record["seed"], record["phase"], record["stage"]
        where = (seed, phase, stage, record["updates"], record["env_steps"])
        more = {"tag": record["tag"], "carried": str(source)}
        recorder.write("eval", *where, 0.0, record["values"], **more)
    scores = ", ".join(f"seed {r['seed']}: {r['values']['score']:.1f}" for r in told)
    LOG.info(
        "The score before the switch is the one that %s ended its pre-training with%s.",
        source,
        f" ({scores})" if told else ", which was not evaluated there",
    )
