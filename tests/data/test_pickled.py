"""Pickled NPY files are read without running anything that they name."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from warmstart.data import load
from warmstart.data.pickled import plain
from warmstart.errors import DataError

HEADER = {"descr": "|O", "fortran_order": False, "shape": (1,)}


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_come_back_as_pickle_gives_them(protocol: int) -> None:
    held = {
        "floats": np.arange(6.0).reshape(3, 2),
        "columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "other bytes": np.arange(3, dtype=">f4"),
        "flags": np.array([True, False]),
        "objects": np.array([{"a": 1}, [2]], dtype=object),
        "numbers": [np.float32(3), 1, 2.5, 10**12, -1, True, None],
        "rest": [{}, [], (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), "text", "\xe9", b"\x00\xff"],
    }
    held["again"] = held["floats"]
    found, true = plain(pickle.dumps(held, protocol)), held
    for name in ("floats", "columns", "other bytes", "flags", "again"):
        assert np.array_equal(found[name], true[name]) and found[name].dtype == true[name].dtype
    assert found["objects"] == [{"a": 1}, [2]]
    assert found["numbers"] == true["numbers"] and found["rest"] == true["rest"]


class Trap:
    """What a hostile file would run when it is unpickled."""

    def __init__(self, path: Path, how: str) -> None:
        self.path, self.how = path, how

    def __reduce__(self) -> tuple[Any, ...]:
        made = f"open({str(self.path)!r}, 'w')"
        return {
            "system": (os.system, (f"touch {self.path}",)),
            "eval": (eval, (made,)),
            "exec": (exec, (made,)),
            "getattr": (getattr, ("text", "upper")),
        }[self.how]


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("how", ["system", "eval", "exec", "getattr"])
def test_a_hostile_file_runs_nothing(tmp_path: Path, how: str, protocol: int) -> None:
    sprung = tmp_path / "sprung"
    held = np.empty(1, object)
    held[0] = {"observations": Trap(sprung, how)}
    path = tmp_path / "pen2_sparse.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|O", "fortran_order": False, "shape": (1,)}
        )
        pickle.dump(held, file, protocol=protocol)
    with pytest.raises(DataError, match="which would be code"):
        load(path, view="rlpd")
    assert not sprung.exists()


BY_HAND = {
    "an old class": b"(ios\nsystem\n.",
    "an object": b"(cos\nsystem\n(S'true'\no.",
    "a new object": b"cos\nsystem\n)\x81.",
    "an extension": b"\x80\x02\x82\x01.",
    "a persistent id": b"Pname\n.",
    "a stack name": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.",
    "a call of an array": b"cnumpy\nndarray\n(I9\ntR.",
    "a state for a list": b"](I1\ntb.",
    "an unknown dtype": b"cnumpy\ndtype\n(S'V8'\ntR.",
    "an empty array": b"cnumpy.core.multiarray\n_reconstruct\n(I0\ntR.",
}


@pytest.mark.parametrize("name", BY_HAND)
def test_every_instruction_that_could_run_something_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|O", "fortran_order": False, "shape": (1,)}
        )
        file.write(BY_HAND[name])
    with pytest.raises(DataError, match="nothing is run"):
        load(path, view="rlpd")


def test_a_lying_shape_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|O", "fortran_order": False, "shape": (1,)}
        )
        file.write(
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
            b"(I1\n(I99999999999\ntcnumpy\ndtype\n(S'f8'\ntRI00\nS'abc'\ntb."
        )
    with pytest.raises(DataError, match="not a readable NPY"):
        load(path, view="rlpd")
