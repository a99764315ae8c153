"""Simulators that are JAX programs: ours by name, the user's own from file or object."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp

from warmstart.envs.given import Handed
from warmstart.errors import TaskError, WarmstartError, where
from warmstart.tasks import Task
from warmstart.tasks.jax_envs import make_jax_env
from warmstart.types import JaxEnv, Spec
from warmstart.user_code.load import register_own

ANSWER = "state, obs, reward, terminated, truncated, success"


def jax_env_of(task: Task, given: Handed | None = None) -> JaxEnv | None:
    """The task's simulator where it is a JAX program, else None.

    That is one of `warmstart.tasks.jax_envs`, an object that was handed in, or a class of the
    user's file or module (`my_env.py:MyArm`, made with the task's `env_kwargs`).

    Raises:
        UntrustedCode: the file was not named by the user.
        TaskError: it cannot be made, or is none: see `require_jax_env`.
    """
    if task.jax_env is not None:
        return make_jax_env(task.jax_env, task.start_cells)
    if given is not None:
        return None if given.jax is None else require_jax_env(given.jax, task)
    code, colon, _ = (task.env_id or "").rpartition(":")
    if not colon:
        return None
    name = register_own(task.env_id or "", task.env_kwargs)
    module = sys.modules.get(Path(code).stem if code.endswith(".py") else code)
    made = getattr(module, name, None)
    if name in gymnasium.registry or not callable(made) or not is_jax_env(made):
        return None
    try:
        env = made(**task.env_kwargs)
    except WarmstartError:
        raise
    except Exception as error:
        raise TaskError(f"'{task.env_id}' cannot be made ({where(error)}): fix it.") from error
    return require_jax_env(env, task)


def is_jax_env(env: Any) -> bool:
    """Whether an object, or a class, has a JAX simulator's functions and not Gymnasium's spaces."""
    pure = callable(getattr(env, "reset", None)) and callable(getattr(env, "step", None))
    return pure and not hasattr(env, "action_space") and not _makes_spaces(env)


def _makes_spaces(env: Any) -> bool:
    return isinstance(env, type) and issubclass(env, gymnasium.Env)


def require_jax_env(env: Any, task: Task) -> JaxEnv:
    """`env`, whose two functions answer as `types.JaxEnv` says.

    They are traced on shapes alone and not run. Raises TaskError saying what is missing.
    """
    name, spec = task.env_id, getattr(env, "spec", None)
    if not isinstance(spec, Spec):
        raise TaskError(
            f"{name} says no sizes: set self.spec = warmstart.Spec(obs_dim, action_dim, horizon)."
        )
    if task.horizon and task.horizon != spec.horizon:
        raise TaskError(
            f"{name} is a JAX program and counts its own time limit, {spec.horizon} steps: leave "
            "--horizon (in Python horizon=) out, or let it truncate and say it in its spec."
        )
    told: dict[str, Any] = {}

    def once(key: Any, action: Any) -> Any:
        state, told["first"] = env.reset(key)
        told["state"] = state
        after, told["obs"], *told["rest"] = env.step(state, action)
        told["after"] = after
        return told["first"], told["obs"], told["rest"], state, after

    try:
        key = jax.eval_shape(lambda: jax.random.key(0))
        action = jax.ShapeDtypeStruct((spec.action_dim,), jnp.float32)
        first, obs, rest, state, after = jax.eval_shape(once, key, action)
    except Exception as error:
        raise TaskError(
            f"{name} cannot be compiled ({where(error)}): reset(key) gives state, obs, and "
            f"step(state, action) gives {ANSWER}, as pure functions of JAX arrays."
        ) from error
    if len(rest) != 4:
        raise TaskError(f"{name} answers a step with {len(rest) + 2} values: give {ANSWER}.")
    for when, seen in (("reset", first), ("step", obs)):
        if seen.shape != (spec.obs_dim,):
            raise TaskError(
                f"{name} observes {seen.shape} after a {when}, and its spec says obs_dim="
                f"{spec.obs_dim}: give a flat vector of so many numbers."
            )
    bad = next((x.shape for x in rest if x.shape != ()), None)
    if bad is not None:
        raise TaskError(f"{name} answers a step with an array {bad}: give one number each.")
    shapes = [
        (jax.tree.structure(tree), [(x.shape, x.dtype) for x in jax.tree.leaves(tree)])
        for tree in (state, after)
    ]
    if shapes[0] != shapes[1]:
        raise TaskError(
            f"{name}'s state has other shapes or types after a step than after a reset: let both "
            "be the same arrays, such as jnp.float32 throughout."
        )
    return env
