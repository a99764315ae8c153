"""What calls a program of the user's own, or a tracker, while a run goes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from warmstart.engine import RunEvent
from warmstart.errors import RunError, where

if TYPE_CHECKING:
    from warmstart.api.result import Run

LOG = logging.getLogger("warmstart")


class Callback:
    """Override the methods that you want: called in the order of the run, between its steps.

    `event.seed`, `event.phase`, `event.updates` and `event.env_steps` say where the run stands,
    `event.values` holds what a line of the metrics file holds: docs/schema.md. What raises is
    named in the log and not called again; the run goes on. Ctrl-C passes.
    """

    def on_begin(self, event: RunEvent) -> None:
        """The run begins or goes on; `values` has `folder` and `declared`."""

    def on_evaluation(self, event: RunEvent) -> None:
        """A seed was evaluated: `score`, `return_mean`, `success` and more; `event.tag`."""

    def on_episode_end(self, event: RunEvent) -> None:
        """A seed's training episode has ended: `return`, `length`, `success`."""

    def on_metrics(self, event: RunEvent) -> None:
        """Means over the updates since the last line, and measurements on fixed rows."""

    def on_checkpoint(self, event: RunEvent) -> None:
        """All that has happened so far is on disk; `values` has `step`, the checkpoint's number."""

    def on_end(self, run: Run) -> None:
        """The run has come to its end."""


_HEARD = {
    "begin": "on_begin",
    "eval": "on_evaluation",
    "episode": "on_episode_end",
    "train": "on_metrics",
    "diagnose": "on_metrics",
    "checkpoint": "on_checkpoint",
}


class Callbacks:
    """Several callbacks as one observer of a run's events.

    Raises RunError for one that is none.
    """

    def __init__(self, callbacks: Iterable[Callback] = ()) -> None:
        self._live: list[Any] = []
        for callback in callbacks:
            if isinstance(callback, type) or not _names(callback):
                raise RunError(
                    f"a callback is an object with some of {', '.join(sorted(_METHODS))}, not "
                    f"{callback!r}; subclass warmstart.Callback"
                )
            self._live.append(callback)

    def __call__(self, event: RunEvent) -> None:
        """Notify those who listen."""
        if self._live and (name := _HEARD.get(event.kind)) is not None:
            self._notify(name, event)

    def end(self, run: Run) -> None:
        """The run has come to its end."""
        self._notify("on_end", run)

    def _notify(self, name: str, said: Any) -> None:
        for callback in list(self._live):
            method: Callable[[Any], None] | None = getattr(callback, name, None)
            if method is None:
                continue
            try:
                method(said)
            except Exception as error:
                self._live.remove(callback)
                LOG.warning(
                    "The callback %s failed in %s (%s): it is not called again, and the run goes "
                    "on.",
                    type(callback).__name__,
                    name,
                    where(error),
                )


_METHODS = {*_HEARD.values(), "on_end"}


def _names(callback: Any) -> bool:
    return any(callable(getattr(callback, name, None)) for name in _METHODS)
