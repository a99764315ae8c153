"""What can be typed of a robot in a process of its own. Nothing here imports JAX."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from tyro.conf import arg

from warmstart.commands.declaring import Common, Declaring
from warmstart.commands.kinds import Allowing, Flag, Number, Pairs, Text, Whole

Token = Annotated[str | None, arg(metavar="TEXT", help_behavior_hint="($WARMSTART_TOKEN)")]


@dataclass(frozen=True, kw_only=True)
class Learner(Allowing, Common, Declaring):
    """Learn from a robot that acts in a process of its own (`actor`), until Ctrl-C: pre-train, hand
    over, listen. METHOD may also be a folder: a learner's, which goes on, or one of `pretrain`."""

    physical: ClassVar[bool] = False
    at_once: ClassVar[None] = None

    listen: Annotated[str, arg(metavar="HOST:PORT")] = "127.0.0.1:8200"
    """Where the actor finds it. Any other host than this machine needs --certfile."""
    token: Token = None
    """What the actor has to show, 16 characters or more. Other users of this machine see what is
    typed here; $WARMSTART_TOKEN they do not."""
    certfile: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Speak TLS with this certificate (PEM)."""
    keyfile: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Its key, where it does not stand in the same file."""
    seed: int = 0
    """Of everything random."""
    steps: Whole = None
    """Steps of the robot over which schedules run; past them it goes on."""
    publish_every: int = 50
    """Updates between two versions of the weights that the actor is sent."""
    intervened_share: Number = None
    """Keep this share of every batch for rows in which a human acted, once there are any."""
    most_mb: Number = None
    """Largest message in MB (default 256)."""
    root: Path = Path("runs")
    """Folder in which the learner's own folder is made."""
    name: Text = None
    """Name of the learner's folder; default: method, task and time."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Let a robot act by a learner's newest weights, at its own period, until Ctrl-C. It needs no
    JAX. Every step is on its disk before the learner hears of it."""

    connect: Annotated[str, arg(metavar="HOST:PORT", help_behavior_hint="(required)")]
    """Where the learner listens. On another machine it has to speak TLS."""
    env: Annotated[str, arg(metavar="ENV", help_behavior_hint="(required)")]
    """The robot: an installed Gymnasium id, or `my_arm.py:Arm-v0`, a file of yours that registers
    it and is run. Its `close` has to bring the robot to a halt."""
    env_arg: Annotated[Pairs, arg(metavar="KEY=VALUE", help_behavior_hint="(may be repeated)")] = ()
    """A keyword argument of the environment."""
    token: Token = None
    """The learner's token."""
    cafile: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """The learner's certificate (PEM), or its authority's, where this system does not know it."""
    folder: Path = Path("actor")
    """Of this robot's steps: the same one after a restart."""
    hz: float = 10.0
    """Actions per second."""
    steps: Whole = None
    """Stop behind so many more steps."""
    go: Flag = False
    """The robot may move. Without it you are asked, in a terminal."""
    limits: Annotated[str | None, arg(metavar="LOW:HIGH,...", help_behavior_hint="")] = None
    """Limits of actions inside the action box, for all numbers or for each, as in
    --limits=-0.5:0.5."""
    rate: Annotated[str | None, arg(metavar="NUMBER,...", help_behavior_hint="")] = None
    """The largest change from one action to the next, for all numbers or for each."""
    rest: Annotated[str | None, arg(metavar="NUMBER,...", help_behavior_hint="")] = None
    """With --rate: the action from which an episode begins (default: zero, or what the limits
    have nearest to it)."""
    guard: Annotated[str | None, arg(metavar="FILE:FUNCTION", help_behavior_hint="")] = None
    """`my_arm.py:guard`, a function that is asked guard(obs, action) before an action is sent, and
    stops the robot by False or a reason."""
    timeout: float = 10.0
    """Seconds in which a step must be answered; 0: any time."""
    seed: int = 0
    """Of the draws of exploration."""
    most_mb: Number = None
    """Largest message in MB (default 256)."""
