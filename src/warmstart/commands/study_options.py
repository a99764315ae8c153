"""What can be typed behind `warmstart study`. Imports no JAX, as `options`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import OmitSubcommandPrefixes, Positional, arg, subcommand

from warmstart.commands.kinds import Flag, Number, Whole

Name = Annotated[str, arg(metavar="NAME", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Where results lie."""

    results: Path = Path("studies/results")
    """Folder of results: small JSON files that are only ever added."""


@dataclass(frozen=True, kw_only=True)
class StudyList(Folders):
    """Show the studies that come with the package."""

    json: Flag = False
    """Print JSON; docs/schema.md names the keys."""


@dataclass(frozen=True, kw_only=True)
class Choice(Folders):
    """A part of a study."""

    name: Positional[Name]
    """A name from `warmstart study list`, a bundle such as R2, or `my_study.py:STUDY`: a Study in
    a Python file of yours, which is code and will be run."""
    arms: Annotated[str | None, arg(metavar="ARM,...", help_behavior_hint="")] = None
    """Only these arms, and the pre-trainings that they need."""
    tasks: Annotated[str | None, arg(metavar="TASK,...", help_behavior_hint="")] = None
    """These tasks instead of the study's own."""
    steps: Whole = None
    """Online steps of each arm instead of the study's own: a protocol of its own."""
    runs: Path = Path("studies/runs")
    """Folder of the run folders."""


@dataclass(frozen=True, kw_only=True)
class StudyShow(Choice):
    """A study in full: its arms, its claims, and how many core-hours it takes."""

    seeds: Whole = None
    """Seeds to reckon with; default: 5, the first block, and 15, the last."""
    probe: Flag = False
    """Time what was never timed: minutes for each kind of arm and task."""
    json: Flag = False
    """Print JSON; docs/schema.md names the keys."""


@dataclass(frozen=True, kw_only=True)
class StudyRun(Choice):
    """Run a study, or go on with it. What has a result is never run again."""

    seeds: Annotated[str | None, arg(metavar="0,1,...", help_behavior_hint="")] = None
    """These seeds; default: blocks up to 5, 10 and 15, until the intervals are short enough."""
    workers: int = 1
    """Units of work (a task and a seed) that run at once."""
    on: Literal["local", "ray", "slurm"] = "local"
    """Where: processes of this machine, a Ray cluster, Slurm jobs."""
    hours: Number = None
    """Stop and save after so many hours."""
    diagnose_every: Whole = None
    """Measure values and errors every so many steps of the first 20,000, on held-out rows and on
    rollouts that nothing trains on."""


@dataclass(frozen=True, kw_only=True)
class StudyReport(Folders):
    """Write the page of a study: curves, tables, claims."""

    name: Positional[Name]
    """A study; see `study run`."""
    out: Annotated[Path | None, arg(metavar="PATH", help_behavior_hint="")] = None
    """The HTML file, or its folder; default: studies/NAME.html."""


@dataclass(frozen=True, kw_only=True)
class StudyVerdicts(Folders):
    """Show every claim with its verdict, effect, interval, seeds and tasks, or that it was not
    run."""

    claims: Annotated[str | None, arg(metavar="ID,...", help_behavior_hint="")] = None
    """Only these claims, such as B3,D2."""
    json: Flag = False
    """Print JSON; docs/schema.md names the keys."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """Test the field's claims: studies of many arms, tasks and seeds, and verdicts."""

    do: OmitSubcommandPrefixes[
        Annotated[StudyList, subcommand("list")]
        | Annotated[StudyShow, subcommand("show")]
        | Annotated[StudyRun, subcommand("run")]
        | Annotated[StudyReport, subcommand("report")]
        | Annotated[StudyVerdicts, subcommand("verdicts")]
    ]


STUDY_COMMANDS: dict[str, type] = {
    "list": StudyList,
    "show": StudyShow,
    "run": StudyRun,
    "report": StudyReport,
    "verdicts": StudyVerdicts,
}
