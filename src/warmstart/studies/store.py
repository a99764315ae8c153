"""The results of studies: one small JSON file a run, that is only ever added."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from warmstart.errors import RunError
from warmstart.files.durable import make_folder, read_json, write_json_atomic
from warmstart.studies.result import Result

RESULTS = Path("studies/results")


class Store:
    """A folder of results: `STUDY/TASK/ARM-sSEED-HASH.json`.

    The hash is of what the result says, so that results of several machines lie side by side and
    the same one is written once.
    """

    def __init__(self, folder: Path | str = RESULTS) -> None:
        self.folder: Path = Path(folder)

    def add(self, result: Result) -> Path:
        """Write one result, whole or not at all. Raises RunError where the disk refuses."""
        content = result.to_json()
        folder = self.folder / result.study / plain(result.task)
        make_folder(folder, "run the study again")
        path = folder / f"{result.arm}-s{result.seed}-{_mark(content)}.json"
        if not path.exists():
            write_json_atomic(path, content)
        return path

    def read(self, study: str | None = None) -> tuple[list[Result], list[str]]:
        """The results (of one study), and a sentence for each file that cannot be read.

        A file that cannot be read is passed over and stays where it is.
        """
        found: list[Result] = []
        said: list[str] = []
        top = self.folder if study is None else self.folder / study
        for path in sorted(top.rglob("*.json")) if top.is_dir() else []:
            if path.name.startswith("."):
                continue
            try:
                content = read_json(path)
                result = Result.from_json(content, str(path))
                if not path.stem.endswith(f"-{_mark(content)}"):
                    raise RunError(
                        f"'{path}' is not what was written: its name bears another checksum; "
                        "restore it, or delete it"
                    )
                if path.relative_to(self.folder).parts[0] != result.study:
                    raise RunError(
                        f"'{path}' is of study {result.study}: move it into that study's folder"
                    )
                found.append(result)
            except RunError as error:
                said.append(f"{error}; it is left out.".replace(".;", ";"))
        return found, said


def _mark(content: Any) -> str:
    """The part of a result's name that its content decides."""
    text = json.dumps(content, sort_keys=True).encode()
    return hashlib.sha256(text).hexdigest()[:10]


def plain(name: str) -> str:
    """A name that any file system takes."""
    return re.sub(r"[^A-Za-z0-9_.+=-]+", "-", name).strip("-.") or "unnamed"


def once(results: Iterable[Result]) -> tuple[list[Result], list[str]]:
    """Each arm of a task and seed once for a recipe, pre-training, protocol, instruction set and
    numerics: the earliest.

    The sentences say what was left out.
    """
    kept: dict[tuple[str, ...], Result] = {}
    twice = 0
    for result in sorted(results, key=lambda r: r.created):
        key = (result.study, result.task, str(result.seed), result.arm, result.declared)
        key += (result.pretrained or "", result.protocol, *result.machine)
        twice += kept.setdefault(key, result) is not result
    said = [f"{results_are(twice)} there twice; the earliest of each is counted."] if twice else []
    return list(kept.values()), said


def results_are(count: int) -> str:
    """The beginning of a sentence on so many of them."""
    return "1 result is" if count == 1 else f"{count} results are"
