"""Who acts for a robot: the warm-up, then the newest weights that arrived, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from warmstart.envs.interface import ActionBox
from warmstart.errors import RunError
from warmstart.link.frames import UNREADABLE, Frame, pack
from warmstart.policy.actor import NumpyPolicy, State
from warmstart.policy.folder import CARD, Stored, read_policy, write_policy

AGAIN = "start the actor again"


@dataclass(frozen=True)
class WarmUp:
    """Who takes the first steps, as the recipe says: see `warmstart.recipe.WarmUp`."""

    steps: int = 0
    by: str = "online"


@dataclass(frozen=True, eq=False)
class Weights:
    """A policy with a version; `warm` acts in the warm-up where that is neither it nor chance."""

    version: int
    policy: NumpyPolicy
    warm: NumpyPolicy | None = None


class Acting:
    """Chooses actions, one step after another; whoever brings weights swaps them by one reference.

    Args:
        box: of the actions.
        warmup: who takes the first steps.
        seed: of draws.
        explores: whether it acts as in training; else as in evaluation.
    """

    def __init__(self, box: ActionBox, warmup: WarmUp, seed: int, explores: bool = True) -> None:
        self._box, self.warmup, self.explores = box, warmup, explores
        self._rng = np.random.default_rng(seed)
        self.weights: Weights | None = None
        self._state: State = None
        self._acted: NumpyPolicy | None = None

    def begin(self) -> None:
        """An episode begins."""
        self._state = None

    def choose(self, number: int, obs: Any, reward: float) -> tuple[np.ndarray, int]:
        """An action for the step of this number, and the version that chose it.

        Args:
            number: steps that this robot has taken before.
            obs: what the environment shows.
            reward: what it paid for the last step.

        Raises:
            TaskError: an observation of another shape or not finite, or an action that is not.
        """
        weights = self.weights
        assert weights is not None
        warm = number < self.warmup.steps
        if warm and self.warmup.by == "random":
            self._acted = None
            unit = self._rng.uniform(-1.0, 1.0, self._box.size).astype(np.float32)
            return self._box(unit), -1
        policy = weights.warm if warm and weights.warm is not None else weights.policy
        action, self._state = policy.predict(
            obs,
            self._state,
            self._state is None,
            deterministic=not self.explores,
            rng=self._rng,
            reward=reward,
        )
        self._acted = policy
        return action, weights.version

    def executed(self, action: np.ndarray) -> None:
        """Something else than the last choice was executed."""
        if self._acted is not None and self._state is not None:
            self._state = self._acted.executed(self._state, action)


def weights_frame(version: int, policy: Stored, warm: Stored | None) -> bytes:
    """A policy as a message; `warm`: the warm-up's, where it is another."""
    told: dict[str, Any] = {"version": version, "card": policy.card, "warm_card": None}
    arrays = {f"policy/{k}": np.asarray(v) for k, v in policy.tensors.items()}
    if warm is not None:
        told["warm_card"] = warm.card
        arrays |= {f"warm/{k}": np.asarray(v) for k, v in warm.tensors.items()}
    return pack("weights", told, arrays)


def weights_of(frame: Frame, before: Weights | None, folder: Path) -> Weights:
    """What a weights frame brings. `folder` stands in messages.

    Raises:
        RunError: they are not finite, or no policy that NumPy knows.
    """
    told = frame.told
    try:
        policy = _policy(folder, told["card"], _own("policy", frame))
        warm = None if before is None else before.warm
        if told.get("warm_card") is not None:
            warm = _policy(folder, told["warm_card"], _own("warm", frame))
        return Weights(int(told["version"]), policy, warm)
    except UNREADABLE as error:
        raise RunError(f"a message of weights holds no policy ({error!r})") from error


def _policy(folder: Path, card: dict[str, Any], tensors: dict[str, np.ndarray]) -> NumpyPolicy:
    for name, tensor in tensors.items():
        if name.startswith("stats.") and not np.isfinite(tensor).all():
            raise RunError(f"the statistics of observations are not finite ({name})")
    return NumpyPolicy(Stored(folder, card, tensors))


def _own(part: str, frame: Frame) -> dict[str, np.ndarray]:
    head = f"{part}/"
    return {k.removeprefix(head): v for k, v in frame.arrays.items() if k.startswith(head)}


def keep_weights(folder: Path, frame: Frame) -> None:
    """Put what a weights frame brings on the robot's disk, for the time after a restart.

    Raises RunError where it cannot be written; what lay there is then whole.
    """
    told = frame.told
    if told.get("warm_card") is not None:
        write_policy(folder / "warm", told["warm_card"], _own("warm", frame), AGAIN)
    card = {**told["card"], "version": told["version"]}
    write_policy(folder / "policy", card, _own("policy", frame), AGAIN)


def kept_weights(folder: Path) -> Weights | None:
    """The newest weights on the robot's disk; None where there are none yet.

    Raises RunError where they are damaged.
    """
    if not (folder / "policy" / CARD).exists():
        return None
    stored, warm = read_policy(folder / "policy"), None
    version = stored.card.get("version")
    if type(version) is not int:
        raise RunError(
            f"'{folder / 'policy'}' holds a policy that no learner sent; move it away, and the "
            "learner sends its own"
        )
    if (folder / "warm" / CARD).exists():
        warm = NumpyPolicy(read_policy(folder / "warm"))
    return Weights(version, NumpyPolicy(stored), warm)
