"""A policy for use outside of its run, in NumPy and the environment's own units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from warmstart.envs.interface import (
    ActionBox,
    Observations,
    box_of,
    from_box,
    observations_of,
)
from warmstart.errors import RunError, TaskError
from warmstart.policy.base import BasePolicy
from warmstart.policy.carried import inside
from warmstart.policy.folder import CARD, Stored, read_beside, read_policy
from warmstart.policy.kinds import kind_of
from warmstart.policy.learnt import Learnt, Policy
from warmstart.policy.networks import build
from warmstart.policy.onnx_file import onnx_base
from warmstart.policy.rules import Rule, rule_of
from warmstart.types import TOO_LARGE

State = tuple[np.ndarray, ...] | None
_ILL = (ValueError, TypeError, KeyError, IndexError, AttributeError)
"""What a card raises that says something else than a run's."""


class NoNumpyForm(RunError):
    """A policy that acts in JAX alone; `why` in words."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why: str = why


class NumpyPolicy:
    """A learnt policy in NumPy: `actor(obs) -> action`, in the environment's own units.

    Observations are the environment's own (a dict of arrays where it observes one), flat [O], or a
    batch of either, [N, ...]. Actions have the environment's shape and type, and lie in its box.
    They are what the run's evaluation does, up to rounding, its acting rule included; PEX's own
    chooses a share of its evaluation's actions by chance, and greedily here.

    It is plain data: it can be pickled, and needs neither JAX nor the environment nor the data.

    Attributes:
        card: what `policy.json` says; docs/schema.md lists it.
        observations, box: from the environment's observations to flat numbers, and from actions
            in [-1, 1] to its box.
        learnt, rule: the networks, and who chooses the action.
        base: what a correction corrects; None: it is none.
    """

    def __init__(self, stored: Stored) -> None:
        self.card: dict[str, Any] = stored.card
        _require_finite(stored)
        self.base: BasePolicy | None = _base_of(stored)
        try:
            kind_of(self.card["distribution"])
            self.observations: Observations = observations_of(self.card["observation"])
            self.box: ActionBox = box_of(self.card["action"])
            self.rule: Rule = rule_of(self.card["acting"])
            self.learnt: Learnt = _learnt(self.card, stored.tensors, self.box.size)
            self._try_out()
        except RunError as error:
            raise _without(stored, str(error)) from error
        except _ILL as error:
            raise _no_policy(stored, error) from error

    @property
    def acts_on(self) -> str:
        """What an action in evaluation is a function of: "observation", "episode" (so far), or
        "rewards": the episode with what the environment paid."""
        if self.rule.reads_rewards:
            return "rewards"
        return "episode" if self.rule.remembers(False) else "observation"

    def __call__(self, obs: Any) -> np.ndarray:
        """`act`."""
        return self.act(obs)

    def act(self, obs: Any) -> np.ndarray:
        """What the policy does in evaluation.

        Raises:
            TaskError: an observation of another shape, numbers that are not finite, or a policy
                that acts on the episode so far: see `predict`.
        """
        self._require_no_memory(False)
        return self.predict(obs)[0]

    def sample(self, obs: Any, rng: np.random.Generator) -> np.ndarray:
        """What it does in training: a draw, or its action with noise. Raises as `__call__`."""
        self._require_no_memory(True)
        return self.predict(obs, deterministic=False, rng=rng)[0]

    def predict(
        self,
        obs: Any,
        state: State = None,
        episode_start: Any = None,
        deterministic: bool = True,
        *,
        rng: np.random.Generator | None = None,
        reward: Any = None,
    ) -> tuple[np.ndarray, State]:
        """Actions, and the state for the next call, as in Stable-Baselines3.

        Args:
            obs: one observation or a batch of N.
            state: what the call before returned; None at the start of the episodes.
            episode_start: [N] (or one) bool, whose episodes begin here; None: all, where `state`
                is None, else none.
            deterministic: as in evaluation; False: as in training, which draws from `rng`.
            rng: of the draws; the caller's, so that they can be had again.
            reward: [N] (or one), what the environment paid for the last step; only policies that
                are asked for a return (DT, ODT) read it.

        Raises:
            TaskError: an observation of another shape, numbers that are not finite, a draw
                without `rng`, or a state or reward that is missing or of other sizes.
        """
        flat, batch = self.observations(obs)
        if deterministic:
            rng = None
        elif not isinstance(rng, np.random.Generator):
            raise TaskError(
                "deterministic=False draws actions; give rng=np.random.default_rng(SEED), the same "
                "one at every call"
            )
        memory, first = self._begun(len(flat), state, episode_start, rng is not None)
        if reward is not None:
            reward = _each(reward, len(flat), "reward")
            if not (np.abs(reward) <= TOO_LARGE).all():
                raise TaskError(
                    f"the reward is {reward.tolist()}; give what the environment paid, finite "
                    f"numbers not beyond {TOO_LARGE:g}"
                )
            reward = reward.astype(np.float32)
        action, memory = self.rule(self.learnt, self.seen(flat), memory, first, rng, reward)
        action = self.box(action)
        if not np.isfinite(action).all():
            raise TaskError(
                "the policy's action is not finite: this observation lies far beyond what it "
                "learnt from; look into the environment or sensor before you act on it"
            )
        return (action if batch else action[0]), memory

    def seen(self, flat: np.ndarray) -> np.ndarray:
        """Flat observations [N, O] as the networks see them: a base's action stands behind."""
        return flat if self.base is None else np.concatenate([flat, self.base(flat)], axis=1)

    def executed(self, state: State, action: Any) -> State:
        """The state where another action was executed than `predict` gave: one, in the
        environment's units. Only policies that see their own actions (DT, ODT), or go through a
        chunk of them, remember it."""
        unit = from_box(np.asarray(action, np.float32).reshape(1, -1), self.box.low, self.box.high)
        return self.rule.executed(state, np.clip(unit, -1.0, 1.0))

    def _require_no_memory(self, explores: bool) -> None:
        if self.rule.remembers(explores):
            raise TaskError(
                f"this policy ({type(self.rule).__name__}) acts on the episode so far; call "
                "action, state = actor.predict(obs, state), with state None at an episode's start"
            )

    def _begun(
        self, count: int, state: State, start: Any, explores: bool
    ) -> tuple[State, np.ndarray]:
        """The state, and whose episodes begin here [N]."""
        if start is None:
            first = np.full(count, state is None)
        else:
            first = _each(start, count, "episode_start").astype(bool)
        if state is not None and any(len(part) != count for part in state):
            raise TaskError(
                f"state is of {len(state[0])} episode(s), the observation of {count}; give the "
                "state that the call before returned"
            )
        remembers = self.rule.remembers(explores)
        if state is None and remembers and not first.all():
            raise TaskError(
                "this policy acts on the episode so far; give the state that the call before "
                "returned, or begin the episode with episode_start=True"
            )
        return state, first

    def _try_out(self) -> None:
        """Shapes that do not fit together are found at once. Raises ValueError."""
        size = self.observations.size + (0 if self.base is None else self.box.size)
        obs = np.zeros((2, size), np.float32)
        action = self.rule.tried(self.learnt, obs)
        if action.shape != (2, self.box.size):
            raise ValueError(f"actions of {action.shape[1:]} numbers for {self.box.size}")


