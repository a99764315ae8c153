"""A trainer and a run folder: records, checkpoints, segments, interrupts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from warmstart.api.declare import Declared
from warmstart.api.divergence import advised, stands
from warmstart.api.health import Signs
from warmstart.api.policies import Policies
from warmstart.api.prepare import problem_of
from warmstart.api.reread import Images, rows_of, take_over
from warmstart.api.shortfall import beside_floor, held_to_data
from warmstart.engine import Problem, RunEvent, Trainer
from warmstart.engine.run_state import Mark
from warmstart.engine.training_rows import checksum, require_same
from warmstart.errors import DivergedError, TaskError, WarmstartError, typed
from warmstart.files.interrupts import Interrupts
from warmstart.files.machine import require_space
from warmstart.replay import Layout
from warmstart.runs.checkpoints import Checkpoints, size_estimate
from warmstart.runs.folder import RunLock, read_run
from warmstart.runs.lines import KINDS
from warmstart.runs.records import MetricWriter
from warmstart.runs.segments import Segments

LOG = logging.getLogger("warmstart")
Observer = Callable[[RunEvent], None]
CHECKPOINT_SECONDS = 60.0
REFRESH_SECONDS = 0.5


class Interrupted(WarmstartError):
    """The run was asked to stop, and saved itself first."""


class Driver:
    """Runs a trainer in a folder, or keeps what an agent does there that is `driven`.

    `safe_steps` are the environment steps that its newest checkpoint knows.
    """

    def __init__(
        self,
        folder: Path,
        declared: Declared,
        problem: Problem | None = None,
        driven: bool = False,
    ) -> None:
        self.folder: Path = Path(folder)
        self.declared: Declared = declared
        self.problem: Problem = problem or problem_of(declared)
        self.trainer: Trainer = Trainer(
            declared.recipe, self.problem, declared.seeds, declared.schedule, self._pause, driven
        )
        self._id = read_run(self.folder).get("id")
        self.checkpoints: Checkpoints = Checkpoints(self.folder / "checkpoints", run=self._id)
        self.pretrained: Path = self.folder / "pretrained"
        self.segments: Segments = Segments(self.folder / "replay")
        seen = declared.seeds if self.problem.spec.cameras else ()
        self.images: Images = Images(self.folder / "images", seen)
        self.policies: Policies = Policies(self.folder, declared, self.problem, self._id)
        self.mismatched: list[int] = []
        self.signs = Signs(declared, self.problem)
        self._saves = self._saved_rows = 0
        self.safe_steps: int = 0
        self._kept: str | None = None
        self._saved_at = time.monotonic()
        self._refreshed = 0.0
        self._began = time.monotonic()
        self._best = -np.inf
        self._scores: dict[int, float] = {}
        self._ends: dict[str, dict[int, float]] = {}

    @contextmanager
    def open(self) -> Iterator[tuple[MetricWriter, Interrupts]]:
        with RunLock(self.folder), MetricWriter(self.folder) as recorder, Interrupts() as stop:
            self._stop = stop
            yield recorder, stop

    @cached_property
    def data(self) -> str | None:
        """Of a million rows it takes a while, and nobody who only looks needs it."""
        return checksum(self.problem)

    def disk_bytes(self) -> int:
        """An upper estimate of what the run will write."""
        width = Layout.of(self.problem.spec).width
        recipe, seeds = self.declared.recipe, len(self.declared.seeds)
        row = width * 4 + self.problem.spec.pixels
        ring = recipe.finetune.steps * row * seeds
        state = size_estimate(self.trainer.carries.model(self.trainer.position))
        return ring + 6 * state + 20_000_000

    def go(self, until: Literal["pretrained", "done"], observe: Observer) -> None:
        """Run to the end of pre-training or of all.

        Raises:
            Interrupted: after saving.
            TaskError: an environment failed; how to go on stands in it where anything is saved.
            DivergedError: a number that is learnt is not finite. No environment saw an action of
                it and no checkpoint holds it.
        """
        require_space(self.folder, self.disk_bytes())
        with self.open() as (recorder, stop):
            if not self.restored(recorder) and self.declared.source is not None:
                take_over(self, Path(self.declared.source), recorder)
            try:
                for event in self._events(until):
                    if event.kind in KINDS:
                        self.record(recorder, event)
                    observe(event)
                    at_end = bool(event.values.get("boundary"))
                    if event.kind == "safe" and self._safe(recorder, stop, at_end):
                        saved = {"step": self._saves}
                        observe(self.trainer.position.event("checkpoint", saved))
            except TaskError as error:
                if not self._saves:
                    raise
                told = str(error).rstrip(".")
                raise TaskError(f"{told}. Then: {typed('resume', self.folder)}") from error
            except DivergedError as error:
                at = self.trainer.position
                seen = self.trainer.held(at.env_steps) if at.env_steps else None
                known = self.declared, self.problem, at, self.folder, self._kept, seen
                told = advised(error, *known)
                self.record(recorder, at.event("warning", {"name": "diverged", "text": str(told)}))
                self._keep_rows(self.trainer.collected)
                raise told from error
            recorder.flush()

    def _events(self, until: Literal["pretrained", "done"]) -> Iterator[RunEvent]:
        """What happens, and what there is to say of it."""
        yield from self.signs.begin(self.trainer.position)
        for event in self.trainer.run(until):
            yield event
            yield from self.signs.see(event)
            yield from held_to_data(event, self.declared, self.problem, self._scores)

    def _keep_rows(self, rows: int) -> None:
        """Store what the environments said since the last checkpoint; `resume` takes it again."""
        if rows > self._saved_rows:
            self.segments.append(self._saved_rows, self.trainer.rows(self._saved_rows, rows))
            self._saved_rows = rows
            self.images.keep(self.trainer, rows)

    def record(self, recorder: MetricWriter, event: RunEvent) -> None:
        """Write a metric line."""
        values, extra = dict(event.values), {}
        if event.kind == "phase":
            extra = {"name": values.pop("name"), "event": values.pop("event")}
        if event.tag is not None:
            extra["tag"] = event.tag
        if event.kind == "eval" and event.tag != "frozen" and event.seed is not None:
            self._scores[event.seed] = event.values["score"]
            self.policies.scored(event)
            beside_floor(event, self.declared, self._ends)
        wall = time.monotonic() - self._began
        where = (event.seed, event.phase, event.stage, event.updates, event.env_steps)
        recorder.write(event.kind, *where, wall, values, **extra)

    def _pause(self) -> bool:
        now = time.monotonic()
        late = now - self._refreshed > REFRESH_SECONDS
        due = late or self._stop.requested is not None or self._crowded()
        if due:
            self._refreshed = now
        return due

    def _crowded(self) -> bool:
        """Whether half a ring of rows, or of images, is not on disk yet."""
        held = self.trainer.collected - self._saved_rows
        half = self.declared.recipe.replay.capacity // 2
        return held >= max(1, min(half, self.images.most(self.trainer)))

    def late(self) -> bool:
        """Whether a checkpoint is due."""
        return time.monotonic() - self._saved_at > CHECKPOINT_SECONDS or self._crowded()

    def _safe(self, recorder: MetricWriter, stop: Interrupts, boundary: bool) -> bool:
        """Save where that is due; whether it was. Raises Interrupted behind it where asked to."""
        mean = float(np.mean(list(self._scores.values()))) if self._scores else -np.inf
        better = len(self._scores) == len(self.declared.seeds) and mean > self._best
        due = boundary or better or self.late() or stop.requested is not None
        if due:
            if better:
                self._best = mean
            with stop.held():
                self.save(recorder, better)
        self._scores.clear()
        if stop.requested:
            again = typed("resume", self.folder)
            if self.trainer.driven:  # an agent's, which a program of its user's goes on with
                again = f"pretrain() of warmstart.Agent.open({str(self.folder)!r})"
            raise Interrupted(f"stopped by {stop.requested} and saved; go on with: {again}")
        return due

    def save(self, recorder: MetricWriter, best: bool, mark: Mark | None = None) -> None:
        """A checkpoint of this moment: rows first, then the state that names them."""
        trainer = self.trainer
        tree, meta = trainer.snapshot(mark)
        rows = trainer.inserted(tree)
        self._keep_rows(rows)
        meta = {
            "trainer": meta,
            "rows": rows,
            "metrics": recorder.position(),
            "metrics_crc32": recorder.checksum,
            "replay": self.segments.mark(rows),
            "wall": time.monotonic() - self._began,
            "data": self.data,
            "signs": self.signs.state(),
            "best": self._best if np.isfinite(self._best) else None,
        }
        meta |= self.images.meta()
        tree = {**tree, "returns": self._returns(rows)}
        self._saves += 1
        self.checkpoints.save(self._saves, tree, meta, best)
        self._write_policies(tree, best)
        if trainer.position.phase == "switch":
            Checkpoints(self.pretrained, keep=1, run=self._id).save(1, tree, meta)
        self._saved_at, self._kept = time.monotonic(), stands(trainer.position)
        self.safe_steps = meta["trainer"]["position"]["env_steps"]

    def _write_policies(self, tree: Any, best: bool, missing: bool = False) -> None:
        """Behind the checkpoint: a kill in between is made good when the run goes on."""
        at, carries = self.trainer.position, self.trainer.carries
        self.policies.write(carries.learner(at), at, tree["state"], best, missing)

    def _returns(self, rows: int) -> np.ndarray:
        """Returns-to-go of the collected rows [S, rows]: they change after a row is stored."""
        layout = Layout.of(self.problem.spec)
        if not self.declared.recipe.reads_returns or rows == 0:
            return np.zeros((len(self.declared.seeds), 0), np.float32)
        kept = min(rows, self.declared.recipe.replay.capacity)
        return np.ascontiguousarray(self.trainer.rows(rows - kept, rows)[..., layout.return_to_go])

    def model(self, meta: dict[str, Any]) -> Any:
        """What the tree of a checkpoint with this meta looks like."""
        rows = meta["rows"] if self.declared.recipe.reads_returns else 0
        kept = min(rows, self.declared.recipe.replay.capacity)
        returns = np.zeros((len(self.declared.seeds), kept), np.float32)
        return {**self.trainer.model(meta["trainer"]), "returns": returns}

    def restored(self, recorder: MetricWriter) -> bool:
        """Stand at the newest checkpoint; without one, whatever was written before goes."""
        rows: np.ndarray | None = None
        images: list[tuple[int, np.ndarray]] = []

        def also(meta: dict[str, Any]) -> None:
            nonlocal rows, images
            rows = rows_of(meta, self.segments, self.declared.recipe.replay.capacity)
            images = self.images.read(meta, self.trainer)

        found = None
        if (self.folder / "checkpoints").exists() and self.checkpoints.latest() is not None:
            found = self.checkpoints.restore_newest(self.model, also)
        if found is None:
            recorder.cut_back(0)
            for held in (self.segments, *self.images.seeds):
                held.read(0)
            return False
        step, tree, meta = found
        require_same(meta.get("data"), self.data, self.declared.task, str(self.folder))
        if rows is not None and tree["returns"].shape[1]:
            rows[..., Layout.of(self.problem.spec).return_to_go] = tree["returns"]
        self.checkpoints.discard_after(step)
        recorder.cut_back(meta["metrics"], meta.get("metrics_crc32"))
        self.mismatched = self.trainer.restore(tree, meta["trainer"], rows, images)
        if self.mismatched and self.declared.task.physical:
            LOG.info("The robot's open episode ends where it stood, and another begins.")
        elif self.mismatched:
            LOG.warning(
                "The open episode of seed(s) %s could not be replayed to the same observation; it "
                "ends where it stood, another begins, and what follows differs from an unbroken "
                "run.",
                ", ".join(map(str, self.mismatched)),
            )
        self._write_policies(tree, self.checkpoints.best() == step, missing=True)
        self._saves, self._saved_rows = step, meta["rows"]
        self.safe_steps = meta["trainer"]["position"]["env_steps"]
        self._kept = stands(self.trainer.position)
        self.signs: Signs = Signs(self.declared, self.problem, meta.get("signs"))
        self._began = time.monotonic() - meta["wall"]
        self._best = -np.inf if meta["best"] is None else meta["best"]
        return True

    def close(self) -> None:
        """Close every environment."""
        self.trainer.close()
