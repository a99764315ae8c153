"""Who chooses the action."""

from warmstart.acting.by_value import BestOf, ByValue, Optimistic
from warmstart.acting.desired import Desired
from warmstart.acting.jump_start import JumpStart
from warmstart.acting.noise import Noisy, Sampled
from warmstart.acting.open_loop import OpenLoop
from warmstart.acting.progressive import Progressive
from warmstart.acting.rule import Acting, Mode, RemembersActions

__all__ = [
    "Acting",
    "BestOf",
    "ByValue",
    "Desired",
    "JumpStart",
    "Mode",
    "Noisy",
    "OpenLoop",
    "Optimistic",
    "Progressive",
    "RemembersActions",
    "Sampled",
]
