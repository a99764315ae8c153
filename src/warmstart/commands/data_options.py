"""What can be typed behind `warmstart data`. Imports no JAX, as `options`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitSubcommandPrefixes, Positional, arg, subcommand

from warmstart.commands.kinds import (
    Dataset,
    Flag,
    Number,
    Pairs,
    Reading,
    TaskName,
    Text,
    Whole,
)


@dataclass(frozen=True, kw_only=True)
class DataMake:
    """Make the logged data of a task on this machine: once, a second call finds them. What Ctrl-C
    interrupts, the same command goes on with."""

    task: Positional[TaskName]
    """A name from `warmstart list tasks`."""
    seed: int = 0
    """Seed of everything random."""
    size: Number = None
    """How many rows, such as 1e6 (whole episodes, so a few more); default: the task's own size."""
    episodes: Whole = None
    """Instead of --size: how many of the maker's episodes."""


@dataclass(frozen=True, kw_only=True)
class DataInfo(Reading):
    """What is in a dataset: rows, episodes, returns, sizes."""

    data: Positional[Dataset]
    """A file, a folder, or the id of a local Minari dataset, as for --data of `run`."""
    json: Flag = False
    """Print JSON; docs/schema.md names the keys."""


@dataclass(frozen=True, kw_only=True)
class DataCheck(Reading):
    """Look for what is wrong or odd in a dataset, and draw it. Exits with 1 where it finds an
    error."""

    data: Positional[Dataset]
    """A file, a folder or the id of a local Minari dataset, as for --data of `run`; or a task's
    name."""
    env: Text = None
    """Compare with this Gymnasium environment (see `run --help`); default: the one that the data
    name, if it is installed."""
    env_arg: Annotated[Pairs, arg(metavar="KEY=VALUE", help_behavior_hint="(may be repeated)")] = ()
    """With --env: a keyword argument of the environment."""
    task: Text = None
    """Compare with the environment of this task."""
    method: Annotated[str | None, arg(metavar="METHOD", help_behavior_hint="")] = None
    """Look also for what this method does not bear, and suggest what fixes it."""
    preset: Text = None
    """With --method: whose numbers it takes, as for `run`."""
    physical: Flag = False
    """The environment is one real robot, which does not move for this."""
    figure: Annotated[Path | None, arg(metavar="PATH", help_behavior_hint="")] = None
    """Where to draw it (.png or .svg); default: beside a file, else in the working folder; with
    --json: nowhere."""
    json: Flag = False
    """Print JSON; docs/schema.md names the keys."""


@dataclass(frozen=True, kw_only=True)
class DataConvert(Reading):
    """Write any dataset as a folder that opens at once, or as a Minari dataset (HDF5)."""

    data: Positional[Dataset]
    """A file, a folder, or the id of a local Minari dataset, as for --data of `run`."""
    out: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint="")] = None
    """A new folder, whose arrays are mapped into memory when it is opened."""
    minari: Text = None
    """A new Minari id, such as group/name-v0, below $MINARI_DATASETS_PATH."""
    env: Text = None
    """The installed Gymnasium environment of the data: its action box, time limit and name."""
    env_arg: Annotated[Pairs, arg(metavar="KEY=VALUE", help_behavior_hint="(may be repeated)")] = ()
    """With --env: a keyword argument of the environment."""


@dataclass(frozen=True, kw_only=True)
class Data:
    """Make, describe, check or convert logged data."""

    do: OmitSubcommandPrefixes[
        Annotated[DataMake, subcommand("make")]
        | Annotated[DataInfo, subcommand("info")]
        | Annotated[DataCheck, subcommand("check")]
        | Annotated[DataConvert, subcommand("convert")]
    ]


DATA_COMMANDS: dict[str, type] = {
    "make": DataMake,
    "info": DataInfo,
    "check": DataCheck,
    "convert": DataConvert,
}
