"""Every study that comes with the package, by name."""

from __future__ import annotations

from warmstart.errors import RunError, did_you_mean
from warmstart.studies.bundles_2026 import CHUNKS, FLOW, ON_POLICY, RESIDUAL
from warmstart.studies.bundles_switch import (
    FIRST_RUN,
    OFFLINE,
    RETENTION,
    RLPD,
    SWAPS,
    TABLE,
    WSRL,
)
from warmstart.studies.bundles_td3 import GRID, OTHERS, PARTS, SURVEY
from warmstart.studies.study import Study

STUDIES: dict[str, Study] = {
    study.name: study
    for study in (
        FIRST_RUN,
        WSRL,
        RETENTION,
        GRID,
        SWAPS,
        RLPD,
        OFFLINE,
        TABLE,
        PARTS,
        OTHERS,
        SURVEY,
        FLOW,
        CHUNKS,
        RESIDUAL,
        ON_POLICY,
    )
}
BUNDLES = {
    "R1": "retention", "R2": "wsrl", "R3": "swaps", "R4": "rlpd", "R5": "offline", "R6": "td3",
    "R7": "td3-parts", "R8": "others", "R9": "survey", "R13": "sparse-table",
}  # fmt: skip
"""The bundles of docs/studies.md that the library's methods can run; R10 to R12 are not runs of
methods on tasks, or lack a part."""


def find_study(name: str) -> Study:
    """The study of this name or bundle (`R2`). Raises RunError with the nearest ones."""
    name = BUNDLES.get(name.upper(), name)
    if name not in STUDIES:
        raise RunError(f"there is no study '{name}'. {did_you_mean(name, STUDIES)}")
    return STUDIES[name]
