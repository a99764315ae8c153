"""Floor 8: what can be typed, as frozen dataclasses that tyro turns into options and help.

Nothing here imports JAX, so that `--help` answers at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import OmitSubcommandPrefixes, Positional, UseAppendAction, arg, subcommand

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


@dataclass(frozen=True, kw_only=True)
class Common:
    """Options of everything that computes."""

    threads: Whole = None
    """Use at most this many processor cores."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Where a new run goes."""

    root: Path = Path("runs")
    """Folder in which the run's own folder is made."""
    name: Text = None
    """Name of the run's folder; default: method, task and time."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a file of logged data is read."""

    columns: Annotated[str | None, arg(metavar="WHAT=NAME,...", help_behavior_hint="")] = None
    """What is what in a log of your own (NPZ, HDF5, CSV, Parquet), as in
    'obs=pos_*+vel_*,action=cmd_*,reward=r,done=fallen,episode=run'. WHAT: obs, action, reward,
    done, truncated, next_obs, episode, step, success, mask; done=never: nothing ends by itself."""
    view: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None
    """For layouts with several readings: success-at-end (logs without rewards), qlearning (D4RL),
    reward-on-s or reward-on-next (OGBench), rlpd or cal-ql (Adroit-binary)."""
    action_box: Annotated[str | None, arg(metavar="LOW:HIGH,...", help_behavior_hint="")] = None
    """Limits of the logged actions, for all or for each, as in --action-box=-1:1; default: those
    of the environment."""


@dataclass(frozen=True, kw_only=True)
class Problem(Reading):
    """Method, task or own environment, and the numbers of pre-training."""

    method: Positional[Method]
    """A name from `warmstart list methods`, or `my_method.py:recipe`: a function in a Python file
    of yours, which is code and will be run."""
    task: Positional[Annotated[str | None, arg(metavar="[TASK]", help_behavior_hint="")]] = None
    """A name from `warmstart list tasks`. Leave it away with --env."""
    seeds: Annotated[str, arg(metavar="0,1,...")] = "0"
    """Seeds, side by side."""
    family: Text = None
    """Whose numbers the method starts from, such as `quick`; see `warmstart show METHOD`."""
    set: Annotated[Pairs, arg(metavar="PATH=VALUE", help_behavior_hint="(may be repeated)")] = ()
    """Change one number of the recipe; `warmstart show METHOD` lists the paths."""
    pretrain_steps: Whole = None
    """Gradient steps of (the last stage of) pre-training."""
    holdout: float = 0.05
    """Share of whole logged episodes that is kept for measuring."""
    data: Text = None
    """Logged data: a file (HDF5, NPZ, CSV, Parquet), a folder (of warmstart, Minari, LeRobot), or
    the id of a local Minari dataset."""
    ignore: Annotated[Pairs, arg(metavar="NAME", help_behavior_hint="(may be repeated)")] = ()
    """Run although `data check` finds this error, such as `rows-across-borders`."""
    env: Text = None
    """Your own task: the id of an installed Gymnasium environment, instead of TASK."""
    env_arg: Annotated[Pairs, arg(metavar="KEY=VALUE", help_behavior_hint="(may be repeated)")] = ()
    """With --env: a keyword argument of the environment."""
    reward_scale: Number = None
    """With --env: learn from scale * reward + bias (default 1)."""
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
    """With --env: score by success rate instead of return."""
    horizon: Whole = None
    """With --env: time limit in steps; default: the environment's own."""
    offline_every: Whole = None
    """Gradient steps between two evaluations in pre-training (0: only at its end)."""
    episodes: Whole = None
    """Episodes of each evaluation on the way (default 20)."""
    fixed_episodes: Whole = None
    """Episodes of the evaluations before and after the switch and at the end (default 100)."""


@dataclass(frozen=True, kw_only=True)
class Online:
    """Numbers of the online phase."""

    steps: Whole = None
    """Online environment steps for each seed."""
    online_every: Whole = None
    """Environment steps between two evaluations online, after the early ones (default 5000)."""
    frozen: Flag = False
    """Also evaluate the unchanged pre-trained policy online, as a noise floor."""


@dataclass(frozen=True, kw_only=True)
class Run(Common, Folder, Online, Problem):
    """Pre-train on logged data, hand over, fine-tune online, and write a report."""


@dataclass(frozen=True, kw_only=True)
class Pretrain(Common, Folder, Problem):
    """Only pre-train; any number of `finetune` runs may start from it."""


@dataclass(frozen=True, kw_only=True)
class Finetune(Common, Folder, Online):
    """Fine-tune online from the pre-training of another run, seed by seed."""

    method: Positional[Method]
    """Whose online phase: a name from `warmstart list methods`, or `my_method.py:recipe`."""
    source: Annotated[Path, arg(name="from", metavar="RUN", help_behavior_hint="(required)")]
    """Folder of a run that has finished its pre-training."""
    family: Text = None
    """Whose numbers the method starts from; default: as in the other run."""
    set: Annotated[Pairs, arg(metavar="PATH=VALUE", help_behavior_hint="(may be repeated)")] = ()
    """Change one number of the recipe; `warmstart show METHOD` lists the paths."""
    episodes: Whole = None
    """Episodes of each evaluation on the way (default 20)."""
    fixed_episodes: Whole = None
    """Episodes of the evaluations after the switch and at the end (default 100)."""


@dataclass(frozen=True, kw_only=True)
class Resume(Common):
    """Go on with a run that was stopped or killed, as if nothing had happened."""

    run: Positional[Run_]
    """The run's folder."""


@dataclass(frozen=True, kw_only=True)
class Evaluate(Common):
    """Evaluate the policies of a run."""

    run: Positional[Run_]
    """The run's folder."""
    episodes: int = 100
    """Episodes for each seed."""
    best: Flag = False
    """Take the best checkpoint instead of the latest."""
    json: Flag = False
    """Print JSON; docs/schema.md names the keys."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Write the page of one run, or of several to compare them."""

    runs: Positional[
        Annotated[tuple[Path, ...], arg(metavar="RUN [RUN ...]", help_behavior_hint="")]
    ]
    """Folders of runs."""
    out: Path | None = None
    """Folder for the page; default: the first run's."""


@dataclass(frozen=True, kw_only=True)
class List:
    """Show the methods, or the tasks that come with the package."""

    what: Positional[Literal["methods", "tasks"]]
    """Which table."""
    json: Flag = False
    """Print JSON; docs/schema.md names the keys."""


@dataclass(frozen=True, kw_only=True)
class Show:
    """A method in full: mathematics, five answers, families, and every path for --set."""

    method: Positional[Method]
    """A name from `warmstart list methods`, or `my_method.py:recipe`."""
    family: Text = None
    """Show the values of this family; default: the paper's."""
    json: Flag = False
    """Print JSON; docs/schema.md names the keys."""


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
    """Compare with this installed Gymnasium environment; default: the one that the data name."""
    env_arg: Annotated[Pairs, arg(metavar="KEY=VALUE", help_behavior_hint="(may be repeated)")] = ()
    """With --env: a keyword argument of the environment."""
    task: Text = None
    """Compare with the environment of this task."""
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


COMMANDS: dict[str, type] = {
    "run": Run,
    "pretrain": Pretrain,
    "finetune": Finetune,
    "resume": Resume,
    "evaluate": Evaluate,
    "report": Report,
    "list": List,
    "show": Show,
    "data": Data,
}
DATA_COMMANDS: dict[str, type] = {
    "make": DataMake,
    "info": DataInfo,
    "check": DataCheck,
    "convert": DataConvert,
}
