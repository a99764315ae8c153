"""The environment behind an actor: opened without JAX, watched while it answers."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from warmstart.envs.given import handed
from warmstart.envs.interface import ActionBox, Observations, box_of, observations_of
from warmstart.envs.quirks import succeeded
from warmstart.envs.registry import close_environment, open_gymnasium
from warmstart.envs.spaces import (
    action_bounds,
    describe_spaces,
    observation_size,
    one_number,
    truth,
)
from warmstart.errors import RunError, TaskError, where
from warmstart.link.spaces import numbers_like
from warmstart.link.steps import copied
from warmstart.user_code.load import absolute_environment, register_own
from warmstart.user_code.trust import code_of, name_code

LOG = logging.getLogger("warmstart")
INTERVENTIONS = ("intervention", "intervene_action")
ROUNDING = 1e-5
"""Share of the action box's width by which numbers that were rounded may lie outside of it."""
LARGEST = float(np.finfo(np.float32).max)
"""What the robot may show: the learner takes an offset away, and looks closer."""
HALTING = 60.0
"""Seconds that `close` may take, or the timeout of a step where that is longer."""


def intervention_in(info: Mapping[str, Any]) -> Any:
    """What an environment's `info` says that somebody else executed; None, as it says by False too:
    nobody did."""
    for said in map(info.get, INTERVENTIONS):
        if said is not None and not (isinstance(said, bool | np.bool_) and not said):
            return said
    return None


class Answer(NamedTuple):
    """What the environment answered to an action."""

    obs: Any
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]
    intervention: np.ndarray | None  # what was executed in the action's place


class Late(RunError):
    """The environment has not answered, and may still be at it."""


