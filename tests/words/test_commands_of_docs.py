"""Every command that a page prints works: read, declared, and carried out up to the learning.

Only what would take minutes is replaced, by the fixture `short_work`.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from belongings import supply
from commands import PAGES, ROOT, commands

from warmstart.cli import main
from warmstart.commands.options import COMMANDS, GROUPS
from warmstart.commands.parse import options_of, parse

PRINTED = {str(page.relative_to(ROOT)): commands(page) for page in PAGES}
NO_COMMANDS = {"warmstart policy": "what the card of a policy folder says that it is"}
"""Words that look like a command, and why they are none."""
BY_MAKE = {"make bench-peers": "installs other libraries first; its program says so without them"}
"""Targets whose own commands need what they install, and what that is."""
EXIT = {"warmstart data check hopper.hdf5 --env Hopper-v5": 1}
"""Commands that a page shows with another end than 0."""
INNER = re.compile(r"\.venv/bin/(warmstart .*|python -m (?:benchmarks|pytest).*)")
"""What a target of the Makefile calls."""
FOREIGN = {"--xla_cpu_max_isa", "--logdir", "--verifytypes"}
"""Options of other programs that pages speak of."""


class Reached(Exception):
    """A program has read its words and begins its work."""


@pytest.mark.parametrize("page", [page for page, lines in PRINTED.items() if lines])
def test_every_command_of_a_page_works(page: str, tmp_path: Path, short_work: None) -> None:
    for line in PRINTED[page]:
        if line in NO_COMMANDS or line in BY_MAKE:
            continue
        supply(line, page, tmp_path, main)
        assert tried(line) == EXIT.get(line, 0), line


def test_pages_print_commands() -> None:
    """What finds them finds them."""
    assert len({line for lines in PRINTED.values() for line in lines}) > 200
    assert (
        "warmstart run pex pointmaze-large --set pretrain=cal_ql --set replay=wsrl"
        in (PRINTED["docs/swaps.md"])
    )
    both = "warmstart data check my.hdf5 --method wsrl --preset quick"
    assert both in PRINTED["docs/data.md"]
    assert sum("obs=q[*]+dq[*]" in line for line in PRINTED["docs/data.md"]) == 3
    assert any(
        line.startswith("warmstart run iql metaworld-door-open")
        for line in PRINTED["docs/domains.md"]
    )


def tried(line: str) -> int:
    """The exit code of a command, by the program that it calls."""
    program, *words = shlex.split(line)
    match program, words:
        case "warmstart", _ if is_name(words):
            with pytest.raises(SystemExit) as shown:
                main([*words, "--help"])
            return int(shown.value.code or 0)
        case "warmstart", _:
            return main(words)
        case "make", [target]:
            called = subprocess.run(
                ["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True
            ).stdout.replace("\\\n", " ")
            for inner in INNER.findall(called):
                assert tried(inner) == 0, inner
            return 0
        case "pip", ["install", "."]:
            return 0  # tried by `make test-extras`
        case "pip", ["install", wanted]:
            extra = re.fullmatch(r"warmstart\[(\w+)\]", wanted)
            known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
            return 0 if extra and extra[1] in known["optional-dependencies"] else 2
        case (("python" | "python3"), ["-c", code]):
            return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode
        case (("python" | "python3"), ["-m", "pytest", *rest]):
            assert all((ROOT / word).exists() for word in rest if word.startswith("tests/"))
            return 0
        case (("python" | "python3"), ["-m", module, *rest]) if module.startswith("benchmarks."):
            found = importlib.import_module(module)
            if hasattr(found, "__path__"):  # a package: what runs is its __main__
                found = importlib.import_module(f"{module}.__main__")
            return begun(found, rest)
        case (("python" | "python3"), [path, *rest]) if path.startswith("docs/"):
            with pytest.MonkeyPatch.context() as now:
                now.syspath_prepend(str(ROOT / "docs"))
                return begun(importlib.import_module(Path(path).stem), rest)
    raise AssertionError(f"nothing here knows how to try `{line}`: say how, in this function")


def is_name(words: list[str]) -> bool:
    """Whether a page only calls a command by its name, such as `warmstart data check`."""
    kinds: dict[tuple[str, ...], type] = {(name,): kind for name, kind in COMMANDS.items()}
    kinds |= {(group, name): kind for group in GROUPS for name, kind in GROUPS[group].items()}
    kind = kinds.get(tuple(words))
    return kind is not None and any(
        field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        for field in dataclasses.fields(kind)
    )


def begun(module: Any, words: list[str]) -> int:
    """Run a module as a program until it calls one of its own functions with what it has read."""
    tree = ast.parse(inspect.getsource(module))
    (block,) = (
        node for node in tree.body if isinstance(node, ast.If) and "__name__" in ast.unparse(node)
    )

    def reached(function: Any) -> Any:
        def called(*given: Any, **named: Any) -> None:
            inspect.signature(function).bind(*given, **named)
            raise Reached

        return called

    def called_as_process(command: list[str], **given: Any) -> None:
        if command[1:3] == ["-m", "warmstart"]:
            parse(command[3:])
        raise Reached

    with pytest.MonkeyPatch.context() as now:
        now.setattr(sys, "argv", [module.__name__, *words])
        now.setattr(subprocess, "run", called_as_process)
        for name, value in inspect.getmembers(module, inspect.isfunction):
            ours = value.__module__.startswith("benchmarks") or value.__module__ == module.__name__
            if ours and "parse_args" not in inspect.getsource(value):
                now.setattr(module, name, reached(value))
        try:
            exec(compile(ast.Module(block.body, []), module.__name__, "exec"), vars(module))
        except Reached:
            return 0
    return 2


def test_every_option_that_a_page_names_is_one() -> None:
    kinds = [*COMMANDS.values(), *(kind for group in GROUPS.values() for kind in group.values())]
    known = {option for kind in kinds for option in options_of(kind)}
    for page, path in zip(PRINTED, PAGES, strict=True):
        for code in re.findall(r"`([^`\n]+)`", path.read_text()):
            if not re.match(r"(?:python|make|pip|\S*XLA)", code):
                named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", code))
                assert named <= known | FOREIGN, (page, code)
