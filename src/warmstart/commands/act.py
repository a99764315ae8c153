"""The robot's side of a link: actor. It imports no JAX."""

from __future__ import annotations

import math
import os
import sys
from typing import Any

from rich.console import Console

from warmstart.commands.exits import STOPPED
from warmstart.commands.link_options import Actor as Options
from warmstart.commands.pairs import env_kwargs
from warmstart.errors import RunError, TaskError
from warmstart.link.actor import Actor
from warmstart.link.frames import LIMIT


def act(given: Options) -> int:
    """Let the robot act until Ctrl-C. Raises WarmstartError."""
    if given.steps is not None and given.steps < 1:
        raise RunError(f"--steps {given.steps} cannot be used; give 1 or more")
    actor = Actor(
        given.env,
        given.connect,
        token=token_of(given.token),
        folder=given.folder,
        hz=given.hz,
        limits=None if given.limits is None else _limits(given.limits),
        rate=None if given.rate is None else _numbers("--rate", given.rate),
        rest=None if given.rest is None else _numbers("--rest", given.rest),
        guard=given.guard,
        timeout=given.timeout,
        cafile=given.cafile,
        env_kwargs=env_kwargs(given.env_arg),
        seed=given.seed,
        limit=bytes_of(given.most_mb),
    )
    told = actor.run(given.steps, go=True if given.go else _asked)
    show(told)
    return 0 if told["stopped"] is None else STOPPED


def show(told: dict[str, Any]) -> None:
    """What happened, in three lines."""
    pace = told["pace"]
    beyond = f" ({told['beyond']:,} outside of the action box)" if told["beyond"] else ""
    Console().print(
        f"steps    {told['steps']:,} in {told['episodes']:,} finished episodes, "
        f"{told['interventions']:,} by a human{beyond}, {told['limited']:,} limited\n"
        f"pace     {pace['hz']:g} a second; {pace['missed']:,} deadlines missed, the worst by "
        f"{pace['worst_late_ms']:g} ms\n" + _other_side(told),
        soft_wrap=True,
        highlight=False,
        markup=False,
    )


def _other_side(told: dict[str, Any]) -> str:
    """What the other end of the link has."""
    if not told["learns"]:
        return f"policy   served, as in evaluation; {told['numbered']:,} steps are kept here alone"
    return (
        f"learner  has {told['sent']:,} of {told['numbered']:,} steps, {told['safe']:,} on its "
        f"disk; weights {told['weights']}, {told['refused_weights']} not taken"
    )


def token_of(given: str | None) -> str:
    """The token that was typed, or the environment's. Raises RunError: there is none."""
    token = given or os.environ.get("WARMSTART_TOKEN")
    if not token:
        raise RunError(
            "actor and learner show each other a token: give both the same one in "
            "$WARMSTART_TOKEN, or with --token; make one with python -c "
            "'import secrets; print(secrets.token_urlsafe())'"
        )
    return token


def bytes_of(most_mb: float | None) -> int:
    """--most-mb in bytes. Raises RunError."""
    if most_mb is None:
        return LIMIT
    if not 0.0 < most_mb < math.inf or most_mb > 4_000:
        raise RunError(f"--most-mb {most_mb:g} cannot be used; give a number up to 4000")
    return int(most_mb * 1e6)


def _asked() -> bool:
    """Whether somebody at a terminal says that the robot may move."""
    if not sys.stdin.isatty():
        return False
    print("The robot moves when you press Enter (Ctrl-C: it does not). ", end="", flush=True)
    return bool(sys.stdin.readline())


def _limits(text: str) -> tuple[list[float], list[float]] | tuple[float, float]:
    try:
        pairs = [tuple(map(float, part.split(":"))) for part in text.split(",")]
        low, high = zip(*((low, high) for low, high in pairs), strict=True)
    except ValueError:
        raise TaskError(
            f"--limits {text} cannot be used; give LOW:HIGH, for all numbers of an action or for "
            "each: --limits=-0.5:0.5"
        ) from None
    return (low[0], high[0]) if len(low) == 1 else (list(low), list(high))


def _numbers(option: str, text: str) -> list[float] | float:
    try:
        found = [float(word) for word in text.split(",")]
    except ValueError:
        raise TaskError(
            f"{option} {text} cannot be used; give a number, or one for each number of an action: "
            f"{option} 0.1"
        ) from None
    return found[0] if len(found) == 1 else found
