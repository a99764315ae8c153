"""Opening an environment of the installed Gymnasium registry, or saying why not."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import logging
import os
from collections.abc import Mapping
from typing import Any

import gymnasium

from warmstart.envs.quirks import fix
from warmstart.errors import TaskError, did_you_mean, where
from warmstart.tasks import package_of

LOG = logging.getLogger("warmstart")
CLOSED_BADLY: set[str] = set()
"""What was said of environments that failed in close."""


def is_installed(env_id: str) -> bool:
    """Whether the installed Gymnasium registry knows the id; imports nothing by its name."""
    package = package_of(env_id)
    if env_id not in gymnasium.registry and package is not None:
        # Gymnasium-Robotics prints a notice on Adroit's rewards, whichever environment is meant.
        with contextlib.suppress(ImportError), contextlib.redirect_stderr(io.StringIO()):
            gymnasium.register_envs(importlib.import_module(package.module))
            fix(package.module)
    return env_id in gymnasium.registry


def open_gymnasium(env_id: str, kwargs: Mapping[str, Any]) -> Any:
    """A Gymnasium environment from the installed registry; TaskError if it cannot be made."""
    if not is_installed(env_id):
        package = package_of(env_id)
        if package is not None and not importlib.util.find_spec(package.module):
            raise TaskError(
                f"Environment {env_id} needs {package.title}: "
                f"run `pip install 'warmstart[{package.extra}]'`."
            )
        near = did_you_mean(env_id, gymnasium.registry)
        raise TaskError(
            f"No installed package registers the environment '{env_id}'. "
            f"{near + ' ' if near.startswith('Did') else ''}Name one of your own with the file or "
            f"module that registers it, as in my_env.py:{env_id}."
        )
    try:
        env = gymnasium.make(env_id, disable_env_checker=True, **kwargs)
    except gymnasium.error.DependencyNotInstalled as error:
        package = package_of(env_id)
        extra = "locomotion" if package is None else package.extra
        raise TaskError(
            f"Environment {env_id} lacks a package ({error}): "
            f"run `pip install 'warmstart[{extra}]'`."
        ) from error
    except (Exception, SystemExit) as error:  # whatever somebody else's code raises
        raise TaskError(
            f"Environment {env_id} cannot be made with {dict(kwargs)} ({where(error)}): correct "
            "its keyword arguments, or fix it."
        ) from error
    # Maze environments leave their generated model file in the temporary folder.
    bare: Any = env.unwrapped
    leftover = getattr(bare, "tmp_xml_file_path", None)
    if type(bare).__module__.startswith("ogbench.locomaze"):
        leftover = bare.fullpath
    if leftover:
        with contextlib.suppress(OSError):
            os.remove(leftover)
    return env


def close_environment(env: Any, name: str) -> None:
    """Close an environment. One that fails in it is logged and left: what was done with it counts
    all the same; said once, since an evaluation closes twenty."""
    try:
        env.close()
    except (Exception, SystemExit) as error:  # whatever somebody else's code raises
        told = f"Environment {name} failed in close ({where(error)}): fix it."
        if told not in CLOSED_BADLY:
            CLOSED_BADLY.add(told)
            LOG.warning("%s", told)


def open_drawing(env_id: str, kwargs: Mapping[str, Any]) -> Any:
    """The same, made to draw; TaskError, which of one that only cannot draw says just that."""
    try:
        return open_gymnasium(env_id, {**kwargs, "render_mode": "rgb_array"})
    except TaskError as error:
        close_environment(open_gymnasium(env_id, kwargs), env_id)
        raise TaskError(
            f"{env_id} opens without pictures only: let its __init__ take render_mode='rgb_array'."
        ) from error
