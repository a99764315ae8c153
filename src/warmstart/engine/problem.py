"""A task as the engine sees it, and when to look at the run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from warmstart.errors import RunError, did_you_mean
from warmstart.ranges import Whole, require_fields
from warmstart.tasks.reward import RewardTransform
from warmstart.types import JaxEnv, MakeEnv, Spec

DIP = (0, 250, 500, 1_000, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000, 20_000)
"""Online steps of the early evaluations: the dip lives there."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Numbers and arrays, no files and no names.

    `rows` [N, W] train, `held_out` [M, W] measure; both None without a dataset.
    `score` is (low, high), the raw returns that mean 0 and 100; None: the success rate in percent.
    With `jax_env` the simulator runs inside the compiled programs.
    At most `at_once` simulators of each seed are open for evaluation.
    `physical`: there is one environment, a robot; what `make_env` gives is that one each time.
    `frames` [F, P] uint8 has the images that `rows` and `held_out` number, where there are some.
    `data_score` is the mean score of the dataset's episodes; None where they do not tell.
    `failure_reward` is the transformed reward of a step without success in a sparse task.
    `interface`: the environment's own observations and actions, for who writes policies down.
    `env_name` is what errors call the environment.
    `base` is a policy of somebody else's, observations [N, O] to actions [N, A] in [-1, 1].
    """

    spec: Spec
    make_env: MakeEnv
    reward: RewardTransform
    return_rule: str
    failure_reward: float
    score: tuple[float, float] | None = None
    rows: np.ndarray | None = None
    held_out: np.ndarray | None = None
    jax_env: JaxEnv | None = None
    at_once: int = 20
    physical: bool = False
    interface: Mapping[str, Any] | None = None
    env_name: str = "the environment"
    data_score: float | None = None
    frames: np.ndarray | None = None
    base: Callable[[np.ndarray], np.ndarray] | None = None

    def fraction(self, raw_return: Any, success: Any) -> Any:
        """A return as a share of the way from the low to the high reference, else the success."""
        if self.score is None:
            return success
        low, high = self.score
        return (raw_return - low) / (high - low)


_LEAST = {
    "episodes": 1,
    "fixed_episodes": 0,
    "offline_every": 0,
    "online_every": 0,
    "log_every": 1,
    "diagnose_every": 0,
}


@dataclass(frozen=True)
class Schedule:
    """When to look. None of these numbers changes what is learnt.

    Attributes:
        episodes: evaluation episodes of a point of the curve.
        fixed_episodes: episodes of the phase boundaries (pretrained, switch, final); 0, for a
            robot alone: it is not evaluated there.
        offline_every: updates between two evaluations in pre-training (0: only at its end).
        online_every: steps between evaluations after the early ones (0: none).
        early: online steps of the early evaluations.
        log_every: updates or environment steps between two metric lines.
        frozen: evaluate the frozen pre-trained policy on the same schedule, as a noise floor.
        diagnose_every: online steps between two measurements on fresh rollouts up to the last of
            `early` (0: only with the evaluations); with it also by how familiar a pair is.
        films: at the end draw an episode before and after the online phase.
        compare: hold the pre-trained policy to the data's own score and, where it is far below,
            to a clone of the data.
    """

    episodes: int = 20
    fixed_episodes: int = 100
    offline_every: int = 50_000
    online_every: int = 5_000
    early: tuple[Whole, ...] = DIP
    log_every: int = 1_000
    frozen: bool = False
    films: bool = True
    diagnose_every: int = 0
    compare: bool = True

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            number = getattr(self, name)
            if type(number) is not int or number < least:
                raise RunError(
                    f"schedule: {name} cannot be {number!r}; give a whole number from {least} on"
                )
        require_fields(self, RunError)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Schedule:
        """A schedule with these numbers. Raises RunError for a name or number that cannot be."""
        known = [field.name for field in dataclasses.fields(cls)]
        for name in given:
            if name not in known:
                raise RunError(f"schedule has no '{name}'. {did_you_mean(name, known)}")
        return cls(**given)

    def online_due(self, step: int, total: int) -> bool:
        """Whether an evaluation belongs to this online step."""
        steady = self.online_every > 0 and step % self.online_every == 0
        return step in self.early or step == total or steady

    def diagnosis_due(self, step: int) -> bool:
        """Whether a measurement belongs to this online step, evaluated or not."""
        last = max(self.early, default=0)
        return self.diagnose_every > 0 and step <= last and step % self.diagnose_every == 0

    def next_online(self, step: int, total: int) -> int:
        """The next online step at which something is evaluated or logged."""
        stops = [total, next_multiple(step, self.log_every), *(e for e in self.early if e > step)]
        if self.online_every:
            stops.append(next_multiple(step, self.online_every))
        if self.diagnose_every:
            stops.append(next_multiple(step, self.diagnose_every))
        return min(stop for stop in stops if stop > step)


def next_multiple(counter: int, every: int) -> int:
    """The next multiple of `every` after `counter`."""
    return (counter // every + 1) * every
