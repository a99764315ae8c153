"""What an action passes before it reaches a robot: limits, rates, and a guard."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.envs.interface import ActionBox
from warmstart.errors import RunError, TaskError, where
from warmstart.link.spaces import numbers_like
from warmstart.link.steps import copied
from warmstart.user_code.load import import_as
from warmstart.user_code.trust import name_code, whole_name

Guard = Callable[[Any, np.ndarray], Any]
"""`guard(obs, action)`: None or True lets it pass, False or a text (why) stops the robot; an array
is sent in its place, inside the limits."""


class Stopped(RunError):
    """The guard has stopped the robot; the action was not sent."""


class Safety:
    """Limits, rates and a guard, in the environment's own units.

    Args:
        box: the environment's.
        limits: (low, high), numbers or one for each action number, inside the box; None: the box.
        rate: the largest change from one action to the next, a number or one for each; None: any.
        rest: what the first action of an episode may differ from by `rate`; None: where the limits
            come nearest to zero.
        guard: see `Guard`.

    Attributes:
        changed: how many actions limits or rates have changed.

    Raises:
        TaskError: limits outside of the box or without width, or a rate that is not above 0.
    """

    def __init__(
        self,
        box: ActionBox,
        limits: tuple[Any, Any] | None = None,
        rate: Any = None,
        rest: Any = None,
        guard: Guard | None = None,
    ) -> None:
        low, high = box.limits
        self.low, self.high = low, high
        if limits is not None:
            self.low, self.high = (_spread(side, low, "limits") for side in limits)
            tight = np.all(self.low >= low) and np.all(self.high <= high)
            if not tight or not np.all(self.low < self.high):
                raise TaskError(
                    f"the limits {self.low.reshape(-1).tolist()} to "
                    f"{self.high.reshape(-1).tolist()} are no box inside the action box, "
                    f"{low.reshape(-1).tolist()} to {high.reshape(-1).tolist()}; give lower ones "
                    "that are below the upper ones"
                )
        self.rate: np.ndarray | None = None if rate is None else _spread(rate, low, "rate")
        if self.rate is not None and not np.all(self.rate > 0):
            raise TaskError("a rate is the largest change of an action, above 0; give such a one")
        nearest = np.zeros_like(low) if rest is None else _spread(rest, low, "rest")
        self._rest: np.ndarray = np.clip(nearest, self.low, self.high)
        self._guard = guard
        self._last: np.ndarray = self._rest
        self.changed: int = 0

    def begin(self) -> None:
        """An episode begins, at rest."""
        self._last = self._rest

    def __call__(self, obs: Any, action: np.ndarray) -> np.ndarray:
        """What may be sent in place of `action`.

        Raises:
            Stopped: nothing may be sent.
        """
        sent = self._held(action)
        if self._guard is not None:
            sent = self._guarded(obs, sent)
        if not np.array_equal(sent, action):
            self.changed += 1
        return sent

    def executed(self, action: np.ndarray) -> None:
        """This was really done: the next action differs from it by the rate at most."""
        self._last = np.clip(action, self.low, self.high)

    def _held(self, action: np.ndarray) -> np.ndarray:
        low, high = self.low, self.high
        if self.rate is not None:
            low = np.maximum(low, self._last - self.rate)
            high = np.minimum(high, self._last + self.rate)
        return np.clip(action, low, high).astype(action.dtype)

    def _guarded(self, obs: Any, action: np.ndarray) -> np.ndarray:
        assert self._guard is not None
        try:
            said = self._guard(copied(obs), action.copy())  # what it writes there is its own
        except (Exception, SystemExit) as error:
            raise Stopped(
                f"the guard failed ({where(error)}), so the robot was stopped and the action not "
                "sent; mend the guard"
            ) from error
        if said is None or (isinstance(said, bool | np.bool_) and said):
            return action
        if isinstance(said, bool | np.bool_ | str):
            why = f": {said}" if isinstance(said, str) else ""
            raise Stopped(
                f"the guard stopped the robot before an action was sent{why}; when all is well "
                "start the actor again"
            )
        other = numbers_like(said, action)
        if other is None:
            raise Stopped(
                f"the guard answered {str(said)[:60]!r}, so the robot was stopped; let it return "
                f"True, False, a reason, or an action of shape {list(action.shape)}"
            )
        return self._held(other)


def _spread(value: Any, like: np.ndarray, what: str) -> np.ndarray:
    """A number, or one for each number of an action, in an action's shape and type."""
    try:
        held = np.asarray(value, np.float64)
        held = held.reshape(like.shape) if held.size == like.size else held
        whole = np.broadcast_to(held, like.shape)
    except (TypeError, ValueError) as error:
        raise TaskError(
            f"{what} {value!r} does not fit an action of {like.size} numbers; give one number, or "
            "one for each"
        ) from error
    if not np.isfinite(whole).all():
        raise TaskError(f"{what} holds a number that is not finite; give finite ones")
    return whole.astype(like.dtype)


def guard_of(named: str | Guard) -> Guard:
    """A guard, or the one in `my_arm.py:guard`, a file that the user names and that is run.

    Raises TaskError: no such file or function.
    """
    if not isinstance(named, str):
        return named
    file, colon, name = named.rpartition(":")
    if not colon or not file.endswith(".py"):
        raise TaskError(f"'{named}' names no guard; give a file and its function: my_arm.py:guard")
    path = Path(whole_name(file))
    if not path.is_file():
        raise TaskError(f"there is no file '{path}'; check the path of your guard")
    name_code([file])
    module = _module(path)
    guard = getattr(module, name, None)
    if not callable(guard):
        raise TaskError(f"'{file}' has no function '{name}'; check the name of your guard")
    try:
        inspect.signature(guard).bind(None, None)
    except TypeError:
        raise TaskError(f"{named} does not take (obs, action); let it take these two") from None
    return guard


def _module(path: Path) -> Any:
    """The user's file; imported once, also where his environment stands in it."""
    known = sys.modules.get(path.stem)
    if known is not None and Path(getattr(known, "__file__", None) or "").resolve() == path:
        return known
    try:
        return import_as(path.stem if known is None else f"guard_{path.stem}", path)
    except (Exception, SystemExit) as error:
        raise TaskError(f"'{path}' cannot be imported ({where(error)}): mend it") from error
