"""A method by name, from the table or from a Python file of the user's own.

A file that the user names is code, and is run: that is what naming it asks for. What a run folder
or another file names runs only where `warmstart.user_code.trust` lets it pass.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from warmstart.config import names_of
from warmstart.envs.given import MARK
from warmstart.errors import RecipeError, WarmstartError, did_you_mean
from warmstart.methods import METHODS
from warmstart.recipe import Recipe
from warmstart.tasks import Task
from warmstart.user_code.load import absolute_environment, import_as
from warmstart.user_code.trust import code_of, name_code, whole_name


class Method(Protocol):
    """What a method's module offers."""

    __doc__: str | None
    PRESETS: Mapping[str, Any]
    CITE: tuple[str, ...]

    def recipe(self, preset: Any = ...) -> Recipe: ...


class OwnMethod:
    """A function of the user's file as a method: its docstring and presets are the file's.

    `PRESETS` holds a `Config` for each preset, of which the function gets one, or anything else,
    of which it gets the preset's name; where it takes no argument it gets nothing. A file without
    `PRESETS` has the one preset "paper".
    """

    def __init__(self, module: Any, function: Callable[..., Any], name: str) -> None:
        self.__doc__ = function.__doc__ if module.__doc__ is None else module.__doc__
        self._takes = bool(inspect.signature(function).parameters)
        presets = getattr(module, "PRESETS", None) or {"paper": _defaults(module, name)}
        if not self._takes:
            presets = {preset: {} for preset in presets}
        self.PRESETS: Mapping[str, Any] = presets
        self.CITE: tuple[str, ...] = tuple(getattr(module, "CITE", ()))
        self._function, self._name = function, name

    def recipe(self, preset: Any = "paper") -> Recipe:
        """Call the function. Raises RecipeError where it fails or gives no Recipe."""
        if isinstance(preset, str) and names_of(self.PRESETS.get(preset)):
            preset = self.PRESETS[preset]
        try:
            made = self._function(preset) if self._takes else self._function()
        except Exception as error:
            raise _failed(self._name, "failed", error) from error
        if not isinstance(made, Recipe):
            raise RecipeError(
                f"{self._name} gave a {type(made).__name__}; return a warmstart.Recipe"
            )
        return made


def _defaults(module: Any, name: str) -> Any:
    """The `Config` of a file as it stands, where there is one."""
    config = getattr(module, "Config", None)
    try:
        return config() if dataclasses.is_dataclass(config) and isinstance(config, type) else {}
    except TypeError as error:
        raise RecipeError(
            f"the Config of {name} has a field without a default ({error}); give it one"
        ) from error


def is_file(method: str) -> bool:
    """Whether a method is named as `file.py` or `file.py:function`."""
    return method.partition(":")[0].endswith(".py")


def absolute(method: str) -> str:
    """The same method from every folder: a file's path is made absolute."""
    if not is_file(method):
        return method
    file, _, function = method.partition(":")
    return f"{whole_name(file)}:{function or 'recipe'}"


def absolute_data(data: str) -> str:
    """A path that also holds in another folder; a Minari id stays what it is."""
    path = Path(data).expanduser()
    try:
        return str(path.resolve()) if data.strip() and path.exists() else data
    except OSError:  # no name that a file can have, or a folder that is closed: `load` says so
        return data


def absolute_task(task: Task) -> Task:
    """The same task from every folder: files of data and of environments are named in full."""
    data = task.data
    if data is not None and data.path is not None:
        data = dataclasses.replace(data, path=absolute_data(data.path))
    env_id = None if task.env_id is None else absolute_environment(task.env_id)
    return dataclasses.replace(task, data=data, env_id=env_id)


def short_name(method: str) -> str:
    """What a method is called in tables: a file's name without its folder and ending."""
    return Path(method.partition(":")[0]).stem if is_file(method) else method.removeprefix(MARK)


class Handed:
    """A recipe that was handed in from Python, as far as a method's module says anything of it."""

    __doc__ = None
    PRESETS: Mapping[str, Any] = {"paper": {}}
    CITE: tuple[str, ...] = ()

    def recipe(self, preset: str = "paper") -> Recipe:
        """Raises RecipeError: it stands nowhere."""
        del preset
        raise RecipeError(
            "this recipe was handed in from Python and cannot be made again from a name; give it "
            "again as the method"
        )


def code_named_by(method: str, task: Task, policy: str | None = None) -> tuple[str, ...]:
    """The files and modules of somebody's own that a run of this method on this task, with this
    base policy, imports."""
    named = [name for name in (method, policy) if name is not None and is_file(name)]
    own = tuple(whole_name(name.partition(":")[0]) for name in named)
    return own + code_of(task.env_id, task.env_kwargs)


def the_users(method: str) -> str:
    """A method as the user himself names it: where it is a file, that may run from here on."""
    if is_file(method):
        name_code([method.partition(":")[0]])
    return absolute(method)


def find_method(method: str) -> Method:
    """The method of this name.

    Raises:
        UntrustedCode: a file that nobody named, neither here nor before.
        RecipeError: no such name, file or function, or a file that cannot be imported.
    """
    if method.startswith(MARK):
        return Handed()
    if is_file(method):
        return _load(*absolute(method).rsplit(":", 1))
    if method not in METHODS:
        raise RecipeError(
            f"there is no method '{method}'. {did_you_mean(method, METHODS)} "
            "A file of your own is named as my_method.py:recipe"
        )
    module: Any = METHODS[method]
    return module


def _load(file: str, function: str) -> Method:
    module = load_file(file)
    found = getattr(module, function, None)
    if not callable(found):
        known = [k for k, v in vars(module).items() if inspect.isfunction(v)]
        raise RecipeError(
            f"'{file}' has no function '{function}'. "
            + (did_you_mean(function, known) if known else "Define one that returns a Recipe")
        )
    return OwnMethod(module, found, f"{Path(file).name}:{function}")


def load_file(file: str) -> Any:
    """The module of a file, run once in a process. Raises RecipeError; UntrustedCode as above."""
    path = Path(file)
    if not path.is_file():
        raise RecipeError(f"there is no file '{file}'; check its path")
    name = f"warmstart_own_{path.stem}_{hashlib.sha256(file.encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    try:
        return import_as(name, path)
    except WarmstartError:
        raise
    except (Exception, SystemExit) as error:
        raise _failed(file, "cannot be imported", error) from error


def _failed(where: str, what: str, error: BaseException) -> RecipeError:
    """One line that says where in the user's file it went wrong."""
    trace, line = error.__traceback__, None
    while trace is not None:
        line, trace = trace.tb_lineno, trace.tb_next
    at = error.lineno if isinstance(error, SyntaxError) else line
    return RecipeError(f"{where} {what} (line {at}: {type(error).__name__}: {error}); fix it")
