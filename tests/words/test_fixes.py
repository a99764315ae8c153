"""Every way out that an error names is one: it is taken, and the error is gone."""

from __future__ import annotations

import ast
import functools
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from belongings import supply
from calls import CALLS, NAMES
from calls import lay_out as lay_out_calls
from cases import CASES, THEN, Case, lay_out
from messages import messages
from recipes import REFUSED

from warmstart.api import declare
from warmstart.api.in_words import crossing
from warmstart.cli import main
from warmstart.errors import WarmstartError

SETTING = r"\b((?:pretrain|finetune|replay|handover|acting|learner)(?:\.\w+)*)=([\w.,]*\w)"
Typed = Callable[[str], tuple[int, str]]
TOLD: dict[str, str] = {}
"""What was said to each refused line."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    lay_out(folder)
    return folder


@pytest.fixture
def typed(
    files: Path,
    tmp_path: Path,
    short_work: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Typed:
    """Types lines one after the other: the last one's exit code, and the error it ended with."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)

    def type_(lines: str) -> tuple[int, str]:
        code = 0
        for line in lines.split(THEN):
            for run in re.findall(r"runs/(done|before|stopped|branched)", line):
                _made(tmp_path / "runs" / run)
            supply(f"warmstart {line}", "README.md", tmp_path, main)
            capsys.readouterr()
            if line.startswith("serve"):  # only who uses the link has a token already
                monkeypatch.delenv("WARMSTART_TOKEN", raising=False)
            try:
                code = main(shlex.split(line))
            except SystemExit as shown:
                code = int(shown.code or 0)
        return code, capsys.readouterr().err.strip().rpartition("error: ")[2]

    return type_


def _made(folder: Path) -> None:
    """A run of each kind that a line names."""
    if folder.exists():
        return
    if folder.name == "branched":
        _made(folder.with_name("before"))
        main(["finetune", "wsrl", "--from", "runs/before", "--name", "branched"])
    else:
        begin = "pretrain" if folder.name == "before" else "run"
        main([begin, "wsrl", "jax-pointmass", "--name", folder.name])
    if folder.name == "stopped":
        (folder / "finished.json").unlink()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_what_is_typed_then_is_not_refused(case: Case, typed: Typed) -> None:
    line, ways = case
    for pattern, then in ways:
        code, said = typed(line)
        assert code == 2, said
        TOLD[line] = said
        found = re.search(pattern, said)
        assert found is not None, said
        code, said = typed(then.format(*found.groups()))
        assert code == 0, (then.format(*found.groups()), said)


@functools.cache
def _refusal(method: str, changes: tuple[tuple[str, str], ...]) -> str | None:
    """What is wrong with it; None: it can be declared, and what it trains can cross."""
    try:
        crossing(declare(method, "jax-pointmass", preset="quick", changes=dict(changes)).recipe)
    except WarmstartError as error:
        return str(error)
    return None


@pytest.mark.parametrize(("method", "changes"), REFUSED)
def test_a_named_setting_removes_the_error(method: str, changes: dict[str, str]) -> None:
    said = _refusal(method, tuple(changes.items()))
    assert said is not None
    if "take replay and finetune from the same method" not in said:
        _follow(method, changes, said, 3)


def _follow(method: str, changes: dict[str, str], said: str, further: int) -> None:
    """Every setting that an error names leads to a recipe, perhaps by way of another error's."""
    advice = re.split(r"; | Set ", said, maxsplit=1)[-1]
    ways = re.findall(SETTING, advice)
    assert ways, said
    together = re.search(rf"{SETTING} and {SETTING}", advice) is not None
    for taken in [ways] if together else [[way] for way in ways]:
        left = {
            path: value
            for path, value in changes.items()
            if not any(path.startswith(f"{whole}.") for whole, _ in taken)
        }
        tried = {**left, **dict(taken)}
        then = _refusal(method, tuple(tried.items()))
        if then is not None:
            assert then != said and further, (taken, then)
            _follow(method, tried, then, further - 1)


def _arguments(text: str) -> dict[str, Any]:
    """`name=value, ...` as it would be typed behind a function's own arguments."""
    call = ast.parse(f"dict({text})", mode="eval").body
    assert isinstance(call, ast.Call)
    return _meant(call)


def _meant(node: ast.AST) -> Any:
    match node:
        case ast.Name():
            return dict if node.id == "dict" else NAMES[node.id]
        case ast.Attribute():
            return getattr(_meant(node.value), node.attr)
        case ast.Call():
            named: dict[str, Any] = {}
            for word in node.keywords:
                value = _meant(word.value)
                named |= value if word.arg is None else {word.arg: value}
            return _meant(node.func)(*map(_meant, node.args), **named)
        case ast.List():
            return [_meant(item) for item in node.elts]
        case ast.Dict():
            return {_meant(k): _meant(v) for k, v in zip(node.keys, node.values, strict=True) if k}
        case _:
            return ast.literal_eval(node)


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_what_is_called_then_is_not_refused(number: int, tmp_path: Path, short_work: None) -> None:
    lay_out_calls(tmp_path)
    function, given, pattern, then = CALLS[number]
    with pytest.raises(WarmstartError) as refused:
        function(**given)
    said = TOLD[f"call {number}"] = str(refused.value)
    found = re.search(pattern, said)
    assert found is not None, said
    instead = _arguments(then.format(*found.groups()))
    function(**{**given, **instead})


