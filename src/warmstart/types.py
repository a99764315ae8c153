"""The nouns that every floor shares.

Axis letters used in annotations everywhere: S seeds, G gradient steps, U minibatches of one
update, B batch, E ensemble, N sampled actions, T time, O observation and A action dimension.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np

Array = Any
"""A JAX or NumPy array."""
TOO_LARGE = 1e18
"""The square of a number beyond this is not finite in float32, nor is a loss with it."""


@dataclass(frozen=True)
class Camera:
    """An image among the observations: uint8, colours last."""

    name: str
    shape: tuple[int, int, int]  # H, W, C

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))

    @property
    def size(self) -> int:
        """Bytes of one image."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Spec:
    """What a learner must know of an environment: sizes alone.

    Observations are flat float32 vectors of `obs_dim` numbers, actions are in [-1, 1]^A. Behind
    what is no image stand the pixels of the `cameras`, from 0 to 255, in this order.
    `horizon` is the time limit in steps (0: none).
    """

    obs_dim: int
    action_dim: int
    horizon: int = 0
    cameras: tuple[Camera, ...] = ()

    def __post_init__(self) -> None:
        held = (c if isinstance(c, Camera) else Camera(**c) for c in self.cameras)
        object.__setattr__(self, "cameras", tuple(held))

    @property
    def pixels(self) -> int:
        """P, bytes of the images of all cameras."""
        return sum(camera.size for camera in self.cameras)

    @property
    def numbers(self) -> int:
        """How many of the O numbers are no pixels."""
        return self.obs_dim - self.pixels


class WithPixels(NamedTuple):
    """Observations [..., O] of which P are pixels, as a batch holds them."""

    numbers: Array  # [..., O - P] float32
    pixels: Array  # [..., P] uint8

    @property
    def shape(self) -> tuple[int, ...]:
        """[..., O], as of the flat form."""
        return (*self.numbers.shape[:-1], self.numbers.shape[-1] + self.pixels.shape[-1])


class Transition(NamedTuple):
    """One step, or any stack of steps: every field carries the same leading axes.

    `mask` is 1 - terminated: a time limit never masks. `last` marks the end of an episode for
    either reason. `return_to_go` is -inf where unknown. `online` is 1 for rows collected by this
    run, 2 where somebody else than the policy acted in it, and 0 for rows of the dataset. `gate` is
    no part of a row: the source of a batch says it. `next_action` is the action that was logged
    after the row, where a learner asks for it: zeros where `followed` is 0, at an episode's end and
    on the newest row of one that goes on. A learner of chunks is given `later`, and makes of it a
    row whose action is a chunk, with `counts`.
    """

    obs: Array  # [..., O]; of a batch with images `WithPixels`
    action: Array  # [..., A], in [-1, 1]
    reward: Array  # [...], after the task's reward transform
    mask: Array  # [...], 1 - terminated
    next_obs: Array  # [..., O]
    last: Array  # [...], terminated or truncated
    t: Array  # [...], step in the episode, from 0
    return_to_go: Array  # [...], discounted, of transformed rewards
    online: Array  # [...]
    gate: Array = 1.0  # [...], how much a gated part counts here: a whole batch alike
    next_action: Array | None = None  # [..., A]
    followed: Array | None = None  # [...], 1 where there is a next action
    later: Any = None  # `replay.rows.Later`
    counts: Any = None  # `equations.chunks.Counts`


class Clock(NamedTuple):
    """Shared counters, outside the seed axis: a branch on them is a real branch."""

    updates: Array  # gradient steps of the running stage
    env_steps: Array  # environment steps of the online phase, per seed
    budget: Array  # gradient steps or environment steps that the phase will take in all


class EpisodeEnd(NamedTuple):
    """A training episode of one seed has ended."""

    score: Array  # [], normalised: 0 random, 1 reference; where a task has none, the success
    length: Array  # [] steps


class Evaluated(NamedTuple):
    """The policy of one seed has been evaluated online."""

    score: Array  # [], mean over the episodes, on the same scale
    length: Array  # [], mean steps of an episode
    switch: Array  # [], 1 for the evaluation right after the handover


Event = EpisodeEnd | Evaluated
"""What the engine notifies those that subscribe of."""


class Listener:
    """What may remember something in `State.signals`: an acting rule, a controlled weight.

    `subscribes` names the events that it acts on; it is notified of no others.
    """

    subscribes: ClassVar[tuple[type[EpisodeEnd] | type[Evaluated], ...]] = ()

    def signals(self) -> dict[str, Any]:
        """What it remembers at the start: arrays by name, names of its own."""
        return {}

    def observe(self, signals: dict[str, Any], event: Event) -> dict[str, Any]:
        """The signals after something happened; changes nothing but its own."""
        del event
        return signals


class Step(NamedTuple):
    """What an acting rule sees of one environment, for a batch [B]."""

    obs: Array  # [B, O]
    last_reward: Array  # [B]
    first: Array  # [B], 1 on the first step of an episode


