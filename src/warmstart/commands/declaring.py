"""What can be typed of a method on a task: what `run`, `pretrain` and `learner` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from warmstart.commands.kinds import Flag, Method, Number, Pairs, Reading, Text, Whole


@dataclass(frozen=True, kw_only=True)
class Common:
    """Options of everything that computes."""

    threads: Whole = None
    """Use at most this many processor cores."""


@dataclass(frozen=True, kw_only=True)
class Declaring(Reading):
    """Method, task or own environment, and what is learnt from."""

    method: Positional[Method]
    """A name from `warmstart list methods`, or `my_method.py:recipe`: a function in a Python file
    of yours, which is code and will be run."""
    task: Positional[Annotated[str | None, arg(metavar="[TASK]", help_behavior_hint="")]] = None
    """A name from `warmstart list tasks`. Leave it out with --env."""
    preset: Text = None
    """Whose numbers the method starts from, such as `quick`; see `warmstart show METHOD`."""
    set: Annotated[Pairs, arg(metavar="NAME=VALUE", help_behavior_hint="(may be repeated)")] = ()
    """Change one number by its name or its path; `warmstart show METHOD` lists both."""
    pretrain_steps: Whole = None
    """Gradient steps of pre-training."""
    holdout: float = 0.05
    """Share of whole logged episodes that is kept for measuring."""
    data_seed: int = 0
    """Seed with which the task's own data are made, where they are not there yet."""
    data: Text = None
    """Logged data: a file (HDF5, NPZ, CSV, JSON lines, Parquet), a folder (of warmstart, Minari,
    LeRobot, or of such files), or the id of a local Minari dataset."""
    ignore: Annotated[Pairs, arg(metavar="NAME", help_behavior_hint="(may be repeated)")] = ()
    """Run although `data check` finds this error, such as `rows-across-borders`."""
    env: Text = None
    """Your own task, instead of TASK: the id of an installed Gymnasium environment, or
    `my_env.py:MyArm-v0`, `my_package:MyArm-v0`: code of yours that registers it and is run."""
    env_arg: Annotated[Pairs, arg(metavar="KEY=VALUE", help_behavior_hint="(may be repeated)")] = ()
    """With --env: a keyword argument of the environment."""
    reward_scale: Number = None
    """With --env: learn from scale * reward + bias (default 1, or what the data ask for where the
    method does not bear their rewards; the run says so)."""
    reward_bias: Number = None
    """With --env: see --reward-scale (default 0)."""
    discount: Number = None
    """With --env: discount per step (default 0.99)."""
    reference: Annotated[str | None, arg(metavar="LOW,HIGH", help_behavior_hint="")] = None
    """With --env: the returns that count as scores 0 and 100."""
    return_rule: Annotated[
        Literal["finite", "sparse", "infinite"] | None,
        arg(metavar="{finite,sparse,infinite}", help_behavior_hint=""),
    ] = None
    """With --env: how returns-to-go of logged episodes are computed (default finite)."""
    success: Flag = False
    """With --env: score by success rate instead of return, as the environment's info says it."""
    success_when: Annotated[str | None, arg(metavar="RULE", help_behavior_hint="")] = None
    """With --env: score by success rate, and what counts as success where the environment's info
    does not say it: terminated, truncated (it lasted to the time limit), reward>=NUMBER, info:KEY,
    or several joined by ' and '."""
    horizon: Whole = None
    """With --env: time limit in steps; default: the environment's own."""
