"""TensorBoard event files, derived from the metric lines."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from warmstart.files.durable import PAGE_AGAIN, cannot_write
from warmstart.runs.records import read

EVENTS = "tensorboard"


def sync_events(folder: Path) -> Path:
    """Rewrite `folder/tensorboard` from `metrics.jsonl`, one TensorBoard run for each seed.

    The old event files go first, so that no point is doubled or lost after a resume. A scalar is
    named `phase/kind/value` (an evaluation: `phase/tag/value`); its step is the number of gradient
    steps in pre-training and of environment steps online; its time is seconds since the run began.

    Raises:
        RunError: the folder cannot be read or written.
    """
    # Slow to import, and not every run wants it.
    from tensorboardX import FileWriter
    from tensorboardX.proto import summary_pb2

    proto: Any = summary_pb2  # its classes are made at run time, unseen by a type checker
    target = Path(folder) / EVENTS
    records = read(folder)
    try:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        writers: dict[str, FileWriter] = {}
        try:
            for record in records:
                seed = record["seed"]
                name = "all" if seed is None else f"seed_{seed}"
                group = f"{record['phase']}/{record.get('tag', record['kind'])}"
                points = [
                    proto.Summary.Value(tag=f"{group}/{key}", simple_value=value)
                    for key, value in record["values"].items()
                    if isinstance(value, (int, float))
                ]
                if not points:
                    continue
                if name not in writers:
                    writers[name] = FileWriter(str(target / name))
                step = record["updates" if record["phase"] == "pretrain" else "env_steps"]
                # One event a line: a hundred thousand scalars take seconds and not minutes.
                writers[name].add_summary(
                    proto.Summary(value=points), step, walltime=record["wall"]
                )
        finally:
            for writer in writers.values():
                writer.close()
    except OSError as error:
        raise cannot_write(target, error, PAGE_AGAIN) from error
    return target
