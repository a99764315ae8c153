"""One door for logged data, whatever its layout. Nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from warmstart.data.adroit import adroit_files, read_adroit
from warmstart.data.build import Bounds, Columns, build, unit_actions
from warmstart.data.columns import LAST, Mapped, roles_of
from warmstart.data.flat_file import read_hdf5, read_npz
from warmstart.data.lerobot import is_lerobot, read_lerobot
from warmstart.data.logs import join, log_files
from warmstart.data.manifest import is_folder, read_folder, success_rate
from warmstart.data.memory import refuse_pointer
from warmstart.data.minari_file import find_minari, is_minari_file, read_minari
from warmstart.data.robomimic import is_robomimic, read_robomimic
from warmstart.data.tables import is_table, read_table
from warmstart.data.views import (
    DONE_IS_ANY_END,
    SUCCESS_AT_END,
    done_at_last,
    done_is_any_end,
    known_view,
    no_view,
    success_at_end,
)
from warmstart.errors import DataError
from warmstart.tasks import DataSource
from warmstart.types import Dataset, HostEnv, Spec

_ENDS = {"episode", "terminated", "truncated", "step"}
HDF5 = (".hdf5", ".h5")


class _Asked(NamedTuple):
    """How the user wants data to be read."""

    mapping: Mapped | None
    view: str | None
    simulator: Any
    obs_dim: int | None
    cameras: tuple[str, ...]  # that the environment shows

    def plainly(self, source: str | Path, what: str) -> None:
        """Refuse options that the layout has no use for."""
        if self.mapping:
            raise DataError(
                f"{source} is {what}, whose columns have their names: leave --columns (in Python "
                "mapping=) out."
            )
        if self.view is not None:
            raise no_view(source, what, self.view)


def load(
    source: str | Path,
    *,
    spec: Spec | None = None,
    bounds: Bounds | None = None,
    mapping: Mapped | None = None,
    view: str | None = None,
    simulator: Any = None,
    obs_offset: Sequence[float] | None = None,
) -> Dataset:
    """The dataset behind a path or a Minari id.

    Layouts: a folder made by `make` or `save_folder`; a Minari folder, file or local id (HDF5,
    Arrow or Parquet inside); a LeRobot folder; D4RL's and robomimic's HDF5; OGBench's NPZ; the
    pickled NPY files of Adroit-binary; NPZ, HDF5, CSV, JSON lines or Parquet of your own, or a
    folder of such logs.

    Args:
        source: path or id.
        spec: its horizon finds time limits in files that do not record them, its size tells
            whether a goal that never changes is observed.
        bounds: (low [A], high [A]) of the action box that the data were logged in, from which
            actions are rescaled to [-1, 1]; None: they are there already. Not used for our own
            folders.
        mapping: what is what in a file of your own: obs, action, reward, done, truncated,
            next_obs, episode, step, success or mask, to a name in the file, a pattern (`state_*`),
            several joined by `+`, or (for done) `never` or `last`.
        view: one of `VIEWS`, for layouts that can be read in several ways.
        obs_offset: [O] taken away from observations in float64, before they become float32.
        simulator: the environment itself, for whose single task an OGBench file is relabelled.

    Returns:
        Actions clipped to +-(1 - 1e-5), raw rewards, `info["source"]`, and where the file tells
        `info["env_id"]`, `info["env_kwargs"]` and `info["success_rate"]`.

    Raises:
        DataError: nothing there, an unknown layout, or a file that breaks its layout's rules.
    """
    if not str(source).strip():
        raise DataError("No data are named: give a file, a folder or the id of a Minari dataset.")
    try:
        path = Path(source).expanduser()
    except RuntimeError as error:
        raise DataError(f"{source} names the home of nobody: write the path without ~.") from error
    if view is not None:
        known_view(view)
    seen = () if spec is None else tuple(camera.name for camera in spec.cameras)
    asked = _Asked(mapping, view, simulator, None if spec is None else spec.numbers, seen)
    if _is_ours(source, path):
        asked.plainly(source, "a dataset folder of warmstart")
        dataset = read_folder(path)
        _same_offset(source, dataset.info.get("obs_offset"), obs_offset)
        return replace(dataset, actions=unit_actions(dataset.actions)[0])

    try:
        parts = _parts(source, asked)
    except OSError as error:
        raise _closed(source, error) from error
    horizon = spec.horizon if spec is not None else 0
    if view == SUCCESS_AT_END:
        parts = [success_at_end(part) for part in parts]
    elif view == DONE_IS_ANY_END:
        parts = [done_is_any_end(part) for part in parts]
    elif _at_last(asked.mapping, parts):
        parts = [done_at_last(part) for part in parts]
    dataset = join(source, [build(part, bounds, horizon, obs_offset) for part in parts])
    if not len(dataset) and (rows := sum(len(part.actions) for part in parts)):
        raise DataError(
            f"{source}: each of the {rows} rows is an episode of its own whose next observation is "
            "not told, so that none is left: check which columns are 'episode', 'step' and "
            "'truncated', or write next observations."
        )
    rate = success_rate(dataset)
    known: dict[str, Any] = {} if rate is None else {"success_rate": rate}
    if mapping:
        known["mapping"] = {k: v if isinstance(v, str) else list(v) for k, v in mapping.items()}
    return replace(dataset, info={**known, **dataset.info})


def _same_offset(source: str | Path, have: Any, said: Sequence[float] | None) -> None:
    """Refuse a folder whose observations have another offset taken away than the user says."""
    if list(have or ()) == list(said or ()):
        return
    if have:
        option = f"--obs-offset={','.join(map(repr, have))}"
        raise DataError(
            f"{source} was written with an offset taken away from its observations: give {option} "
            "(in Python obs_offset=), so that the environment's are treated alike."
        )
    raise DataError(
        f"{source} holds float32 numbers, from which no offset brings back what was rounded: "
        "convert the original again, with --obs-offset."
    )


def _at_last(mapping: Mapped | None, parts: Sequence[Columns]) -> bool:
    """Whether the user says `done=last`, and does not mean a column of that name."""
    said = roles_of(mapping or {}).get("terminated")
    return said is not None and said[1] == LAST and "terminated" not in parts[0].info["columns"]


def _is_ours(source: str | Path, path: Path) -> bool:
    try:
        return is_folder(path)
    except OSError as error:
        raise _closed(source, error) from error


def _closed(source: str | Path, error: OSError) -> DataError:
    return DataError(
        f"{source} cannot be opened ({error.strerror or error}): check its name, and whether you "
        "may read it."
    )


def load_source(data: DataSource, env: HostEnv | None = None) -> Dataset:
    """The user's file, read as its source says, for an environment if one is open.

    Actions are taken to be in the box that the source names, else in the environment's.

    Raises:
        DataError: as `load`, or an action box that does not fit.
    """
    bounds = getattr(env, "action_box", None)
    spec = None if env is None else env.spec
    if data.action_box is not None:
        low, high = np.asarray(data.action_box, np.float32).T
        if spec is not None and len(low) not in (1, spec.action_dim):
            raise DataError(
                f"An action box of {len(low)} pairs does not fit {spec.action_dim} actions: give "
                "one LOW:HIGH for all, or one for each."
            )
        bounds = low, high
    return load(
        data.path or "",
        spec=spec,
        bounds=bounds,
        mapping=data.columns or None,
        view=data.view,
        simulator=getattr(env, "simulator", None),
        obs_offset=data.obs_offset,
    )


def _parts(source: str | Path, asked: _Asked, inside: bool = False) -> list[Columns]:
    """The columns of whatever layout it is; several where each begins a new episode. `inside`: it
    is one of them."""
    path = Path(source).expanduser()
    layout = find_minari(str(source)) is not None or is_lerobot(path) or bool(adroit_files(path))
    if not layout and (files := log_files(path)):
        parts = [_parts(file, asked, True) for file in files]
        return [column for part in parts for column in part]
    if path.is_file():
        refuse_pointer(path)  # OSError: it cannot be read
    if path.is_file() and path.suffix.lower() in HDF5 and is_robomimic(path):
        return read_robomimic(path, asked.mapping, asked.view, asked.cameras)
    columns = _read(source, asked)
    if inside or not (asked.view == SUCCESS_AT_END or _at_last(asked.mapping, [columns])):
        return [columns]
    if not _ENDS & set(columns.info["columns"]):
        raise DataError(
            f"{source} does not say where episodes end: name a column with --columns episode=NAME "
            "(in Python mapping=), or give a folder with a file for each."
        )
    return [columns]


def _read(source: str | Path, asked: _Asked) -> Columns:
    """The columns of a layout that is read as a whole."""
    path = Path(source).expanduser()
    minari = path if is_minari_file(path) else find_minari(str(source))
    if minari is not None:
        kept = None if asked.view == DONE_IS_ANY_END else asked.view
        asked._replace(view=kept).plainly(source, "a Minari dataset")
        return read_minari(minari, asked.obs_dim)
    if is_lerobot(path):
        return read_lerobot(path, asked.mapping, asked.view, asked.cameras)
    if path.is_file() and path.suffix.lower() == ".npz":
        return read_npz(path, asked.mapping, asked.view, asked.simulator)
    if path.is_file() and path.suffix.lower() in HDF5:
        return read_hdf5(path, asked.mapping, asked.view)
    if path.is_file() and is_table(path):
        return read_table(path, asked.mapping, asked.view)
    if trajectories := adroit_files(path):
        asked._replace(view=None).plainly(source, "a file of pickled trajectories")
        return read_adroit(trajectories, asked.view)
    if path.suffix in (".pkl", ".pickle"):
        raise DataError(
            f"{source} holds pickled objects, which could run anything when opened: convert it to "
            "NPZ once, in a place you trust."
        )
    if path.exists():
        raise DataError(
            f"{source} has no layout that is known here: give a Minari or LeRobot folder, or a "
            "file or a folder of files in HDF5 (.hdf5, .h5), NPZ (.npz), CSV (.csv), JSON lines "
            "(.jsonl) or Parquet (.parquet)."
        )
    fetch = f", or fetch it first with `minari download {source}`"
    if path.is_absolute() or path.suffix:
        fetch = ""  # no id
    raise DataError(
        f"There is no file, folder or local Minari dataset '{source}': check the path{fetch}."
    )
