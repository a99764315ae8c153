"""Looking at a run: evaluation episodes and measurements, as values of events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from warmstart.engine.diagnose import Diagnoser
from warmstart.engine.episodes import EVALUATE, episode_seed
from warmstart.engine.evaluate import HostEvaluator, Played
from warmstart.engine.jax_evaluator import JaxEvaluator, cut
from warmstart.engine.online import frozen
from warmstart.engine.position import Position
from warmstart.engine.seed_batch import SeedBatch
from warmstart.engine.seeds import Program
from warmstart.engine.setup import HasSetup, Setup
from warmstart.state import State, key_for
from warmstart.types import Clock, Step

Seen = tuple[str, dict[str, Any], int, str | None]
"""kind, values, position on the seed axis, tag."""


class TrainingEpisode(NamedTuple):
    """A training episode, as far as a score needs it."""

    raw_return: float
    length: float
    success: float


class Evaluator(HasSetup):
    """Evaluates a carry's state through the recipe's own acting, and measures it."""

    def __init__(self, setup: Setup, familiarity: bool = False) -> None:
        super().__init__(setup)
        problem = self.problem
        self.evaluator: HostEvaluator = HostEvaluator(
            problem.make_env, self.names, problem.reward, problem.at_once, problem.env_name
        )
        self.diagnoser: Diagnoser = Diagnoser(self.seeds, problem, self.names, familiarity)
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

    def look_back(self, at: Position, learner: Any, state: SeedBatch, tag: str) -> list[Seen]:
        """What a robot's training episodes since the last look say; at the end, where there are
        none, those of the look before."""
        at.earlier, at.recent, fresh = at.recent or at.earlier, [], at.recent
        last = at.earlier if tag == "final" else fresh
        episodes = [TrainingEpisode(*values) for values in last]
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
            return self.play_together(at, learner, state, episodes, mark, pretrained)
        slots, rule, spec = self.evaluator.slots, self.recipe.acting, self.problem.spec

        def act(key: Any, state: State, memory: Any, shown: Any, ints: Any) -> Any:
            view = frozen(learner.view(state)) if pretrained else learner.view(state)
            k = jax.random.fold_in(key_for(key, "evaluate"), ints[0])
            clock = Clock(ints[1], ints[2], jnp.int32(1))
            step = Step(shown[:, :-2], shown[:, -2], shown[:, -1])
            return rule(k, clock, view, memory, step, "evaluate")

        def compiled() -> tuple[Program, Program]:
            init = self.seeds.compile(lambda key: rule.init(slots, spec))
            return self.seeds.compile(act, shared=(4,)), init

        program, init = self._program((learner, pretrained), compiled)

        def called(shown: np.ndarray, memory: Any, tick: int) -> tuple[np.ndarray, Any]:
            ints = np.array([tick, at.updates, at.env_steps], np.int32)
            out = program(self.keys, state, memory, shown, ints)
            actions, memory = out.parts()
            return actions.host(), memory

        return self.evaluator(called, init(self.keys), episodes, mark)

    def play_together(
        self,
        at: Position,
        learner: Any,
        state: SeedBatch,
        episodes: int,
        mark: int,
        pretrained: bool,
    ) -> list[list[Played]]:
        """The episodes of a JAX simulator, all at once in one program."""
        given = learner, pretrained, episodes

        def compiled() -> Program:
            return self.seeds.compile(JaxEvaluator(self.recipe, self.problem, *given), shared=(3,))

        program = self._program(given, compiled)
        numbers = [
            [episode_seed(seed, EVALUATE + mark, k) for k in range(episodes)] for seed in self.names
        ]
        ints = np.array([at.updates, at.env_steps], np.int32)
        out = program(self.keys, state, np.array(numbers, np.uint32), ints).host()
        return [
            cut(jax.tree.map(lambda x, i=i: x[i], out), self.problem, seed)
            for i, seed in enumerate(self.names)
        ]

    def _program(self, name: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """What `make` gives, once for each name; programs of another learner are let go."""
        if name not in self._programs:
            self._programs = {key: v for key, v in self._programs.items() if key[0] == name[0]}
            self._programs[name] = make()
        return self._programs[name]

    def scores(self, played: Sequence[Played | TrainingEpisode]) -> dict[str, Any]:
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
