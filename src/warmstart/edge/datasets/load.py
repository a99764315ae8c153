"""Floor 7: one door for logged data, whatever its layout. Nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from warmstart.edge.datasets.build import Bounds, build, unit_actions
from warmstart.edge.datasets.flat_file import read_hdf5, read_npz
from warmstart.edge.datasets.manifest import is_folder, read_folder
from warmstart.edge.datasets.minari_file import find_minari, is_minari_file, read_minari
from warmstart.errors import DataError
from warmstart.types import Dataset, Spec


def load(
    source: str | Path,
    *,
    spec: Spec | None = None,
    bounds: Bounds | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Dataset:
    """The dataset behind a path or a Minari id.

    Layouts: a folder made by `make` or `save_folder`; a Minari folder, file or local id (HDF5);
    a D4RL HDF5 file; an OGBench or plain NPZ file.

    Args:
        source: path or id.
        spec: its horizon finds time limits in files that do not record them.
        bounds: (low [A], high [A]) of the environment's action box, from which actions are
            rescaled to [-1, 1]; None: they are there already. Not used for our own folders.
        mapping: our names (obs, actions, rewards, terminated, truncated, next_obs) to the array
            names of a flat file that calls them otherwise.

    Returns:
        Actions clipped to +-(1 - 1e-5), raw rewards, `info["source"]`, and where the file tells
        `info["env_id"]`, `info["env_kwargs"]` and `info["success_rate"]`.

    Raises:
        DataError: nothing there, an unknown layout, or a file that breaks its layout's rules.
    """
    path = Path(source).expanduser()
    if is_folder(path):
        dataset = read_folder(path)
        return replace(dataset, actions=unit_actions(dataset.actions)[0])
    horizon = spec.horizon if spec is not None else 0
    minari = path if is_minari_file(path) else find_minari(str(source))
    if minari is not None:
        return build(read_minari(minari), bounds, horizon)
    if path.is_file() and path.suffix == ".npz":
        return build(read_npz(path, mapping), bounds, horizon)
    if path.is_file() and path.suffix in (".hdf5", ".h5"):
        return build(read_hdf5(path, mapping), bounds, horizon)
    if path.suffix in (".npy", ".pkl", ".pickle"):
        raise DataError(
            f"{source} may hold pickled objects, which could run anything when opened: convert it "
            "to NPZ once, in a place you trust."
        )
    if path.exists():
        raise DataError(
            f"{source} has no layout that is known here: give a Minari folder, an HDF5 file "
            "(.hdf5, .h5) or an NPZ file (.npz)."
        )
    raise DataError(
        f"There is no file, folder or local Minari dataset '{source}': check the path, or fetch it "
        f"first with `minari download {source}`."
    )
