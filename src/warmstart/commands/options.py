"""What can be typed, as frozen dataclasses that tyro turns into options and help.

Nothing here imports JAX, so that `--help` answers at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from warmstart.commands.data_options import (
    DATA_COMMANDS as DATA_COMMANDS,
)
from warmstart.commands.data_options import Data as Data
from warmstart.commands.data_options import DataCheck as DataCheck
from warmstart.commands.data_options import DataConvert as DataConvert
from warmstart.commands.data_options import DataInfo as DataInfo
from warmstart.commands.data_options import DataMake as DataMake
from warmstart.commands.declaring import Common as Common
from warmstart.commands.declaring import Declaring as Declaring
from warmstart.commands.kinds import (
    Allowing,
    Flag,
    Log,
    Method,
    Pairs,
    Run_,
    Text,
    Whole,
)
from warmstart.commands.link_options import Actor as Actor
from warmstart.commands.link_options import Learner as Learner
from warmstart.commands.policy_options import Export as Export
from warmstart.commands.policy_options import Serve as Serve
from warmstart.commands.study_options import STUDY_COMMANDS, Study


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Where a new run goes."""

    root: Path = Path("runs")
    """Folder in which the run's own folder is made."""
    name: Text = None
    """Name of the run's folder; default: method, task and time."""
    log: Log = ()
    """Also tell a tracker how it goes: `wandb` or `mlflow`, an extra each. TensorBoard's files lie
    in the run's folder in any case."""


@dataclass(frozen=True, kw_only=True)
class Problem(Declaring):
    """Method, task or own environment, and the numbers of pre-training."""

    seeds: Annotated[str, arg(metavar="0,1,...")] = "0"
    """Seeds, side by side."""
    policy: Text = None
    """A policy that is there already, for a method that starts from one: `my_arm.py:policy` (code
    of yours, a function from an observation to an action, which is run), an ONNX file, or a run."""
    physical: Flag = False
    """With --env: it is one real robot, opened once: evaluated before and after the online phase,
    and scored by its own training episodes on the way."""
    at_once: Whole = None
    """Evaluation episodes of a seed that run at once, each in an environment of its own (default
    20, or what the task says)."""
    offline_every: Whole = None
    """Gradient steps between two evaluations in pre-training (0: only at its end)."""
    episodes: Whole = None
    """Episodes of each evaluation on the way (default 20)."""
    no_compare: Flag = False
    """Do not hold the pre-trained policy to the data's own score, nor to a clone where it is far
    below: some ten seconds, and up to 20 episodes in the simulator."""
    fixed_episodes: Whole = None
    """Episodes of the evaluations before and after the switch and at the end (default 100; with
    --physical 10, and 0 for none)."""
    log_every: Whole = None
    """Updates or online steps between two metric lines (default 1,000; 100 in short runs)."""


@dataclass(frozen=True, kw_only=True)
class Online:
    """Numbers of the online phase."""

    steps: Whole = None
    """Online environment steps for each seed."""
    online_every: Whole = None
    """Environment steps between two evaluations online, after the early ones (default 5000)."""
    early: Annotated[str | None, arg(metavar="0,100,...", help_behavior_hint="")] = None
    """Online steps of the early evaluations, close after the switch (default: about twelve in the
    first 50,000 steps; empty: none)."""
    frozen: Flag = False
    """Also evaluate the unchanged pre-trained policy online, as a noise floor."""
    no_films: Flag = False
    """Draw no episode before and after: with a real robot, or where drawing takes long."""


@dataclass(frozen=True, kw_only=True)
class Run(Common, Folder, Online, Problem):
    """Pre-train on logged data, hand over, fine-tune online, and write a report."""


@dataclass(frozen=True, kw_only=True)
class Pretrain(Common, Folder, Problem):
    """Only pre-train; any number of `finetune` runs may start from it."""


@dataclass(frozen=True, kw_only=True)
class Finetune(Allowing, Common, Folder, Online):
    """Fine-tune online from the pre-training of another run, seed by seed."""

    method: Positional[Method]
    """Whose online phase: a name from `warmstart list methods`, or `my_method.py:recipe`."""
    source: Annotated[Path, arg(name="from", metavar="RUN", help_behavior_hint="(required)")]
    """Folder of a run that has finished its pre-training."""
    preset: Text = None
    """Whose numbers the method starts from; default: as in the other run."""
    set: Annotated[Pairs, arg(metavar="NAME=VALUE", help_behavior_hint="(may be repeated)")] = ()
    """Change one number by its name or its path; `warmstart show METHOD` lists both."""
    episodes: Whole = None
    """Episodes of each evaluation on the way (default 20)."""
    fixed_episodes: Whole = None
    """Episodes of the evaluations after the switch and at the end (default 100; on a robot 10)."""
    log_every: Whole = None
    """Updates or online steps between two metric lines (default 1,000; 100 in short runs)."""


@dataclass(frozen=True, kw_only=True)
class Resume(Allowing, Common):
    """Go on with a run that was stopped or killed, as if nothing had happened, or further than it
    was declared."""

    run: Positional[Run_]
    """The run's folder."""
    steps: Whole = None
    """Online environment steps in all, more than the run has: also where it is finished."""
    log: Log = ()
    """Tell a tracker how it goes on: `wandb` or `mlflow`."""


@dataclass(frozen=True, kw_only=True)
class Evaluate(Allowing, Common):
    """Evaluate the policies of a run."""

    run: Positional[Run_]
    """The run's folder."""
    episodes: Whole = None
    """Episodes for each seed (default 100; on a robot 10)."""
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
    matching: Positional[Text] = None
    """Only rows whose name or domain contains this, as in `list tasks cube`."""
    json: Flag = False
    """Print JSON; docs/schema.md names the keys."""


@dataclass(frozen=True, kw_only=True)
class Show:
    """A method in full: mathematics, five answers, presets, and every path for --set."""

    method: Positional[Method]
    """A name from `warmstart list methods`, or `my_method.py:recipe`."""
    preset: Text = None
    """Show the values of this preset; default: the paper's."""
    json: Flag = False
    """Print JSON; docs/schema.md names the keys."""


@dataclass(frozen=True, kw_only=True)
class Check(Common):
    """Examine a method: run it small, and compare what must be equal. Exits with 1 where a law
    does not hold."""

    method: Positional[Method]
    """A name from `warmstart list methods`, or `my_method.py:recipe`."""
    preset: Text = None
    """Whose numbers the method starts from; default: the paper's."""
    json: Flag = False
    """Print JSON; docs/schema.md names the keys."""


COMMANDS: dict[str, type] = {
    "run": Run,
    "pretrain": Pretrain,
    "finetune": Finetune,
    "resume": Resume,
    "evaluate": Evaluate,
    "report": Report,
    "export": Export,
    "serve": Serve,
    "learner": Learner,
    "actor": Actor,
    "list": List,
    "show": Show,
    "check": Check,
    "data": Data,
    "study": Study,
}
GROUPS: dict[str, dict[str, type]] = {"data": DATA_COMMANDS, "study": STUDY_COMMANDS}
"""Commands of commands."""
