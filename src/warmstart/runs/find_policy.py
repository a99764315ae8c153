"""The policy of a run, or one that lies by itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from warmstart.errors import RunError, typed
from warmstart.policy.actor import NumpyPolicy
from warmstart.policy.folder import CARD, Stored, policy_in, read_policy, seeds_in
from warmstart.runs.folder import as_folder, read_run


def actor(
    folder: Path | str,
    seed: int | None = None,
    which: Literal["latest", "best"] = "latest",
) -> NumpyPolicy:
    """The learnt policy of one seed of a run, in NumPy: `actor(obs) -> action`.

    It reads the run's policy folder alone: neither the data nor the environment are needed.

    Args:
        folder: of the run, or a policy folder by itself (`policies/seed-0/best` of a run, or a
            copy of it anywhere).
        seed: one of the run's; None: its first.
        which: of the newest checkpoint, or of the one with the best evaluation.

    Raises:
        RunError: no such run or seed, no checkpoint yet, a damaged folder, or an acting rule or
            network of the user's own, which has no form in NumPy.
    """
    return NumpyPolicy(find_policy(as_folder(folder), seed, which))


def find_policy(folder: Path, seed: int | None, which: str) -> Stored:
    """A policy folder, itself or in its run. Raises RunError."""
    if which not in ("latest", "best"):
        raise RunError(f"which={which!r} names no policy; give 'latest' or 'best'")
    if (folder / CARD).exists():
        stored = read_policy(folder)
        if seed not in (None, stored.card.get("seed")):
            raise RunError(
                f"the policy in '{folder}' is of seed {stored.card.get('seed')}, not {seed}"
            )
        return stored
    if not (folder / "run.json").exists():
        what = "does not exist" if not folder.exists() else "is neither a run nor a policy folder"
        raise RunError(
            f"'{folder}' {what} (no run.json and no {CARD} in it); give the folder that `warmstart "
            "run` named at its start, or policies/seed-N/latest of it"
        )
    record = read_run(folder)
    seeds: list[int] = record["seeds"]
    seed = seeds[0] if seed is None else seed
    if seed not in seeds:
        raise RunError(f"the run in '{folder}' has no seed {seed}; choose of {tuple(seeds)}")
    path = policy_in(folder, seed, which)
    if not path.is_dir():
        if seed in seeds_in(folder):
            raise RunError(
                f"the run in '{folder}' has no best policy of seed {seed} yet: nothing was "
                "evaluated; take which='latest'"
            )
        raise RunError(
            f"the run in '{folder}' has no policy of seed {seed} yet; let it run to its first "
            f"checkpoint, or go on: {typed('resume', folder)}"
        )
    policy = read_policy(path)
    if other := anothers(policy.card, seed, record.get("id")):
        raise RunError(
            f"'{path}' holds the policy of {other}; put back what the run wrote there, or give "
            "that folder itself as a policy"
        )
    return policy


def anothers(card: Mapping[str, Any], seed: int, run: str | None) -> str | None:
    """Whose a card is where it is not that of this seed and run; older ones name no run."""
    if None not in (run, card.get("run")) and card["run"] != run:
        return "another run"
    return None if card.get("seed") == seed else f"seed {card.get('seed')}"
