"""Words to options, and wrong words to one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from warmstart.commands import options
from warmstart.commands.examples import EXAMPLES
from warmstart.commands.parse import UsageError, _plain, options_of, parse


def test_run_takes_all_of_its_options() -> None:
    line = (
        "run wsrl pointmaze-large --seeds 0,1 --set a.b=1 --set c=2,3 --preset quick "
        "--pretrain-steps 10 --steps 20 --holdout 0.1 --frozen --episodes 3 --fixed-episodes 4 "
        "--offline-every 5 --online-every 6 --root there --name it --threads 1"
    )
    given = parse(line.split())
    assert isinstance(given, options.Run)
    assert (given.method, given.task, given.seeds) == ("wsrl", "pointmaze-large", "0,1")
    assert given.set == ("a.b=1", "c=2,3")
    assert (given.pretrain_steps, given.steps, given.holdout) == (10, 20, 0.1)
    assert (given.root, given.name, given.threads, given.frozen) == (Path("there"), "it", 1, True)


def test_an_own_environment_needs_no_task() -> None:
    line = (
        "run iql --env Hopper-v5 --data my.hdf5 --env-arg a=1 --reward-scale 2 --reward-bias -1 "
        "--discount 0.9 --reference=-5,3000 --return-rule sparse --success --horizon 7"
    )
    given = parse(line.split())
    assert given.task is None and given.env == "Hopper-v5"
    assert (given.reward_scale, given.reward_bias, given.reference) == (2.0, -1.0, "-5,3000")
    assert (given.return_rule, given.success, given.horizon) == ("sparse", True, 7)


def test_finetune_names_a_run_and_data_has_three_commands() -> None:
    assert parse(["finetune", "wsrl", "--from", "runs/a"]).source == Path("runs/a")
    assert isinstance(parse(["data", "make", "t", "--seed", "2"]).do, options.DataMake)
    assert isinstance(parse(["data", "info", "d"]).do, options.DataInfo)
    assert parse(["data", "check", "d", "--env", "E-v0"]).do.env == "E-v0"


@pytest.mark.parametrize("example", [e for each in EXAMPLES.values() for e in each])
def test_every_example_of_the_help_can_be_read(example: str) -> None:
    parse(example.split())


@pytest.mark.parametrize("command", ["", *options.COMMANDS])
def test_help_shows_examples(command: str, call: Callable[..., tuple[int, str, str]]) -> None:
    with pytest.raises(SystemExit) as stop:
        parse([*command.split(), "--help"])
    assert stop.value.code == 0


def test_the_help_of_a_command_begins_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["run", "--help"])
    shown = capsys.readouterr().out
    assert "warmstart run wsrl pointmaze-large --seeds 0,1" in shown
    assert all(name in shown for name in options_of(options.Run))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("runn", "Did you mean 'run'?"),
        ("data chek x", "Did you mean 'check'?"),
        ("run wsrl --task t", "no option '--task'"),
        ("run wsrl t --sedes 1", "Did you mean '--seeds'"),
        ("data check x --taks t", "Did you mean '--task' or"),
        ("--frozen run", "before a command"),
        ("run", "METHOD"),
        ("run wsrl t --steps many", "--steps cannot be 'many'"),
        ("run wsrl t more", "more"),
        ("finetune wsrl", "--from"),
        ("list everything", "'methods', 'tasks'"),
        ("run wsrl t --return-rule some", "some"),
    ],
)
def test_wrong_words_get_one_line(line: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(line.split())
    assert says in str(error.value) and "\n" not in str(error.value)
    assert "│" not in str(error.value)


def test_a_complaint_framed_in_ascii_is_one_sentence_too() -> None:
    words = "Error parsing --steps: no type matching {None}|INT could be instantiated from ['1e5']."
    rule = "-" * 60
    box = f" Value error   \n {rule} \n  {words}  \n   \n  Got errors: \n  {rule}\n  See help \n"
    assert _plain(box) == "--steps cannot be '1e5'."
