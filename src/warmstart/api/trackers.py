"""A run's metric lines in a tracker's own form, while the run goes.

TensorBoard's files are made from the metrics at every report. What is named here needs a package
of its own and sends what that package is told to send (its own variables, such as
`WANDB_MODE=offline` and `MLFLOW_TRACKING_URI`, hold); nothing of it is imported before it is asked
for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from warmstart.api.callbacks import Callback, Callbacks
from warmstart.engine import RunEvent
from warmstart.errors import RunError, did_you_mean

if TYPE_CHECKING:
    from warmstart.api.result import Run


class Tracker(Protocol):
    """What a tracker has to do."""

    def begin(self, name: str, settings: dict[str, Any], key: str) -> None:
        """A run called `name` begins, or goes on; `key` is the same again where it goes on."""
        ...

    def log(self, values: dict[str, float], step: int) -> None:
        """Numbers by their names at a step that never falls."""
        ...

    def end(self) -> None:
        """Nothing more comes."""
        ...


class Tracked(Callback):
    """Passes on to a tracker what a run says.

    A number is named `seed_0/online/eval/score`. Its step counts updates in pre-training and, from
    the switch on, those plus the environment steps, so that it never falls.
    """

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self._before, self._last = 0, 0

    def on_begin(self, event: RunEvent) -> None:
        """Open the tracker's run."""
        folder, declared = event.values["folder"], event.values["declared"]
        stages = declared.recipe.pretrain
        self._before = sum(stage.updates for stage in stages)
        self._starts = [sum(s.updates for s in stages[:i]) for i in range(len(stages) + 1)]
        record = json.loads((Path(folder) / "run.json").read_text())
        settings = {k: record.get(k) for k in ("method", "preset", "task", "seeds", "command")}
        self.tracker.begin(Path(folder).name, settings, str(record.get("id") or Path(folder).name))

    def _log(self, event: RunEvent) -> None:
        who = "all" if event.seed is None else f"seed_{event.seed}"
        group = f"{who}/{event.phase}/{event.tag or event.kind}"
        values = {
            f"{group}/{name}": float(value)
            for name, value in event.values.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        offline = event.phase == "pretrain"
        at = (
            self._starts[event.stage] + event.updates if offline else self._before + event.env_steps
        )
        self._last = max(self._last, at)
        if values:
            self.tracker.log(values, self._last)

    on_evaluation = on_episode_end = on_metrics = _log

    def on_end(self, run: Any) -> None:
        """Close the tracker's run."""
        del run
        self.tracker.end()


class WandB:
    """Weights & Biases (`pip install 'warmstart[wandb]'`)."""

    def __init__(self) -> None:
        try:
            import wandb  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise _missing("wandb", error) from error
        self._wandb: Any = wandb
        self._run: Any = None

    def begin(self, name: str, settings: dict[str, Any], key: str) -> None:
        """See `Tracker`."""
        self._run = self._wandb.init(
            project="warmstart", name=name, id=key, resume="allow", config=settings
        )

    def log(self, values: dict[str, float], step: int) -> None:
        """See `Tracker`."""
        self._run.log(values, step=step)

    def end(self) -> None:
        """See `Tracker`."""
        self._run.finish()


class MLflow:
    """MLflow (`pip install 'warmstart[mlflow]'`)."""

    def __init__(self) -> None:
        try:
            import mlflow  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise _missing("mlflow", error) from error
        self._mlflow: Any = mlflow

    def begin(self, name: str, settings: dict[str, Any], key: str) -> None:
        """See `Tracker`."""
        self._mlflow.set_experiment("warmstart")
        found = self._mlflow.search_runs(
            filter_string=f"tags.warmstart_run = '{key}'", output_format="list"
        )
        again = {"run_id": found[0].info.run_id} if found else {"run_name": name}
        self._mlflow.start_run(**again)
        if not found:
            self._mlflow.set_tag("warmstart_run", key)
            self._mlflow.log_params({k: str(v)[:500] for k, v in settings.items()})

    def log(self, values: dict[str, float], step: int) -> None:
        """See `Tracker`."""
        self._mlflow.log_metrics(values, step=step)

    def end(self) -> None:
        """See `Tracker`."""
        self._mlflow.end_run()


TRACKERS: dict[str, Callable[[], Tracker]] = {"wandb": WandB, "mlflow": MLflow}


def trackers(names: Iterable[str]) -> list[Tracked]:
    """The named trackers as callbacks. Raises RunError for an unknown name or a missing package."""
    made = []
    for name in dict.fromkeys(names):
        if name not in TRACKERS:
            raise RunError(f"there is no tracker '{name}'. {did_you_mean(name, TRACKERS)}")
        made.append(Tracked(TRACKERS[name]()))
    return made


def _missing(name: str, error: ImportError) -> RunError:
    return RunError(
        f"--log {name} needs a package that is not installed ({error}); "
        f"pip install 'warmstart[{name}]'"
    )


def followed(
    work: Callable[[Callable[[RunEvent], None]], Run],
    seen: Callable[[RunEvent], None],
    callbacks: Iterable[Callback],
    log: Iterable[str],
) -> Run:
    """The run that `work` does, whose events go to `seen`, to callbacks and to named trackers.

    Raises RunError for a callback or a tracker that is none, before anything is done.
    """
    others = Callbacks([*callbacks, *trackers(log)])

    def emit(event: RunEvent) -> None:
        seen(event)
        others(event)

    run = work(emit)
    others.end(run)
    return run
