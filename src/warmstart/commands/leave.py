"""The command that takes a policy out of its run: export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console

from warmstart.commands.policy_options import Export
from warmstart.errors import RunError


def leave(given: Export) -> int:
    """Write the folder, and say what was compared. Raises WarmstartError."""
    names = None if given.names is None else _names(given.names)
    from warmstart import api

    made = api.export(
        given.run,
        given.to,
        seed=given.seed,
        which="best" if given.best else "latest",
        onnx=given.onnx,
        names=names,
        license=given.license,
    )
    parity, score = made.card["exported"]["parity"], made.card["exported"]["score"]
    lines = [
        f"policy   {made.card['method']} on {made.card.get('task', 'its task')}, "
        f"seed {made.card['seed']}",
        f"score    {_score(made.card, score)}",
        f"numpy    differs from JAX by {parity['numpy']:.1e} at most, on "
        f"{parity['observations']:,} observations (actions on the scale of [-1, 1])",
    ]
    if parity["onnx"] is not None:
        lines.append(f"onnx     differs from NumPy by {parity['onnx']:.1e} at most, on the same")
    lines.append(f"folder   {made.folder}")
    Console().print("\n".join(lines), soft_wrap=True, highlight=False, markup=False)
    return 0


def _score(card: dict[str, Any], score: dict[str, Any] | None) -> str:
    if score is None:
        return "not evaluated at this checkpoint"
    low, high = score["interval"]
    return (
        f"{score['value']:.1f} [{low:.1f}, {high:.1f}], {card['score_label']}, over "
        f"{score['episodes']} episodes"
    )


def _names(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise RunError(f"cannot read '{path}': {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"'{path}' is no JSON ({error}); fix it") from error