def load_policy(folder: Path | str) -> NumpyPolicy:
    """The policy in a folder that `warmstart export` wrote, or in any policy folder.

    Needs NumPy and safetensors alone: neither JAX nor Gymnasium nor the run. Where it corrects an
    ONNX file it needs onnxruntime too.

    Raises:
        RunError: no such folder, a damaged one, one that another version wrote, weights that are
            not finite, a network or acting rule that is not known here, or a base policy that is
            no part of the folder.
    """
    try:
        path = Path(folder)
    except TypeError:
        raise RunError(
            f"the folder of a policy is a path, not {folder!r}; give the one that `warmstart "
            "export` wrote"
        ) from None
    return NumpyPolicy(read_policy(path))


def _require_finite(stored: Stored) -> None:
    for name, tensor in stored.tensors.items():
        if name.startswith(("nets.", "pretrained.", "prior.")) and not np.isfinite(tensor).all():
            raise RunError(
                f"the weights in '{stored.path}' are not finite ({name}): the run that wrote them "
                "had diverged; take the policy of another checkpoint or seed"
            )


def _learnt(card: dict[str, Any], tensors: dict[str, np.ndarray], actions: int) -> Learnt:
    told = build(card["state"], tensors)
    kind, normalise = card["distribution"], card["normalise"]
    policy = Policy(told["nets"]["actor"], kind, normalise, told["stats"])
    pretrained, critics = told["pretrained"], told["nets"].get("critic")
    pretrained = (
        Policy(pretrained["actor"], kind, normalise, pretrained["stats"])
        if "actor" in pretrained
        else None
    )
    if critics is not None and pretrained is not None and card["width"] is not None:
        raise RunError("critics that stand on the frozen policy's density have no form in NumPy")
    reward = card["reward"]["scale"], card["reward"]["bias"]
    steps = (card.get("step") or {}).get("env_steps", 0)
    return Learnt(
        policy, pretrained, critics, told["signals"], told["stats"], reward, actions, steps
    )


def _without(stored: Stored, why: str) -> NoNumpyForm:
    return NoNumpyForm(
        f"the policy in '{stored.path}' cannot act in NumPy: {why}; `warmstart evaluate` of its "
        "run acts by it",
        why,
    )


def _no_policy(stored: Stored, error: Exception) -> RunError:
    return RunError(
        f"'{stored.path / CARD}' does not describe a policy ({error!r}); take one that a run wrote"
    )


def _base_of(stored: Stored) -> BasePolicy | None:
    """The policy that this one corrects, where it does. Raises RunError: the folder has none."""
    card, told = stored.card, stored.card.get("base")
    try:
        if told is None:
            if card["distribution"] == "residual":
                raise _without(stored, "it corrects a base policy, which is no part of the folder")
            return None
        name = told["name"]
        if told["is"] == "apart":
            why = f"it corrects the policy '{name}', which is no part of the folder: {told['why']}"
            raise _without(stored, why)
        if told["is"] == "onnx":
            return onnx_base(name, read_beside(stored.path, told), card)
        policy = NumpyPolicy(inside(stored))
        policy.observations.offset = None  # it is taken away already
        return BasePolicy(name, policy, card, many=True)
    except _ILL as error:
        raise _no_policy(stored, error) from error


def _each(value: Any, count: int, name: str) -> np.ndarray:
    held = np.asarray(value)
    if held.shape not in ((), (count,)) or held.dtype.kind not in "biuf":
        raise TaskError(
            f"{name} has shape {list(held.shape)} for {count} observation(s); give one for each"
        )
    return np.broadcast_to(held, count)
