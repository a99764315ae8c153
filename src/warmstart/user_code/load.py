"""Code of the user's own, imported because its file or module was named to us.

Nothing else in this package runs code that it was pointed to, and this alone what `trust` lets
pass; what a dataset names is never imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from warmstart.errors import TaskError, WarmstartError, where
from warmstart.user_code.trust import code_of, require_trusted, whole_name


def register_own(env_id: str, env_kwargs: Mapping[str, Any] | None = None) -> str:
    """Import what stands before the colon of `my_env.py:MyArm-v0` or `my_package:MyArm-v0`.

    A module is looked for where Python looks, and in the working folder.

    Returns:
        The id behind the colon, or the same id where there is no colon.

    Raises:
        UntrustedCode: nobody named it, neither here nor before.
        TaskError: no such file or module, or one that fails while it is imported.
    """
    require_trusted(code_of(env_id, env_kwargs or {}))
    code, colon, name = env_id.rpartition(":")
    if not colon:
        return env_id
    try:
        if code.endswith(".py"):
            _import_file(Path(whole_name(code)))
        else:
            _import_module(code)
    except WarmstartError:
        raise
    except (Exception, SystemExit) as error:
        raise TaskError(f"'{code}' cannot be imported ({where(error)}): fix it.") from error
    return name


def absolute_environment(env_id: str) -> str:
    """The same environment from every folder: a file's path is made absolute."""
    code, colon, name = env_id.rpartition(":")
    return f"{whole_name(code)}{colon}{name}"


class _AsItStands(SourceFileLoader):
    """Compiles the file itself: a compiled copy beside it may be of another text."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def import_as(name: str, path: Path) -> ModuleType:
    """Run a Python file as the module `name`; what it raises passes through.

    Raises UntrustedCode where nobody named it, neither here nor before.
    """
    require_trusted([str(path)])
    spec = importlib.util.spec_from_loader(name, _AsItStands(name, str(path)))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up while it is read
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _import_file(path: Path) -> None:
    """As a module of the file's name, so that `entry_point="my_env:MyArm"` finds it too."""
    known = sys.modules.get(path.stem)
    if known is not None:
        if Path(getattr(known, "__file__", None) or "").resolve() != path:
            raise TaskError(
                f"'{path}' has the name of another module, {path.stem}: rename your file."
            )
        return
    if not path.is_file():
        raise TaskError(f"there is no file '{path}': check the path of your environment.")
    _also_look_in(path.parent)
    import_as(path.stem, path)


def _import_module(name: str) -> ModuleType:
    _also_look_in(Path.cwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(error.name + ".")):
            raise
        raise TaskError(
            f"no module '{name}' is installed or lies in the working folder: install it, or name "
            "the file that registers your environment, as in path/my_env.py:MyArm-v0."
        ) from error


def _also_look_in(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
