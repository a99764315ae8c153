"""The field's testable claims, all of them, in order."""

from __future__ import annotations

from warmstart.errors import RunError, did_you_mean
from warmstart.studies.claim import Claim
from warmstart.studies.claims_survey import SURVEY_CLAIMS
from warmstart.studies.claims_switch import SWITCH, WSRL_CLAIMS
from warmstart.studies.claims_td3 import TD3
from warmstart.studies.claims_values import VALUES

CLAIMS: dict[str, Claim] = {
    claim.id: claim for claim in (*SWITCH, *WSRL_CLAIMS, *VALUES, *TD3, *SURVEY_CLAIMS)
}


def find_claim(name: str) -> Claim:
    """The claim of this id. Raises RunError with the nearest ones."""
    if name.upper() not in CLAIMS:
        raise RunError(f"there is no claim '{name}'. {did_you_mean(name, CLAIMS)}")
    return CLAIMS[name.upper()]


def carried(study: str) -> tuple[Claim, ...]:
    """The claims that the results of a study decide."""
    return tuple(claim for claim in CLAIMS.values() if claim.study == study)
