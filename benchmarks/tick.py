"""`python -m benchmarks.tick --against FOLDER`: an online step without simulator and update.

FOLDER is a checkout of another commit. Each tree's own `benchmarks.bench.step_overhead_us` is
measured in turn, in processes of their own, `--pairs` times; the table gives medians for one seed
and for two, and the median ratio of the pairs. Without `--against` this tree alone is measured.

`--default` instead measures the ticks of WSRL `quick` behind its warm-up, without looks, in the two
rooms (the run of the front page; a simulator inside the program) and in a maze of MuJoCo, and,
apart, what they are made of: an update (one of many in a call), a step without simulator and
update, the simulator. Of the maze, whose steps come from outside, also a call that waits for one
update, and one that has none to take.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.turns import in_turn, parser_of

if TYPE_CHECKING:
    from warmstart.engine.seed_batch import SeedBatch
    from warmstart.engine.stepper import Stepper

ROUND = 500
MEASURE = """
import json
from benchmarks.bench import Seeds, step_overhead_us
Seeds(1)
print(json.dumps({"1 seed": step_overhead_us(1), "2 seeds": step_overhead_us(2)}))
"""


def default(task: str, seeds: int, pairs: int) -> None:
    """Milliseconds of a tick of the default run beside those of its parts; the least of rounds."""
    from benchmarks.bench import step_overhead_us
    from benchmarks.updates import update_ms
    from warmstart.api.declare import declare
    from warmstart.api.prepare import problem_of
    from warmstart.engine import Schedule, Trainer
    from warmstart.engine.host_runner import HostRunner
    from warmstart.engine.jax_runner import JaxRunner

    declared = declare("wsrl", task, preset="quick")
    problem = problem_of(declared, examine=False)
    recipe = declared.recipe.with_("replay.warmup.steps", 0)
    trainer = Trainer(recipe, problem, range(seeds), Schedule())
    trainer.position.phase = "online"
    loop, carry, memory = trainer.open(), trainer.carry, trainer.memory
    assert isinstance(loop, HostRunner | JaxRunner)
    ticks = []
    for _ in range(pairs + 1):  # the first compiles
        began, stood = time.perf_counter(), trainer.position.env_steps
        while (done := trainer.position.env_steps - stood) < ROUND:
            carry, memory, _ = loop.advance(carry, memory, ROUND - done)
        carry.get(lambda c: c.sums).host()
        ticks.append(1e3 * (time.perf_counter() - began) / ROUND)
    calls = "" if isinstance(loop, JaxRunner) else _calls(loop.stepper, carry, pairs)
    trainer.close()
    env, rests = problem.make_env(), []
    for round_ in range(pairs):
        env.reset(round_)
        began = time.perf_counter()
        for _ in range(ROUND):
            step = env.step(np.zeros(problem.spec.action_dim, np.float32))
            if step.terminated or step.truncated:
                env.reset(round_)
        rests.append(1e3 * (time.perf_counter() - began) / ROUND)
    env.close()
    update = update_ms(recipe.finetune.learner, seeds, pairs, problem.spec)[0]
    apart = [update, step_overhead_us(seeds) / 1e3, seeds * min(rests)]
    tick = min(ticks[1:])
    print(
        f"{task}, {seeds} seed{'s'[: seeds - 1]}: a tick {tick:.2f} ms; update {apart[0]:.2f}, "
        f"step {apart[1]:.2f}, simulator {apart[2]:.2f}: {tick / sum(apart):.2f} of their sum"
        f"{calls}"
    )


def _calls(stepper: Stepper, carry: SeedBatch, pairs: int) -> str:
    """Milliseconds of a call that takes one update, and of one that takes none; least of rounds."""
    parts, at = stepper.parts(carry), stepper.at
    inputs, found = stepper.episodes.inputs.copy(), []
    for updates in (stepper.recipe.finetune.rhythm.updates, 0):
        rounds = []
        for _ in range(pairs):
            began = time.perf_counter()
            for _ in range(ROUND):
                counts = [1, at.env_steps, stepper.budget]
                ints = stepper._ints(counts, at.done, [updates] * len(at.done))
                given = parts.kept(carry), parts.read(carry), stepper.dataset, inputs, ints
                carry, _ = stepper.learns(stepper.keys, *given).parts()
                parts.diverged(carry)  # waits
            rounds.append(1e3 * (time.perf_counter() - began) / ROUND)
        found.append(min(rounds))
    return f"; a call with an update {found[0]:.2f}, without {found[1]:.2f}"


def main() -> None:
    """Measure in turn, and print the table."""
    parser = parser_of(__doc__, 5)
    parser.add_argument("--default", action="store_true", help="the default run's ticks")
    given = parser.parse_args()
    if given.default:
        for task, seeds in itertools.product(("two-rooms", "pointmaze-umaze"), (1, 2)):
            default(task, seeds, given.pairs)
        return
    in_turn(given, "us", MEASURE)


if __name__ == "__main__":
    main()
