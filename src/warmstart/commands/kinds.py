"""The kinds of values that options have, and how a file of logged data is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import UseAppendAction, arg

Pairs = UseAppendAction[tuple[str, ...]]
# Options without a value of their own say in words what happens then.
Text = Annotated[str | None, arg(metavar="TEXT", help_behavior_hint="")]
Whole = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Number = Annotated[float | None, arg(metavar="NUMBER", help_behavior_hint="")]
Flag = Annotated[bool, arg(help_behavior_hint="")]
Run_ = Annotated[Path, arg(metavar="RUN", help_behavior_hint="")]
Method = Annotated[str, arg(metavar="METHOD", help_behavior_hint="")]
TaskName = Annotated[str, arg(metavar="TASK", help_behavior_hint="")]
Dataset = Annotated[str, arg(metavar="DATA", help_behavior_hint="")]
Log = Annotated[Pairs, arg(metavar="NAME", help_behavior_hint="(may be repeated)")]


@dataclass(frozen=True, kw_only=True)
class Allowing:
    """What of a run's own words may run."""

    allow_code: Annotated[Pairs, arg(metavar="FILE", help_behavior_hint="(may be repeated)")] = ()
    """A Python file or module that the run names and that may run. Those of runs that you began on
    this machine may, as long as they are unchanged."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a file of logged data is read."""

    columns: Annotated[str | None, arg(metavar="WHAT=NAME,...", help_behavior_hint="")] = None
    """What is what in a log of your own (NPZ, HDF5, CSV, JSON lines, Parquet), as in
    'obs=pos_*+vel_*,action=cmd_*,reward=r,done=fallen,episode=run'. WHAT: obs, action, reward,
    done, truncated, next_obs, episode, step, success, mask; done=never: nothing ends by itself;
    done=last: every episode does, with its last row."""
    view: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None
    """For layouts with several readings: success-at-end (logs without rewards), done-is-any-end
    (done is 1 at every end, as in the buffers of Stable-Baselines3), qlearning (D4RL),
    reward-on-s or reward-on-next (OGBench), rlpd or cal-ql (Adroit-binary)."""
    action_box: Annotated[str | None, arg(metavar="LOW:HIGH,...", help_behavior_hint="")] = None
    """Limits of the logged actions, for all or for each, as in --action-box=-1:1; default: those
    of the environment."""
    obs_offset: Annotated[str | None, arg(metavar="NUMBER,...", help_behavior_hint="")] = None
    """Take these away from observations, one for each number, before they become float32, which
    keeps 7 digits: logged, observed and acted on alike. `data check` says where it is needed."""
