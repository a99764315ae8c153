"""What the engine, the handover and a recipe ask of whoever learns."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from jax import Array

from warmstart.replay import Layout, Stores
from warmstart.state import Normalise, State
from warmstart.types import Clock, Event, Spec, Transition
from warmstart.views import View

Metrics = dict[str, dict[str, Array]]
"""Group -> name -> value; every group carries its own `updates` count."""


class Learner(Protocol):
    """A frozen, registered dataclass with these numbers and pure functions over a `State`.

    Nothing else of it is known outside its own file: a family of methods that does not fit the
    actor-critic update brings a learner of its own, and tasks, handover, runs, resume and report
    stay as they are. A network that acts stands in `state.nets` as "actor". `BaseLearner` answers
    all but `init` and `update`.

    Attributes:
        windows: whether it learns from windows [U, B, T] of an episode, not from rows [U, B].
        acts_on: what its policy must be shown: one observation, or the steps so far (a `Context`).
        has_model: whether a model of the world stands in its state.
        chunk: actions that its policy gives at a time; 1 for most.
    """

    windows: ClassVar[bool]
    acts_on: ClassVar[Literal["observation", "context"]]
    has_model: ClassVar[bool]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def chunk(self) -> int:
        """h; above 1 its rows bear `later`, the h - 1 steps after them."""
        ...

    @property
    def batch(self) -> int:
        """B, rows (or windows) of one minibatch."""
        ...

    @property
    def minibatches(self) -> int:
        """U, minibatches of one update; `updates` everywhere counts minibatches."""
        ...

    @property
    def normalise(self) -> Normalise:
        """How observations are scaled; "dataset" makes a recipe need one."""
        ...

    @property
    def finished_only(self) -> bool:
        """Whether it may see online rows of finished episodes only."""
        ...

    @property
    def reads_images(self) -> bool:
        """Whether its networks look at images, where a task shows some."""
        ...

    @property
    def reads_returns(self) -> bool:
        """Whether it reads the returns-to-go of its rows: checkpoints then hold them."""
        ...

    @property
    def discount(self) -> float:
        """Of its returns-to-go; at 1 they are plain sums of an episode's rewards."""
        ...

    @property
    def critic(self) -> Any:
        """What its critics look like; None for a learner without, whose `values` are None."""
        ...

    @property
    def policy_kind(self) -> str:
        """The distribution that its policy's output means: see `View`; "none": nobody acts."""
        ...

    @property
    def subscribes(self) -> frozenset[Any]:
        """The events that it acts on: see `types.Listener`."""
        ...

    def check(self) -> None:
        """Raise RecipeError where its own parts contradict each other."""
        ...

    def with_discount(self, discount: float) -> Learner:
        """The same learner with a task's discount, where it takes one."""
        ...

    def networks_of(self, online: Any) -> Learner:
        """Itself with the networks of the learner that goes on with what it learns.

        Raises RecipeError where those are of another kind.
        """
        ...

    def init(self, key: Array, spec: Spec) -> State:
        """A fresh state for an environment's sizes."""
        ...

    def study(self, state: State, data: Transition) -> State:
        """The fresh state with what is taken from the whole dataset [N]: its statistics.

        `data` is one row of zeros where the recipe needs no dataset.
        """
        ...

    def update(
        self, key: Array, clock: Clock, state: State, batch: Transition
    ) -> tuple[State, Metrics]:
        """One update on a batch [U, B, ...] ([U, B, T, ...] of windows)."""
        ...

    def measure(self, key: Array, state: State, batch: Transition) -> dict[str, Array]:
        """Measurements on rows [B] that it never trains on, by name.

        Without a pretrained policy there is no `drift`.
        """
        ...

    def values(self, key: Array, state: State, batch: Transition) -> tuple[Array, Array] | None:
        """Q(s, a) [B] and the entropy bonus [B] of its target; None without critics.

        NaN where the row has no action that it could judge.
        """
        ...

    def view(self, state: State) -> View:
        """How acting rules and sources look at `state`."""
        ...

    def observe(self, state: State, event: Event) -> State:
        """The state after something happened: only its signals differ."""
        ...

    def handed(self, state: State) -> State:
        """What crosses to the next learner."""
        ...


@runtime_checkable
class Grouped(Protocol):
    """A learner whose batch is several networks' own rows, and some that nobody learns from."""

    @property
    def groups(self) -> int:
        """Networks that want rows of their own, equal parts of a batch."""
        ...

    @property
    def apart(self) -> int:
        """Rows at the end of a batch that are held out, the same ones every time."""
        ...


@runtime_checkable
class LooksAhead(Protocol):
    """A learner that may read the action which was logged after a row."""

    @property
    def reads_next_action(self) -> bool:
        """Whether it does; `next_action` and `followed` are then in its rows."""
        ...


@runtime_checkable
class Prepares(Protocol):
    """A learner that may read all stores before the rows of an update are drawn."""

    def prepare(
        self, key: Array, clock: Clock, state: State, stores: Stores, layout: Layout
    ) -> State:
        """The state by which the source draws, and which then learns."""
        ...
