"""Floor 7: code of the user's own, imported because its file or module was named to us.

Nothing else in this package runs code that it was pointed to; what a dataset names is never
imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from warmstart.errors import TaskError


def register_own(env_id: str) -> str:
    """Import what stands before the colon of `my_env.py:MyArm-v0` or `my_package:MyArm-v0`.

    A module is looked for where Python looks, and in the working folder.

    Returns:
        The id behind the colon, or the same id where there is no colon.

    Raises:
        TaskError: no such file or module, or one that fails while it is imported.
    """
    code, colon, name = env_id.rpartition(":")
    if not colon:
        return env_id
    try:
        if code.endswith(".py"):
            _import_file(Path(code).expanduser().resolve())
        else:
            _import_module(code)
    except TaskError:
        raise
    except (Exception, SystemExit) as error:
        raise TaskError(f"'{code}' cannot be imported ({where(error)}): mend it.") from error
    return name


def where(error: BaseException) -> str:
    """Type and text of an error, with the file and line that raised it."""
    trace, at = error.__traceback__, ""
    while trace is not None:
        at = f" in {Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        at = f" in {Path(error.filename or '').name}, line {error.lineno}"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}{at}"


def absolute_environment(env_id: str) -> str:
    """The same environment from every folder: a file's path is made absolute."""
    code, _, name = env_id.rpartition(":")
    return f"{Path(code).expanduser().resolve()}:{name}" if code.endswith(".py") else env_id


def _import_file(path: Path) -> None:
    """As a module of the file's name, so that `entry_point="my_env:MyArm"` finds it too."""
    known = sys.modules.get(path.stem)
    if known is not None:
        if Path(getattr(known, "__file__", None) or "").resolve() != path:
            raise TaskError(
                f"'{path}' has the name of another module, {path.stem}: rename your file."
            )
        return
    spec = importlib.util.spec_from_file_location(path.stem, path) if path.is_file() else None
    if spec is None or spec.loader is None:
        raise TaskError(f"there is no file '{path}': check the path of your environment.")
    _also_look_in(path.parent)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]
        raise


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
