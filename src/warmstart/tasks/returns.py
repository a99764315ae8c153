"""Discounted returns-to-go of logged episodes, the bound that Cal-QL calibrates against.

Rules and check values: Nakamoto et al. 2023 (Cal-QL), section 4 and its code; Zhou et al. 2024
(WSRL) uses the same three rules.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from warmstart.errors import TaskError, did_you_mean

ReturnRule = Literal["finite", "sparse", "infinite"]
RETURN_RULES: tuple[str, ...] = get_args(ReturnRule)


def rule_for(discount: float, rule: str) -> str:
    """A task's rule, or "finite": undiscounted returns know nothing behind an episode's end."""
    return rule if discount < 1 else "finite"


def returns_to_go(
    rewards: np.ndarray,
    masks: np.ndarray,
    lasts: np.ndarray,
    discount: float,
    rule: str = "finite",
    failure_reward: float | None = None,
) -> np.ndarray:
    """Return-to-go of every row, `G_t = r_t + discount * m_t * G_{t+1}`, summed in float64.

    Args:
        rewards: [N] transformed rewards, episodes one after another.
        masks: [N] 1 - terminated.
        lasts: [N] true on the last row of an episode.
        discount: in [0, 1); 1 is allowed for the rule "finite".
        rule: what stands behind the last row of an episode:
            "finite": nothing, `G = 0`;
            "sparse": nothing, but an episode whose rewards all equal `failure_reward` never
            succeeded and gets `failure_reward / (1 - discount)` at every row;
            "infinite": behind a last row that did not terminate, its reward for ever,
            `r / (1 - discount)`.
        failure_reward: the transformed reward of a step without success. Default: the smallest of
            `rewards` if that is negative; otherwise the rule has nothing to mark.

    Returns:
        [N] float32. Rows of an unfinished episode (after the last true `lasts`) hold -inf, which
        leaves `max(Q, G) = Q`.

    Raises:
        TaskError: an unknown rule, arrays of different length, or a discount out of range.
    """
    _check(rewards, masks, lasts, discount, rule)
    r = np.asarray(rewards, np.float64)
    m = np.asarray(masks, np.float64)
    out = np.full(len(r), -np.inf)
    if failure_reward is None and len(r) and r.min() < 0:
        failure_reward = float(r.min())
    start = 0
    for stop in np.flatnonzero(lasts) + 1:
        rows = slice(start, stop)
        failed = failure_reward is not None and bool(np.all(r[rows] == failure_reward))
        if rule == "sparse" and failed and failure_reward is not None:
            out[rows] = failure_reward / (1 - discount)
        else:
            bootstrap = r[stop - 1] / (1 - discount) if rule == "infinite" else 0.0
            out[rows] = _backwards(r[rows], m[rows], discount, bootstrap)
        start = stop
    return out.astype(np.float32)


def _backwards(r: np.ndarray, m: np.ndarray, discount: float, bootstrap: float) -> np.ndarray:
    out = np.empty(len(r))
    g = float(bootstrap)
    for i in range(len(r) - 1, -1, -1):
        g = float(r[i]) + discount * float(m[i]) * g
        out[i] = g
    return out


def _check(
    rewards: np.ndarray, masks: np.ndarray, lasts: np.ndarray, discount: float, rule: str
) -> None:
    if rule not in RETURN_RULES:
        raise TaskError(f"There is no return rule '{rule}'. {did_you_mean(rule, RETURN_RULES)}")
    if not len(rewards) == len(masks) == len(lasts):
        raise TaskError(
            f"Returns-to-go need arrays of one length, got {len(rewards)} rewards, {len(masks)} "
            f"masks and {len(lasts)} lasts: pass all rows of the same episodes."
        )
    if not (0 <= discount < 1 or (discount == 1 and rule == "finite")):
        raise TaskError(
            f"A discount of {discount} does not fit the return rule '{rule}': choose one in [0, 1)."
        )
