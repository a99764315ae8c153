"""Learners of one recipe, and the sources of their rows, that do not fit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from warmstart.errors import RecipeError
from warmstart.learners.learner import Grouped, Learner, LooksAhead
from warmstart.replay import Source


def check_ahead(online: Learner, preload: str) -> None:
    """Raise RecipeError where the actions that were logged next cannot be read off the ring."""
    if preload != "random":
        return
    apart = "replay.preload.kind=random puts rows into the ring without the ones behind them, and"
    if isinstance(online, LooksAhead) and online.reads_next_action:
        raise RecipeError(
            f"{apart} the critics' penalty reads the action that was logged next; set "
            "replay.preload.kind=all, or finetune.learner.backup.penalty=0"
        )
    if online.chunk > 1:
        raise RecipeError(
            f"{apart} a learner of chunks reads {online.chunk} in a row; set "
            "replay.preload.kind=all"
        )


def check_chunks(learners: Mapping[str, Learner], acting: object, capacity: int) -> None:
    """Raise RecipeError where actions are not executed in the chunks that learners make.

    Args:
        learners: by their paths, the online one last.
        acting: the recipe's rule.
        capacity: rows that the ring holds.
    """
    executed, online = getattr(acting, "chunk", 1), [*learners.values()][-1]
    alike = len({learner.chunk for learner in learners.values()}) == 1
    for where, learner in learners.items():
        if learner.chunk == executed:
            continue
        instead = "set acting=OpenLoop"
        if hasattr(acting, "chunk"):
            instead = f"set acting.length={learner.chunk}"
            if hasattr(learner, "length") and not alike:
                instead = f"set {where}.learner.length={executed}"
        raise RecipeError(
            f"{where}.learner makes chunks of {learner.chunk} action(s), and acting="
            f"{type(acting).__name__} executes {executed} at a time; {instead}"
        )
    if online.chunk > capacity:
        raise RecipeError(
            f"replay.capacity={capacity} rows hold no chunk of {online.chunk}; set "
            f"replay.capacity={100 * online.chunk} or more"
        )


def check_each(learners: Mapping[str, Learner]) -> None:
    """Raise RecipeError where one of a recipe's learners, by their paths, does not fit itself.

    Advice for `learner.` is meant for all of them; where one alone is wrong it names that one.
    """
    wrong: list[tuple[str, str]] = []
    for where, learner in learners.items():
        try:
            learner.check()
        except RecipeError as error:
            wrong.append((where, str(error)))
    if not wrong:
        return
    where, said = wrong[0]
    if len(wrong) == 1 and not hasattr(learners[where], "learner"):  # it stands around another
        said = re.sub(r"(?<![\w.])learner\.", f"{where}.learner.", said)
    raise RecipeError(said)


def check_sources(phases: Sequence[tuple[Learner, Source]]) -> None:
    """Raise RecipeError where a source cannot serve its learner, or nobody can act.

    `phases` are the stages in their order and, last, the fine-tuning.
    """
    before: Learner | None = None
    for learner, source in phases:
        source.check(learner, before)
        if isinstance(learner, Grouped) and learner.apart and not source.holds_out:
            raise RecipeError(
                f"{type(learner).__name__} measures on rows that it never learns from, and "
                f"{type(source).__name__} holds none out; set the stage's source to Resampled"
            )
        before = learner
    if any(learner.policy_kind == "none" for learner, _ in phases[-2:]):
        raise RecipeError(
            "a model of the world cannot act: behind DynamicsFit comes a stage whose learner is "
            "ModelBased; take pretrain from a method that has one, such as pretrain=mopo"
        )
