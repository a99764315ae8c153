"""Meta-World's scripted policy for the door, disturbed: the base policy of the study `residual`.

A run is given its path, as it would be given a file of the user's own.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

LEVEL = 2.0
"""Standard deviation of the noise, before the action is clipped to [-1, 1]."""


def policy(obs: np.ndarray) -> np.ndarray:
    """Observation [39] to action [4] in [-1, 1].

    The noise is drawn anew in every state, and is a function of it: a base policy gives one action
    for one observation.
    """
    seen = np.ascontiguousarray(obs, np.float32)
    noise = np.random.default_rng(np.frombuffer(seen.tobytes(), np.uint32)).standard_normal(4)
    action = np.clip(_script().get_action(seen.astype(np.float64)), -1.0, 1.0)
    return np.clip(action + LEVEL * noise, -1.0, 1.0)


@cache
def _script() -> Any:
    from metaworld.policies import ENV_POLICY_MAP

    return ENV_POLICY_MAP["door-open-v3"]()