class Context(NamedTuple):
    """The last T steps of an episode, as a network over sequences sees them."""

    returns: Array  # [..., T], obtained from here on, or still wanted
    obs: Array  # [..., T, O]
    action: Array  # [..., T, A], of anything at the last step of acting: nobody sees it
    t: Array  # [..., T], step in the episode; -1 where there is none
    key: Array | None = None  # of dropout; None: nothing is dropped


@dataclass(frozen=True, repr=False)
class Dataset:
    """Logged transitions in flat arrays, raw rewards, actions already in [-1, 1].

    Attributes:
        obs: [N, O] float32.
        actions: [N, A] float32 in [-1, 1].
        rewards: [N] float32, as logged.
        terminated: [N] bool, a real end: no value after it.
        truncated: [N] bool, the last row of an episode that was cut (time limit, end of file).
        next_obs: [N, O] float32, the true next observation also on the last row of an episode.
        info: plain JSON-able facts: name, env id and arguments, source, manifest.
        success: [N] bool, rows at which the task was solved; None: the data do not say.
        frames: [F, P] uint8, every image once, the cameras' side by side; None: no images. They
            are no part of `obs` and `next_obs`, which may then have no numbers at all.
        frame, next_frame: [N] int, which of the frames is seen before and after the step.
        cameras: whose images these are.

    An episode ends where `terminated | truncated`; the last row of all always ends one.
    """

    obs: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    next_obs: np.ndarray
    info: Mapping[str, Any] = field(default_factory=dict)
    success: np.ndarray | None = None
    frames: np.ndarray | None = None
    frame: np.ndarray | None = None
    next_frame: np.ndarray | None = None
    cameras: tuple[Camera, ...] = ()

    def __len__(self) -> int:
        return len(self.rewards)

    def __repr__(self) -> str:
        """Its sizes, in one line."""
        numbers, images = self.obs.shape[-1], "".join(f", camera {c.name}" for c in self.cameras)
        return (
            f"Dataset({len(self):,} steps in {len(self.episodes()):,} episodes, observations of "
            f"{numbers} numbers{images}, actions of {self.actions.shape[-1]})"
        )

    @property
    def ends(self) -> np.ndarray:
        """[N] bool: the last row of each episode."""
        ends = self.terminated | self.truncated
        if len(ends) and not ends[-1]:
            ends = ends.copy()
            ends[-1] = True
        return ends

    def episodes(self) -> list[tuple[int, int]]:
        """Half-open row ranges `(start, stop)`, one for each episode."""
        stops = np.flatnonzero(self.ends) + 1
        starts = np.concatenate([[0], stops[:-1]]) if len(stops) else np.zeros(0, int)
        return [(int(a), int(b)) for a, b in zip(starts, stops, strict=True)]

    def take(self, episodes: list[tuple[int, int]]) -> Dataset:
        """The given episodes, in the given order, as a dataset of their own."""
        rows = (
            np.concatenate([np.arange(a, b) for a, b in episodes]) if episodes else np.zeros(0, int)
        )
        of_rows = ("obs", "actions", "rewards", "terminated", "next_obs", "success", "frame")
        columns = {name: getattr(self, name) for name in (*of_rows, "next_frame")}
        taken = {n: None if column is None else column[rows] for n, column in columns.items()}
        return replace(self, **taken, truncated=(self.ends & ~self.terminated)[rows])


class EnvStep(NamedTuple):
    """What one environment answers to one action. Rewards are raw."""

    obs: np.ndarray  # [O] float32: the true next observation, also at an end
    reward: float
    terminated: bool
    truncated: bool
    success: bool


@runtime_checkable
class HostEnv(Protocol):
    """One simulator on the host: flat float32 observations, actions in [-1, 1].

    It never resets by itself. `reset(seed)` makes the episode a function of the seed and of the
    actions that follow, which is what resume relies on.
    """

    spec: Spec

    def reset(self, seed: int) -> np.ndarray:
        """The first observation [O] of the episode of this seed."""
        ...

    def step(self, action: np.ndarray) -> EnvStep:
        """One step by an action [A] in [-1, 1]."""
        ...

    def render(self) -> np.ndarray | None:
        """A picture [H, W, 3] uint8 of how things stand, or None."""
        ...

    def close(self) -> None:
        """Lets go of the simulator."""
        ...


MakeEnv = Callable[[], HostEnv]
"""Opens one simulator."""


class JaxEnv(Protocol):
    """A simulator that is a JAX program: pure functions for one environment.

    `reset(key) -> state, obs`; `step(state, action) -> state, obs, reward, terminated, truncated,
    success`, where `obs` is the true next observation. `state` is any pytree of arrays.
    """

    spec: Spec

    def reset(self, key: Array) -> tuple[Any, Array]:
        """The state and the observation [O] of a first step."""
        ...

    def step(self, state: Any, action: Array) -> tuple[Any, Array, Array, Array, Array, Array]:
        """State, true next observation [O], reward [], terminated [], truncated [], success []."""
        ...
