"""The policy folder: `policy.json`, the card, and the weights that it names.

The weights are written first, under a name that is made of their checksum; the card, which names
them, takes the place of the one before in one step. A kill in between leaves the old policy whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from warmstart.errors import RunError
from warmstart.files.durable import make_folder, write_atomic, write_json_atomic

CARD = "policy.json"
KIND, FORMAT = "warmstart policy", 2
READS = (1, 2)
"""In format 1 the pretrained policy stood under `prior`."""
_WEIGHTS = re.compile(r"weights-[0-9a-f]{16}\.safetensors")
_BASE = re.compile(r"base-[0-9a-f]{16}\.onnx")
_TYPES = ("float32", "int32", "uint32", "bool")


class Stored(NamedTuple):
    """A policy folder that was read and is sound.

    Attributes:
        path: of the folder.
        card: what `policy.json` says; docs/schema.md lists it.
        tensors: the weights by name.
    """

    path: Path
    card: dict[str, Any]
    tensors: dict[str, np.ndarray]


def write_policy(
    path: Path,
    card: dict[str, Any],
    tensors: dict[str, np.ndarray],
    again: str = "resume",
    files: Mapping[str, bytes] | None = None,
) -> None:
    """Put a policy in the folder `path`, in place of the one that was there, or not at all.

    Args:
        path: made where it is not there.
        card: what JSON can hold, without the keys that this adds: kind, format, tensors, weights
            and checksum.
        tensors: by name.
        again: what to do when there is room again, for the message.
        files: what lies beside the weights, under names that are made of checksums.

    Raises:
        RunError: it cannot be written; the policy before it is then whole.
    """
    tensors = {name: np.array(tensor, order="C") for name, tensor in sorted(tensors.items())}
    packed = save(tensors)
    digest = hashlib.sha256(packed).hexdigest()
    name = f"weights-{digest[:16]}.safetensors"
    shapes = {k: {"shape": list(t.shape), "dtype": str(t.dtype)} for k, t in tensors.items()}
    weights = {"file": name, "bytes": len(packed), "sha256": digest}
    card = {"kind": KIND, "format": FORMAT, **card, "tensors": shapes, "weights": weights}
    make_folder(path, again)
    for beside, held in {**(files or {}), name: packed}.items():
        if not (path / beside).exists():
            write_atomic(path / beside, lambda file, held=held: file.write(held), again)
    write_json_atomic(path / CARD, {**card, "checksum": _checksum(card)}, again)
    for old in path.iterdir():
        if old.name != name and _WEIGHTS.fullmatch(old.name):
            with contextlib.suppress(OSError):  # who reads it still holds it: next time
                old.unlink()


def read_policy(path: Path | str) -> Stored:
    """What lies in a policy folder, checked to the last byte.

    Raises:
        RunError: there is none, it is damaged, or another program or version wrote it. The
            message names the file.
    """
    path = Path(path)
    for _ in range(20):
        card = _card(path)
        file = path / card["weights"]["file"]
        if file.exists() and not file.is_file():
            raise RunError(f"'{file}' is no file; {_AGAIN}")
        try:
            packed = file.read_bytes()
        except FileNotFoundError:
            time.sleep(0.05)  # a run may have put a newer policy there just now
            continue
        except OSError as error:
            raise RunError(f"cannot read '{file}': {error.strerror or error}") from error
        return Stored(path, _renewed(card), _tensors(file, card, packed))
    raise RunError(f"'{file}' is missing, which '{path / CARD}' names; {_AGAIN}")


_AGAIN = "copy the whole policy folder again from its run, or resume that run where it is not over"


def _renewed(card: dict[str, Any]) -> dict[str, Any]:
    """A card of before in today's words."""
    state = card.get("state")
    if isinstance(state, dict) and "prior" in state:
        state["pretrained"] = state.pop("prior")
    if "family" in card:
        card["preset"] = card.pop("family")
    return card


def _card(path: Path) -> dict[str, Any]:
    file = path / CARD
    if not file.is_file():
        what = "is no policy folder" if path.is_dir() else "does not exist"
        raise RunError(
            f"'{path}' {what} (no {CARD} in it); give a folder that `warmstart export` wrote, or "
            "policies/seed-N/latest of a run"
        )
    try:
        card = json.loads(file.read_bytes())
    except OSError as error:
        raise RunError(f"cannot read '{file}': {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"'{file}' is damaged (no JSON: {error}); {_AGAIN}") from error
    if not isinstance(card, dict) or card.get("kind") != KIND:
        raise RunError(f"'{file}' is not the card of a warmstart policy; give one that a run wrote")
    if card.get("format") not in READS:
        raise RunError(
            f"'{file}' has policy format {card.get('format')}, this warmstart reads {FORMAT}; use "
            "the version of warmstart that wrote it"
        )
    told, weights = card.pop("checksum", None), card.get("weights")
    named = isinstance(weights, dict) and _WEIGHTS.fullmatch(str(weights.get("file")))
    if told != _checksum(card) or not named or not isinstance(card.get("tensors"), dict):
        raise RunError(f"'{file}' is damaged (its checksum differs); {_AGAIN}")
    return card


def _tensors(file: Path, card: dict[str, Any], packed: bytes) -> dict[str, np.ndarray]:
    weights = card["weights"]
    if len(packed) != weights.get("bytes"):
        raise RunError(
            f"'{file}' has {len(packed):,} bytes, its card names {weights.get('bytes')}; {_AGAIN}"
        )
    if hashlib.sha256(packed).hexdigest() != weights.get("sha256"):
        raise RunError(f"'{file}' is damaged (its checksum differs); {_AGAIN}")
    try:
        tensors = load(packed)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"'{file}' is no safetensors file ({error}); {_AGAIN}") from error
    found = {k: {"shape": list(t.shape), "dtype": str(t.dtype)} for k, t in tensors.items()}
    if found != card["tensors"] or any(t["dtype"] not in _TYPES for t in found.values()):
        raise RunError(f"'{file}' holds other tensors than its card names; {_AGAIN}")
    return tensors


def read_beside(path: Path, told: Mapping[str, Any]) -> bytes:
    """A file beside the weights, whose `file` and `sha256` a card tells.

    Raises:
        RunError: it is missing or damaged.
        KeyError, ValueError: the card tells no such file.
    """
    if not _BASE.fullmatch(str(told["file"])):
        raise ValueError(f"a file called {told['file']!r}")
    file = path / told["file"]
    try:
        held = file.read_bytes()
    except OSError as error:
        raise RunError(f"cannot read '{file}': {error.strerror or error}; {_AGAIN}") from error
    if hashlib.sha256(held).hexdigest() != told["sha256"]:
        raise RunError(f"'{file}' is damaged (its checksum differs); {_AGAIN}")
    return held


def _checksum(card: dict[str, Any]) -> str:
    """sha256 of everything else that the card says."""
    text = json.dumps(card, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def policy_in(run: Path, seed: int, which: str) -> Path:
    """Where the policy of a seed lies in its run."""
    return run / "policies" / f"seed-{seed}" / which


def seeds_in(run: Path) -> list[int]:
    """The seeds of which a run holds policies."""
    found = []
    with contextlib.suppress(OSError):
        for path in (run / "policies").iterdir():
            if match := re.fullmatch(r"seed-(\d+)", path.name):
                found.append(int(match[1]))
    return sorted(found)
