"""The online loop over environments on the host, one step of every seed at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from warmstart.engine.episodes import Ended
from warmstart.engine.host import HostLoop
from warmstart.engine.position import Position
from warmstart.engine.seed_batch import SeedBatch
from warmstart.engine.stepper import Stepper
from warmstart.errors import TaskError, WarmstartError


class Driven:
    """The online loop where somebody else steps the environment, and calls the stepper."""

    def __init__(self, stepper: Stepper) -> None:
        self.stepper: Stepper = stepper
        self.preloaded: int = stepper.preloaded

    @property
    def failed(self) -> WarmstartError | None:
        """What ended the run, where something did."""
        return self.stepper.failed

    def stand(self, position: Position) -> None:
        """Go on from another position."""
        self.stepper.at = position

    def snapshot(self) -> dict[str, Any]:
        """The open episodes, and what is still to be learnt from."""
        return {**self.stepper.episodes.snapshot(), "due": self.stepper.pending()}

    def restore(self, data: dict[str, Any]) -> list[int]:
        """Stand in the open episodes of a snapshot; none is lost."""
        self.stepper.episodes.restore(data)
        self.stepper.put_back(data["due"])
        return []

    def catch_up(self, carry: SeedBatch) -> SeedBatch:
        """Insert and learn what is due."""
        return self.stepper.learn(carry)

    def close(self) -> None:
        """Nothing to close."""


class HostRunner(Driven):
    """Steps the training environments of all seeds in lock step.

    A tick learns what is owed, acts, and steps. Between ticks one step is to be learnt from;
    `catch_up` brings the carry up to date through the same programs, so that it can be looked at
    and saved without changing what follows.

    What ends the run does not raise here, where the carry would be lost: `failed` says what it
    was. Of a robot that failed in a reset or step (TaskError) the carry that `advance` gives may
    be saved. Where learning diverged (DivergedError) nobody saw an action of it.
    """

    def __init__(self, stepper: Stepper) -> None:
        super().__init__(stepper)
        problem = stepper.problem
        self.host: HostLoop = HostLoop(problem.make_env, stepper.episodes, problem.physical)
        self._stopped: TaskError | None = None

    @property
    def failed(self) -> WarmstartError | None:
        """What ended the run, where something did."""
        return self._stopped or self.stepper.failed

    def restore(self, data: dict[str, Any]) -> list[int]:
        """Play the open episodes again; the positions of those that are lost."""
        return self.host.restore(data)

    def advance(
        self, carry: SeedBatch, memory: SeedBatch, steps: int
    ) -> tuple[SeedBatch, SeedBatch, list[tuple[int, Ended]]]:
        """One environment step of every seed (of at most `steps`); (env step, episode) pairs."""
        del steps
        stepper = self.stepper
        carry = stepper.learn(carry)
        if stepper.failed is not None:
            return carry, memory, []
        try:
            self.host.begin()
            actions, memory = stepper.act(stepper.read(carry), memory)
            if not np.isfinite(actions).all():
                stepper.require_sound(carry, actions)
                return carry, memory, []
            ended = self.host.step(actions)
        except TaskError as error:
            if not self.host.physical:  # a simulator does the same again
                raise
            self._stopped = error
            return carry, memory, []
        stepper.observed(ended)
        return carry, memory, [(stepper.at.env_steps, episode) for episode in ended]

    def close(self) -> None:
        """Close the training environments."""
        self.host.close()