def test_data_that_are_put_back_are_there(typed: Typed, tmp_path: Path) -> None:
    assert typed("run iql --env Pendulum-v1 --data my.hdf5 --name kept")[0] == 0
    data, away = tmp_path / "my.hdf5", tmp_path / "away.hdf5"
    data.rename(away)
    code, said = typed("finetune iql --from runs/kept")
    TOLD["data gone"] = said
    assert code == 2 and "put them back there (a link will do)" in said
    without = re.findall(r"`warmstart (\w+)`", said)
    assert without == ["evaluate", "report"]
    for command in without:
        assert typed(f"{command} runs/kept")[0] == 0
    data.symlink_to(away)
    assert typed("finetune iql --from runs/kept")[0] == 0


PIP = "what is missing is not installed in a test; the extra's name is compared in `opening`"
UNTRIED = {
    "the training is saved; go on with": "minutes of training: data/makers/test_behaviour.py",
    "what was saved is whole": "resumed after a signal at any moment: test_full_disk.py",
    "has not finished its pre-training": "the same resume",
    "{}. Then: warmstart resume {}": "a robot that failed is resumed in cli/test_one_robot.py",
    "not all of one checkpoint": "a run goes on in test_policies_of_runs.py",
    "{}; evaluate another checkpoint": "needs a policy that diverged between two checkpoints",
    "Minari is not installed": PIP,
    "which has no rewards of its own": "opens a scene; read so in data/test_others.py",
    "relabelled by OGBench, which is not": PIP,
    "is read with ffmpeg, which is not": PIP,
    "bytes of images each would take": "the machine would have to be small: cli/test_cameras.py",
    "convolutions leave nothing for the next one": "in cli/test_cameras.py",
    "as it is learnt; float32 needs less": "a scale does and undoes it in engine/test_diverged.py",
    "shows images, from which no offset": "in cli/test_cameras.py",
    "Apache Arrow, which is not": PIP,
    "MB of memory were left": "the machine would have to run out of memory",
    "Environment {} needs {}: run": PIP,
    "Environment {} lacks a package": PIP,
    "opens without pictures only": "the way out is a change of the user's code",
    "has no policy of seed {} yet": "resume to the first checkpoint: test_policies_of_runs.py",
    "this would run the code of": "--allow-code with the named file: test_trust.py",
    "cannot act; set replay.warmup.by=online": "a guard: the handover refuses it before, by name",
    "set decay=none for this one": "a guard of learners of one's own; ours say the path before",
    "goes on past its horizon": "of a loop of one's own: agent/test_agent_words.py",
    "steps its environments itself": "resumed in agent/test_handed_in.py",
    "was handed in from Python and stands in no file": "handed in again there",
    "There is no older checkpoint": "a damaged run is taken up: edge/test_checkpoints.py",
    "--on {} needs the package": PIP,
    "Slurm takes no job here": "needs a cluster",
    "ONNX is not installed": PIP,
    "run by ONNX Runtime, which is not installed": PIP,
    "cannot be part of another ONNX graph": "needs the extra: extras/test_onnx_base.py",
    "huggingface_hub is not installed": PIP,
    "that has not left its run": "exported and pushed in extras/test_hub.py",
    "is the key of a certificate": "served over TLS in policy/test_policy_server.py",
    "is no certificate with its key": "the same",
    "cannot listen on": "needs a port that is taken: the same",
    "and an agent is one; pre-train": "minutes of training: link/test_link_commands.py",
    "another actor's steps are followed here": "a new folder is taken in link/test_link.py",
    "reach {}, and the link to a robot": "listened to over TLS there",
    "show each other a token": "one is set for all lines here: link/test_link_commands.py",
    "nothing moves before you say so": "said in every line that moves: link/test_link.py",
    "larger than the {} that are taken": "needs a network beyond it: link/test_frames.py",
    "takes up to {} bytes, and the learner": "large images: link/test_cameras_over_the_link.py",
    "has not answered for {} seconds": "a robot that hangs: link/test_link.py",
    "the learner asks for step": "a new folder is taken there",
    "holds no certificate": "the right one is given there",
    "source Intervened shares": "declared without it in replay/test_intervened.py",
    "gives a pandas frame, and pandas": PIP,
    "counts its own time limit": "run without the option in test_open_places.py",
    "and its spec says obs_dim": "the way out is a change of the user's code",
    "has no ONNX form: its acting rule": "needs the extra; exported without: extras/test_onnx.py",
}
"""Errors whose way out no test here takes, and why."""


def test_every_fix_is_tried(files: Path) -> None:
    """A new error that names an option, a setting or a command needs a case above."""
    if len(TOLD) < len(CASES):  # one of them alone says nothing of the others
        pytest.fail("run this file whole: what is said is collected by its tests")
    said = [*TOLD.values(), *(_refusal(m, tuple(c.items())) or "" for m, c in REFUSED)]
    left = [m.shown for m in messages() if not any(m.fits(text) for text in said)]
    excused = {words: [text for text in left if words in text] for words in UNTRIED}
    assert all(excused.values()), [words for words, found in excused.items() if not found]
    untried = [text for text in left if not any(words in text for words in UNTRIED)]
    assert not untried, "\n".join(untried)
