"""What a task is: names, numbers and keyword arguments, never a live simulator."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from warmstart.errors import TaskError, did_you_mean
from warmstart.ranges import Count, Finite, Share, Whole, require_fields
from warmstart.tasks.returns import RETURN_RULES
from warmstart.tasks.reward import RewardTransform
from warmstart.tasks.success import read_success_rule


@dataclass(frozen=True)
class DataSource:
    """Where the logged data come from: a maker of this package, or a file of the user.

    Attributes:
        maker: name of a data maker, or None.
        kwargs: plain keyword arguments of the maker.
        path: a file, folder or Minari id, or None.
        rows: how many rows are made if nobody says; 0: the maker's own number of episodes.
        columns: what is what in a file of the user's own, see `warmstart.data.load`.
        view: how a layout with several readings is read, or None.
        start_cells: where the episodes of a maker's log started, if elsewhere than the task's own
            do; none: there.
        action_box: (low, high) of each action in the file, one pair for all or one for each;
            None: the environment's own box.
        obs_offset: a number for each of the observation's, taken away in float64 before they
            become float32, logged, observed and acted on alike; None: nothing.
    """

    maker: str | None = None
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    path: str | None = None
    rows: Whole = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    view: str | None = None
    start_cells: tuple[tuple[int, int], ...] = ()
    action_box: Sequence[Sequence[float]] | None = None
    obs_offset: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if self.path is not None:
            try:
                object.__setattr__(self, "path", os.fspath(self.path))
            except TypeError:
                raise TaskError(
                    f"data are named by a path or a Minari id, not {self.path!r}; give a file or "
                    "a folder"
                ) from None
        try:
            cells = tuple(tuple(cell) for cell in self.start_cells)
        except TypeError:
            raise TaskError(
                f"start_cells are (row, column) of cells, not {self.start_cells!r}; give ((1, 1),)"
            ) from None
        object.__setattr__(self, "start_cells", cells)
        if self.action_box is not None:
            try:
                pairs = tuple((float(low), float(high)) for low, high in self.action_box)
            except (TypeError, ValueError):
                raise TaskError(
                    f"an action box is a list of (low, high), not {self.action_box!r}; give "
                    "[(low, high)] for all actions, or one pair for each"
                ) from None
            object.__setattr__(self, "action_box", pairs)
        if self.obs_offset is not None:
            try:
                offset = tuple(map(float, self.obs_offset))
            except (TypeError, ValueError):
                offset = (math.inf,)
            if not offset or not all(map(math.isfinite, offset)):
                raise TaskError(
                    f"an offset is a list of finite numbers, not {self.obs_offset!r}; give one for "
                    "each number of an observation"
                )
            object.__setattr__(self, "obs_offset", offset)
        require_fields(self, TaskError)


@dataclass(frozen=True)
class Task:
    """One problem to learn: an environment, its data, and how success is counted.

    Attributes:
        name: the catalogue's key.
        domain: "navigation", "locomotion", ...; for grouping in tables.
        description: one sentence for people.
        preset: which paper numbers a recipe takes: "quick", "pointmaze", "locomotion", ...
        horizon: time limit in steps; 0: the one that the environment declares, if any.
        env_id, env_kwargs: an installed Gymnasium environment; None if the task is a JAX program.
        jax_env: name of a simulator in `warmstart.tasks.jax_envs.JAX_ENVS`; None if it is not one.
        goal_cell: (row, column) of the one evaluation goal in goal-conditioned mazes. The goal is
            then constant and the goal keys are dropped from the observation.
        start_cells: (row, column) of the cells of a maze in one of which an episode starts, drawn
            evenly, with the maze's own noise; none: wherever the environment starts it.
        data: where logged data come from; None: the user brings a file.
        discount: per step.
        reward: raw reward to the learner's reward.
        return_rule: "finite", "sparse" or "infinite"; see `returns_to_go`.
        success: True if the task is scored by success rate, else by return.
        success_when: what counts as success, see `read_success_rule`; "": what the environment's
            `info` says (`success` or `is_success`), and a run is refused where it says nothing.
        success_reward: True: the raw reward is success - 1, whatever the environment pays, and
            success ends the episode.
        at_once: how many of a seed's evaluation episodes run at once, each in a simulator of its
            own; fewer where one takes much memory.
        scale_from_data: True: nobody chose a scale of rewards, and a run takes one from the data
            where the method does not bear them as they are; see docs/data.md.
        physical: there is one of this environment, a robot that learns, is evaluated and cannot
            be played again: see docs/data.md.
        reference: raw returns (low, high) that mean 0 and 100; None: no score.
        size_note: what making the data costs, for people.
        stands_in_for: the published task whose part this one plays where its data cannot be had;
            empty: it plays its own.

    Raises:
        TaskError: neither or both of `env_id` and `jax_env`, an unknown return rule,
            `success_reward` or `physical` in a JAX program, a `physical` that is no bool, a start
            in the goal's cell, a `success_when` that is no rule, or `at_once` below 1.
    """

    name: str
    domain: str
    description: str
    preset: str
    horizon: Whole
    env_id: str | None = None
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    jax_env: str | None = None
    goal_cell: tuple[int, int] | None = None
    start_cells: tuple[tuple[int, int], ...] = ()
    data: DataSource | None = None
    discount: Share = 0.99
    reward: RewardTransform = field(default_factory=RewardTransform)
    return_rule: str = "finite"
    success: bool = False
    success_when: str = ""
    success_reward: bool = False
    reference: tuple[Finite, Finite] | None = None
    at_once: Count = 20
    scale_from_data: bool = False
    physical: bool = False
    size_note: str = ""
    stands_in_for: str = ""

    def __post_init__(self) -> None:
        if (self.env_id is None) == (self.jax_env is None):
            raise TaskError(
                f"Task '{self.name}' must name exactly one simulator: set env_id or jax_env."
            )
        if self.success_reward and self.jax_env is not None:
            raise TaskError(
                f"Task '{self.name}' is a JAX program, which pays its own reward: leave "
                "success_reward out."
            )
        if type(self.physical) is not bool:
            raise TaskError(
                f"Task '{self.name}' is physical={self.physical!r}: give True for one real robot, "
                "else False."
            )
        if self.physical and self.jax_env is not None:
            raise TaskError(
                f"Task '{self.name}' is a JAX program, and no robot: leave physical out."
            )
        if self.goal_cell in self.start_cells:
            raise TaskError(
                f"Task '{self.name}' starts in cell {self.goal_cell}, which is its goal: take it "
                "from start_cells."
            )
        if self.at_once < 1:
            raise TaskError(
                f"Task '{self.name}' would evaluate in {self.at_once} simulators at once: give "
                "1 or more, with --at-once (in Python at_once=)."
            )
        if self.success_when:
            read_success_rule(self.success_when)
        if self.return_rule not in RETURN_RULES:
            raise TaskError(
                f"Task '{self.name}' has the unknown return rule '{self.return_rule}'. "
                f"{did_you_mean(self.return_rule, RETURN_RULES)}"
            )
        require_fields(self, TaskError)

    def to_json(self) -> str:
        """The task as JSON text with sorted keys; `Task.from_json` gives an equal task back."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Task:
        """The task that `to_json` wrote.

        Raises:
            TaskError: text that is no task: no JSON object, a field too many or one too few.
        """
        try:
            values = dict(json.loads(text))
        except (TypeError, ValueError) as error:
            raise TaskError(f"This is no task ({error}): give what to_json wrote.") from error
        try:
            values["reward"] = _built(RewardTransform, values.get("reward", {}))
            if values.get("data") is not None:
                values["data"] = _built(DataSource, values["data"])
            for key in ("goal_cell", "reference"):
                if values.get(key) is not None:
                    values[key] = tuple(values[key])
            values["start_cells"] = tuple(tuple(cell) for cell in values.get("start_cells", ()))
        except (TypeError, ValueError) as error:
            raise TaskError(f"This is no task ({error}): give what to_json wrote.") from error
        return _built(cls, values)


def _built(kind: type[Any], values: Mapping[str, Any]) -> Any:
    """A dataclass of these fields; TaskError for one that it does not have, or that is missing."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for key in values:
        if key not in fields:
            raise TaskError(f"A {kind.__name__} has no field '{key}'. {did_you_mean(key, fields)}")
    for name, field_ in fields.items():
        given = name in values or field_.default is not dataclasses.MISSING
        if not given and field_.default_factory is dataclasses.MISSING:
            raise TaskError(f"A {kind.__name__} needs the field '{name}': give what to_json wrote.")
    try:
        return kind(**values)
    except (TypeError, ValueError, AttributeError) as error:
        raise TaskError(
            f"This is no {kind.__name__} ({error}): give what to_json wrote."
        ) from error
