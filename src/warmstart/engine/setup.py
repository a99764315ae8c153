"""What everything that works on a run begins with: its recipe, its problem, its seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from warmstart.engine.carry import budget_of, preloaded
from warmstart.engine.online import Online
from warmstart.engine.position import Position
from warmstart.engine.problem import Problem
from warmstart.engine.seed_batch import SeedBatch
from warmstart.engine.seeds import Seeds, keys_of
from warmstart.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Setup:
    """A recipe on a problem for several seeds: `names` are their numbers, `keys` their keys."""

    recipe: Recipe
    problem: Problem
    names: list[int]
    seeds: Seeds
    keys: SeedBatch

    @classmethod
    def of(cls, recipe: Recipe, problem: Problem, names: Sequence[int]) -> Setup:
        """With a seed axis of its own."""
        seeds = Seeds(len(names))
        return cls(recipe, problem, list(names), seeds, seeds.place(keys_of(names)))


class HasSetup:
    """Has the fields of a `Setup` for attributes."""

    def __init__(self, setup: Setup) -> None:
        self.setup: Setup = setup
        self.recipe: Recipe = setup.recipe
        self.problem: Problem = setup.problem
        self.names: list[int] = setup.names
        self.seeds: Seeds = setup.seeds
        self.keys: SeedBatch = setup.keys


class OnlineLoop(HasSetup):
    """What learns online, wherever its simulators run: it stands at a position, on a dataset."""

    def __init__(self, setup: Setup, dataset: Any, position: Position) -> None:
        super().__init__(setup)
        self.dataset: Any = dataset
        self.at: Position = position
        self.online: Online = Online.of(self.recipe, self.problem.spec)
        self.preloaded: int = len(preloaded(self.recipe, self.online.layout, self.problem.rows))
        self.budget: int = budget_of(self.recipe)