class Robot:
    """One environment; everything that it is asked is asked in one thread.

    Args:
        env: an id such as `my_arm.py:Arm-v0`, an object, or a factory of one.
        kwargs: of an environment that an id names.
        timeout: seconds in which a step must be answered; None: any time.

    Attributes:
        name: for messages.
        interface: its spaces, as `spaces.describe_spaces` says them.
        box: of its actions.
        horizon: its own time limit in steps; 0: none.
        step_bytes: of the largest step, of which an episode's first one holds two observations.
        beyond: interventions outside of the box, of which the nearest action inside is taken.

    Raises:
        TaskError: it cannot be opened, or its spaces do not fit.
    """

    def __init__(
        self, env: Any, kwargs: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> None:
        self._timeout, self._hangs, self._closed = timeout, False, False
        self.beyond: int = 0
        self._asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        if timeout is not None:
            threading.Thread(target=self._answers, name="robot", daemon=True).start()
        self._env: Any = None
        self.name: str = "the environment"
        self._own = isinstance(env, str) or callable(env)
        self._ask(lambda: self._open(env, dict(kwargs or {})), None)
        space, actions = self._env.observation_space, self._env.action_space
        observation_size(space, self.name)
        action_bounds(actions, self.name)
        self.interface: dict[str, Any] = describe_spaces(space, actions)
        self._observations: Observations = observations_of(self.interface["observation"], LARGEST)
        self.box: ActionBox = box_of(self.interface["action"])
        sizes = [part.size * (1 if part.image else 8) for part in self._observations.parts]
        self.step_bytes: int = 2 * sum(size + 256 for size in sizes) + 65_536
        spec = getattr(self._env, "spec", None)
        self.horizon: int = (spec and spec.max_episode_steps) or 0

    def _open(self, env: Any, kwargs: dict[str, Any]) -> None:
        if isinstance(env, str):
            name_code(code_of(env, kwargs))
            self.name = f"environment {env}"
            named = register_own(absolute_environment(env), kwargs)
            self._env = open_gymnasium(named, kwargs)
            return
        given = handed(env)
        self.name, self._env = f"environment {given.name}", given.open()

    def reset(self) -> Any:
        """Begin an episode; what it shows. It may take any time. Raises TaskError."""

        def reset() -> Any:
            try:
                answer = self._env.reset()
            except (Exception, SystemExit) as error:
                raise self._failed("reset", error) from error
            if not (isinstance(answer, tuple) and len(answer) == 2):
                raise TaskError(f"{self.name} answered a reset with no pair; return obs, info")
            return answer[0]

        return self._look(self._ask(reset, None))

    def step(self, action: np.ndarray) -> Answer:
        """Send an action; the answer.

        Raises:
            Late: none came in time.
            TaskError: the environment failed, or answered with what is none.
        """

        def step() -> Any:
            try:
                return self._env.step(action)
            except (Exception, SystemExit) as error:
                raise self._failed("step", error) from error

        answer = self._ask(step, self._timeout)
        if not (isinstance(answer, tuple) and len(answer) == 5):
            raise TaskError(
                f"{self.name} answered a step with something else than five parts; return obs, "
                "reward, terminated, truncated, info"
            )
        obs, reward, terminated, truncated, info = answer
        obs = self._look(obs)
        if not isinstance(info, Mapping | None):
            raise TaskError(f"{self.name} answered with an info that is no dict; return one")
        paid = self._read("reward", one_number, reward)
        if not np.isfinite(paid):
            raise TaskError(f"{self.name} answered with the reward {paid}; give a finite number")
        if abs(paid) > LARGEST:
            raise TaskError(
                f"{self.name} answered with the reward {paid:g}, which is beyond float32; scale it"
            )
        told = dict(info or {})
        return Answer(
            obs,
            paid,
            self._read("terminated", truth, terminated),
            self._read("truncated", truth, truncated),
            told,
            self._intervention(told),
        )

    def succeeded(self, answer: Answer) -> bool:
        """Whether the step's `info` says so. Raises TaskError for what is no yes or no."""
        return self._read("success", succeeded, answer.info) is True

    def _intervention(self, info: dict[str, Any]) -> np.ndarray | None:
        """What somebody else executed, inside the box, as the environment's `info` says it."""
        found = intervention_in(info)
        if found is None:
            return None
        low, high = self.box.limits
        held = numbers_like(found, low)
        if held is None:
            raise TaskError(
                f"{self.name} says in info['intervention'] that {str(found)[:60]} was executed; "
                f"give finite numbers of shape {list(low.shape)}, in its own units, or None where "
                "nobody intervened"
            )
        inside = np.clip(held, low, high)
        beyond = np.flatnonzero(np.abs(inside - held) > ROUNDING * (high - low))
        if beyond.size:
            self._tell_beyond(held, int(beyond[0]))
        return inside

    def _tell_beyond(self, held: np.ndarray, first: int) -> None:
        """Count an intervention that lies outside of the box, and say the first one."""
        self.beyond += 1
        if self.beyond == 1:
            low, high = (side.reshape(-1)[first] for side in self.box.limits)
            LOG.warning(
                "%s says in info['intervention'] that number %d of an action was %g, outside of "
                "the action box (%g to %g): what lies nearest is learnt from. Give it in the "
                "environment's own units, or widen its action space.",
                self.name, first, held.reshape(-1)[first], low, high,
            )  # fmt: skip

    def _look(self, obs: Any) -> Any:
        """The observation, apart from the robot's own buffers, into which cameras go on to write.

        Raises TaskError for one that nobody could learn from.
        """
        obs = copied(obs)
        try:
            batch = self._observations(obs)[1]
        except TaskError as error:
            raise TaskError(f"{self.name}: {error}") from error
        if batch:
            raise TaskError(f"{self.name} showed a batch of observations; show one")
        return obs

    def _read(self, what: str, read: Callable[[Any], Any], value: Any) -> Any:
        try:
            return read(value)
        except (TypeError, ValueError) as error:
            shown = " ".join(repr(value).split())[:60]
            raise TaskError(f"{self.name} answered with {what} {shown}; mend that") from error

    def _failed(self, at: str, error: BaseException) -> TaskError:
        return TaskError(f"{self.name} failed in {at} ({where(error)}); mend the environment")

    def close(self) -> None:
        """Let go of the robot, once, unless it hangs: its `close` has to bring it to a halt."""
        if self._closed:
            return
        self._closed = True
        if self._env is not None and self._own and not self._hangs:
            patience = max(self._timeout or 0.0, HALTING)  # it is not to be left half way
            try:
                self._ask(lambda: close_environment(self._env, self.name), patience)
            except Late as error:
                LOG.warning("In close: %s", error)
        self._asked.put(None)

    def _ask(self, what: Callable[[], Any], timeout: float | None) -> Any:
        if self._timeout is None:
            return what()
        self._asked.put(what)
        try:
            good, answer = self._told.get(timeout=timeout)
        except queue.Empty:
            self._hangs = True
            raise Late(
                f"{self.name} has not answered for {timeout:g} seconds, so nothing more is sent "
                "to it; look at the robot, or give it more time with --timeout"
            ) from None
        if not good:
            raise answer
        return answer

    def _answers(self) -> None:
        while (what := self._asked.get()) is not None:
            try:
                self._told.put((True, what()))
            except BaseException as error:
                self._told.put((False, error))
