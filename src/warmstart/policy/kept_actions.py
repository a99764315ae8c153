"""What a base policy does at logged rows, kept beside made datasets: it is asked once.

A file is found by a checksum of the policy and of the rows. What a checksum of the policy's own
file does not cover, such as weights that it loads, is found by asking it again at a few rows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from warmstart.checksums import digest
from warmstart.errors import RunError
from warmstart.files.data_root import data_root
from warmstart.files.durable import write_atomic

LOG = logging.getLogger("warmstart")
KEEP_SECONDS = 1.0
"""What takes less is not kept."""
SAMPLE, CLOSE = 64, 1e-5
"""Rows that are asked again, and how far an action of [-1, 1] may lie off by rounding."""

Ask = Callable[[np.ndarray], np.ndarray]


def kept(
    policy: str | None,
    obs: np.ndarray,
    asked: np.ndarray,
    ask: Ask,
    name: str,
) -> np.ndarray:
    """Actions [N, A] float32 at observations [N, O], zeros where it is not asked.

    Args:
        policy: its checksum; None: it has none, and nothing is kept.
        obs: observations.
        asked: which of them [N].
        ask: observations [M, O] to actions [M, A].
        name: of the policy, for messages.
    """
    at = np.flatnonzero(asked)
    if policy is None or not len(at):
        return _spread(ask(obs[at]), at, len(obs))
    path = data_root() / "base-actions" / f"{policy[:16]}-{str(digest(obs, asked))[:16]}.npz"
    found = _read(path, len(at))
    if found is not None:
        some = np.linspace(0, len(at) - 1, min(SAMPLE, len(at))).astype(int)
        again = ask(obs[at[some]])
        if again.shape == found[some].shape and np.abs(again - found[some]).max() <= CLOSE:
            return _spread(found, at, len(obs))
        LOG.warning(
            "The policy '%s' acts otherwise than when its actions were kept; it is asked at all "
            "logged rows again.",
            name,
        )
    began = time.perf_counter()
    actions = ask(obs[at])
    if time.perf_counter() - began >= KEEP_SECONDS:
        _write(path, actions)
    return _spread(actions, at, len(obs))


def _spread(actions: np.ndarray, at: np.ndarray, count: int) -> np.ndarray:
    whole = np.zeros((count, actions.shape[-1]), np.float32)
    whole[at] = actions
    return whole


def _read(path: Path, count: int) -> np.ndarray | None:
    """What is kept; None: nothing, or nothing that can be read, which is said."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            actions, seal = file["actions"], str(file["checksum"])
        whole = actions.dtype == np.float32 and actions.ndim == 2 and len(actions) == count
        if whole and seal == digest(actions):
            return actions
    except Exception as error:  # zip, header and compression each have errors of their own
        LOG.debug("%r", error)
    LOG.warning("'%s' is damaged; the policy is asked at all logged rows again.", path)
    return None


def _write(path: Path, actions: np.ndarray) -> None:
    """Keep it. A disk that cannot be written is no reason to stop: it is said."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(
            path, lambda file: np.savez(file, actions=actions, checksum=np.array(digest(actions)))
        )
    except (OSError, RunError) as error:
        LOG.warning("The base's actions are not kept for the next time: %s", error)
