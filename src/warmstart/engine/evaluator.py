"""Looking at a run: evaluation episodes and measurements, as values of events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.engine.diagnose import Diagnoser
from warmstart.engine.episodes import EVALUATE, episode_seed
from warmstart.engine.evaluate import HostEvaluator, Played
from warmstart.engine.phases import frozen
from warmstart.engine.position import Position
from warmstart.engine.problem import Problem
from warmstart.engine.seed_batch import SeedBatch
from warmstart.engine.seeds import Seeds
from warmstart.engine.together import Together, cut
from warmstart.recipe import Recipe
from warmstart.state import State, key_for
from warmstart.types import Clock, Step

Seen = tuple[str, dict[str, Any], int, str | None]
"""kind, values, position on the seed axis, tag."""


class Lived(NamedTuple):
    """A training episode, as far as a score needs it."""

    raw_return: float
    length: float
    success: float


class Evaluator:
    """Evaluates a carry's state through the recipe's own acting, and measures it."""

    def __init__(
        self,
        recipe: Recipe,
        problem: Problem,
        seeds: Seeds,
        names: Sequence[int],
        keys: SeedBatch,
        familiarity: bool = False,
    ) -> None:
        self.recipe: Recipe = recipe
        self.problem: Problem = problem
        self.seeds: Seeds = seeds
        self.keys: SeedBatch = keys
        self.names: list[int] = list(names)
        self.evaluator: HostEvaluator = HostEvaluator(
            problem.make_env, names, problem.reward, problem.at_once, problem.env_name
        )
        self.diagnoser: Diagnoser = Diagnoser(seeds, problem, names, familiarity)
        self._programs: dict[Any, Any] = {}

    def look(
        self,
        at: Position,
        learner: Any,
        state: SeedBatch,
        tag: str,
        episodes: int,
        pretrained: bool,
    ) -> list[Seen]:
        """Evaluation and measurements of every seed; with `pretrained` the frozen policy's too."""
        offline = at.phase in ("pretrain", "switch")
        mark = 1 + 2 * at.counter + offline
        if tag in ("pretrained", "switch", "final"):
            mark = 0
        played = self.play(at, learner, state, episodes, mark)
        seen: list[Seen] = [
            ("eval", self.scores(played[i]), i, tag) for i in range(len(self.names))
        ]
        seen += self._measured(learner, state, played)
        if pretrained:
            held = self.play(at, learner, state, episodes, mark, pretrained=True)
            seen += [("eval", self.scores(held[i]), i, "frozen") for i in range(len(self.names))]
        return seen

    def diagnose(self, at: Position, learner: Any, state: SeedBatch, episodes: int) -> list[Seen]:
        """Measurements of every seed on rollouts that count as no evaluation."""
        played = self.play(at, learner, state, episodes, 1 + 2 * at.counter)
        return self._measured(learner, state, played)

    def _measured(
        self, learner: Any, state: SeedBatch, played: list[list[Played]] | None
    ) -> list[Seen]:
        measured = self.diagnoser(learner, self.keys, state, played)
        return [("diagnose", info, i, None) for i, info in enumerate(measured) if info]

    def lived(self, at: Position, learner: Any, state: SeedBatch, tag: str) -> list[Seen]:
        """What a robot's training episodes since the last look say; at the end, where there are
        none, those that it told of last."""
        at.told, at.lived, fresh = at.lived or at.told, [], at.lived
        episodes = [Lived(*values) for values in (at.told if tag == "final" else fresh)]
        seen: list[Seen] = [("eval", self.scores(episodes), 0, tag)] if episodes else []
        return seen + self._measured(learner, state, None)

    def play(
        self,
        at: Position,
        learner: Any,
        state: SeedBatch,
        episodes: int,
        mark: int,
        pretrained: bool = False,
    ) -> list[list[Played]]:
        """Evaluation episodes of every seed."""
        if self.problem.jax_env is not None:
            return self.native(at, learner, state, episodes, mark, pretrained)
        slots, rule, spec = self.evaluator.slots, self.recipe.acting, self.problem.spec

        def act(key: Any, state: State, memory: Any, told: Any, ints: Any) -> Any:
            view = frozen(learner.view(state)) if pretrained else learner.view(state)
            k = jax.random.fold_in(key_for(key, "evaluate"), ints[0])
            clock = Clock(ints[1], ints[2], jnp.int32(1))
            step = Step(told[:, :-2], told[:, -2], told[:, -1])
            return rule(k, clock, view, memory, step, "evaluate")

        name = (learner, pretrained)
        if name not in self._programs:
            self._programs = {key: v for key, v in self._programs.items() if key[0] == learner}
            self._programs[name] = (
                self.seeds.compile(act, shared=(4,)),
                self.seeds.compile(lambda key: rule.init(slots, spec)),
            )
        program, init = self._programs[name]

        def called(told: np.ndarray, memory: Any, tick: int) -> tuple[np.ndarray, Any]:
            ints = np.array([tick, at.updates, at.env_steps], np.int32)
            out = program(self.keys, state, memory, told, ints)
            actions, memory = out.parts()
            return actions.host(), memory

        return self.evaluator(called, init(self.keys), episodes, mark)

    def native(
        self,
        at: Position,
        learner: Any,
        state: SeedBatch,
        episodes: int,
        mark: int,
        pretrained: bool,
    ) -> list[list[Played]]:
        """The episodes of a JAX simulator, all at once in one program."""
        name = (learner, pretrained, episodes)
        if name not in self._programs:
            self._programs = {key: v for key, v in self._programs.items() if key[0] == learner}
            program = Together(self.recipe, self.problem, learner, pretrained, episodes)
            self._programs[name] = self.seeds.compile(program, shared=(3,))
        numbers = [
            [episode_seed(seed, EVALUATE + mark, k) for k in range(episodes)] for seed in self.names
        ]
        ints = np.array([at.updates, at.env_steps], np.int32)
        out = self._programs[name](self.keys, state, np.array(numbers, np.uint32), ints).host()
        return [
            cut(jax.tree.map(lambda x, i=i: x[i], out), self.problem, seed)
            for i, seed in enumerate(self.names)
        ]

    def scores(self, played: Sequence[Played | Lived]) -> dict[str, Any]:
        """The values of an evaluation line."""
        returns = np.array([p.raw_return for p in played])
        success = float(np.mean([p.success for p in played]))
        score = 100.0 * success
        if self.problem.score is not None:
            low, high = self.problem.score
            score = 100.0 * (float(returns.mean()) - low) / (high - low)
        return {
            "score": score,
            "success": success,
            "return_mean": float(returns.mean()),
            "return_std": float(returns.std()),
            "length_mean": float(np.mean([p.length for p in played])),
            "episodes": len(played),
            "returns": [float(r) for r in returns],
        }

    def close(self) -> None:
        """Close every evaluation environment."""
        self.evaluator.close()
