"""An environment that was handed in from Python, where no name stands for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import gymnasium
import numpy as np
from gymnasium import spaces

from warmstart.errors import TaskError
from warmstart.types import JaxEnv, Spec

MARK = "given "
"""An id that begins so is no name: the environment itself was handed in."""


@dataclass(frozen=True, eq=False)
class Handed:
    """An environment of the user's own process.

    Attributes:
        name: what messages and run.json call it.
        open: gives the environment; each call a new one, where `many`.
        many: whether there may be several at once, which whoever opens one closes again.
        jax: the simulator, where it is a JAX program.
    """

    name: str
    open: Callable[[], Any]
    many: bool
    jax: JaxEnv | None = None


class SpacesAlone:
    """Stands for an environment of which only the spaces are known."""

    spec = None

    def __init__(self, observation: spaces.Space[Any], action: spaces.Space[Any]) -> None:
        self.observation_space: spaces.Space[Any] = observation
        self.action_space: spaces.Space[Any] = action

    @property
    def unwrapped(self) -> SpacesAlone:
        """Itself."""
        return self

    def reset(self, seed: int | None = None) -> Any:
        """Raises TaskError."""
        del seed
        raise TaskError(
            "spaces alone can be neither reset nor evaluated in; give an environment or a factory "
            "as env="
        )

    def close(self) -> None:
        """Nothing to close."""


def handed(env: Any) -> Handed:
    """An environment object, a factory of such, a `JaxEnv`, or (observation space, action space).

    Raises TaskError for anything else, and for a vector environment.
    """
    if isinstance(env, tuple | list) and len(env) == 2:
        observation, action = env
        if isinstance(observation, spaces.Space) and isinstance(action, spaces.Space):
            return Handed("spaces", lambda: SpacesAlone(observation, action), False)
    if isinstance(env, gymnasium.vector.VectorEnv):
        raise TaskError(
            f"{type(env).__name__} is several environments at once; give one of them, or a factory "
            "that makes one"
        )
    if not isinstance(env, type) and isinstance(getattr(env, "spec", None), Spec):
        return Handed(type(env).__name__, lambda: env, True, cast(JaxEnv, env))
    if _is_env(env) and not isinstance(env, type):
        return Handed(_name(env), lambda: env, False)
    if callable(env):
        return Handed(getattr(env, "__name__", type(env).__name__), lambda: _made(env), True)
    raise TaskError(
        f"an environment is an id, a task's name, an environment object, a factory or a pair of "
        f"spaces, not {type(env).__name__}; give one of them"
    )


def _is_env(env: Any) -> bool:
    return all(hasattr(env, name) for name in ("reset", "step", "action_space"))


def _name(env: Any) -> str:
    spec = getattr(env, "spec", None)
    return str(getattr(spec, "id", None) or type(getattr(env, "unwrapped", env)).__name__)


def _made(factory: Callable[[], Any]) -> Any:
    env = factory()
    if not _is_env(env):
        raise TaskError(
            f"the factory gave a {type(env).__name__}; let it return a Gymnasium environment"
        )
    return env


def spaces_of(interface: Mapping[str, Any]) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """The spaces that `spaces.describe_spaces` put into words."""

    def box(part: Mapping[str, Any]) -> spaces.Box:
        shape, dtype = tuple(part["shape"]), np.dtype(part["dtype"])
        if part["low"] is None and dtype == np.uint8:  # an image
            return spaces.Box(0, 255, shape, np.uint8)
        low, high = (
            np.array(
                [end if x is None else x for x in part[side]]
                if part[side] is not None
                else [end] * int(np.prod(shape)),
                dtype,
            ).reshape(shape)
            for side, end in (("low", -np.inf), ("high", np.inf))
        )
        return spaces.Box(low, high, shape, dtype.type)

    def nested(parts: list[tuple[list[str], Any]]) -> spaces.Space[Any]:
        if not parts[0][0]:
            return parts[0][1]
        inside: dict[str, list[Any]] = {}
        for path, space in parts:
            inside.setdefault(path[0], []).append((path[1:], space))
        return spaces.Dict({key: nested(held) for key, held in inside.items()})

    parts: list[tuple[list[str], Any]] = [
        (part["path"], box(part)) for part in interface["observation"]["parts"]
    ]
    return nested(parts), box(interface["action"])
