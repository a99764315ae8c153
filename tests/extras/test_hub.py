"""A policy to the Hub and back, over a stand-in of its HTTP interface on this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from leaving import method_policy
from shelf import OBS

import warmstart as ws
from warmstart.errors import RunError
from warmstart.policy.readme import readme

ROW = np.linspace(-1.0, 1.0, OBS)
TOKEN = "hf_of_nobody"


class Hub(ThreadingHTTPServer):
    """Repositories with one branch: `repos[name]` is a list of commits, each path -> bytes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.repos: dict[str, list[dict[str, bytes]]] = {}
        self.made: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


def sha(commits: list[dict[str, bytes]]) -> str:
    """Of the last of these commits, as git makes it: of all that it holds, and came before."""
    return hashlib.sha1(repr(commits).encode()).hexdigest()


class Answers(BaseHTTPRequestHandler):
    """What huggingface_hub asks to make a repository, to commit, and to fetch a snapshot."""

    server: Any
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        del format, args

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = self.words()
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.send({"error": "Invalid credentials"}, 401)
        match path:
            case ["api", "repos", "create"]:
                asked = json.loads(body)
                name = f"{asked.get('organization', 'me')}/{asked['name']}"
                url = f"{self.server.url}/{name}"
                if name in self.server.repos:
                    return self.send({"error": "You already created this model repo", "url": url},
                                     409)  # fmt: skip
                self.server.repos[name] = [{".gitattributes": b""}]
                self.server.made.append(asked)
                return self.send({"url": url, "id": name, "name": name})
            case ["api", "validate-yaml"]:
                return self.send({"errors": [], "warnings": []})
            case ["api", "models", who, name, "preupload", _]:
                files = [each["path"] for each in json.loads(body)["files"]]
                known = self.server.repos[f"{who}/{name}"][-1]
                modes = [
                    {"path": file, "uploadMode": "regular", "shouldIgnore": False,
                     "oid": blob(known[file]) if file in known else None}
                    for file in files
                ]  # fmt: skip
                return self.send({"files": modes})
            case ["api", "models", who, name, "commit", _]:
                commits = self.server.repos[f"{who}/{name}"]
                now = dict(commits[-1])
                for line in map(json.loads, body.splitlines()):
                    value = line["value"]
                    if line["key"] == "file":
                        assert value["encoding"] == "base64"
                        now[value["path"]] = base64.b64decode(value["content"])
                    elif line["key"] == "deletedFile":
                        del now[value["path"]]
                commits.append(now)
                oid = sha(commits)
                url = f"{self.server.url}/{who}/{name}/commit/{oid}"
                return self.send({"commitUrl": url, "commitOid": oid, "hookOutput": ""})
        return self.send({"error": f"nothing at {path}"}, 404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.words()
        match path:
            case ["api", "models", who, name, *rest] if f"{who}/{name}" in self.server.repos:
                files, oid = self.at(f"{who}/{name}", rest[1] if len(rest) > 1 else "main")
                if files is None:
                    return self.send({"error": "Invalid rev id"}, 404, "RevisionNotFound")
                if rest[:1] == ["tree"]:
                    return self.send(
                        [{"type": "file", "path": file, "size": len(held), "oid": blob(held)}
                         for file, held in files.items()]
                    )  # fmt: skip
                siblings = [{"rfilename": file} for file in files]
                return self.send({"id": f"{who}/{name}", "sha": oid, "siblings": siblings,
                                  "private": True, "tags": [], "downloads": 0})  # fmt: skip
            case [who, name, "resolve", revision, file] if f"{who}/{name}" in self.server.repos:
                files, oid = self.at(f"{who}/{name}", revision)
                if files is None or file not in files:
                    return self.send({"error": "Entry not found"}, 404, "EntryNotFound")
                held = files[file]
                more = {"ETag": f'"{blob(held)}"', "X-Repo-Commit": oid}
                return self.write(200, "application/octet-stream", held, more)
        return self.send({"error": "Repository not found"}, 404, "RepoNotFound")

    def at(self, name: str, revision: str) -> tuple[dict[str, bytes] | None, str]:
        commits = self.server.repos[name]
        known = {sha(commits[: i + 1]): held for i, held in enumerate(commits)}
        known["main"] = commits[-1]
        oid = sha(commits) if revision == "main" else revision
        return known.get(revision), oid

    def words(self) -> list[str]:
        self.server.asked.append(f"{self.command} {self.path}")
        return [unquote(word) for word in urlsplit(self.path).path.strip("/").split("/")]

    def send(self, told: Any, status: int = 200, code: str | None = None) -> None:
        more = {} if code is None else {"X-Error-Code": code}
        self.write(status, "application/json", json.dumps(told).encode(), more)

    def write(self, status: int, kind: str, held: bytes, more: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {"Content-Type": kind, "Content-Length": str(len(held)), **more}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(held)


def blob(held: bytes) -> str:
    """What git calls it."""
    return hashlib.sha1(b"blob %d\0" % len(held) + held).hexdigest()


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def exported(folder: Path, method: str) -> Path:
    source = method_policy(folder / f"{method}-in", method)[0]
    return ws.export(source, folder / method, license="mit").folder


def test_there_and_back(hub: Hub, tmp_path: Path) -> None:
    words = {"token": TOKEN, "endpoint": hub.url}
    first, second = exported(tmp_path, "wsrl"), exported(tmp_path, "td3")
    (first / "notes.txt").write_text("mine")
    url = ws.push_to_hub(first, "me/arm", **words)
    assert url.startswith(f"{hub.url}/me/arm/commit/")
    (made,) = hub.made
    assert made["name"] == "arm" and "private" in (made.get("visibility"), *made)
    here = {path.name for path in first.iterdir()} - {"notes.txt"}
    assert set(hub.repos["me/arm"][-1]) == here | {".gitattributes"}
    policy = ws.from_hub("me/arm", **words)
    assert np.array_equal(policy.act(ROW), ws.load_policy(first).act(ROW))
    before = url.rpartition("/")[2]
    ws.push_to_hub(second, "me/arm", **words)
    assert len(hub.repos["me/arm"]) == 3 and len(hub.made) == 1
    assert sum(name.endswith(".safetensors") for name in hub.repos["me/arm"][-1]) == 1
    now = ws.from_hub("me/arm", **words)
    assert now.card["method"] == "td3"
    assert np.array_equal(now.act(ROW), ws.load_policy(second).act(ROW))
    old = ws.from_hub("me/arm", revision=before, **words)
    assert old.card["method"] == "wsrl" and np.array_equal(old.act(ROW), policy.act(ROW))


def test_what_the_hub_refuses_is_one_sentence(hub: Hub, tmp_path: Path) -> None:
    words = {"token": TOKEN, "endpoint": hub.url}
    first = exported(tmp_path, "wsrl")
    with pytest.raises(RunError, match=r"Hub refuses 'me/arm', or .*your token"):
        ws.push_to_hub(first, "me/arm", token="hf_wrong", endpoint=hub.url)
    with pytest.raises(RunError, match="Hub refuses 'me/leg'"):
        ws.from_hub("me/leg", **words)
    with pytest.raises(RunError, match="Hub refuses"):
        ws.push_to_hub(first, "no name at all", **words)
    ws.push_to_hub(first, "me/arm", **words)
    with pytest.raises(RunError, match="Hub refuses"):
        ws.from_hub("me/arm", revision="nowhere", **words)
    now = hub.repos["me/arm"][-1]
    (weights,) = (name for name in now if name.endswith(".safetensors"))
    hub.repos["me/arm"].append({**now, weights: now[weights][:-1] + b"?"})
    with pytest.raises(RunError, match=r"is damaged \(its checksum differs\)"):
        ws.from_hub("me/arm", **words)
    hub.repos["me/arm"].append({".gitattributes": b""})
    with pytest.raises(RunError, match="policy"):
        ws.from_hub("me/arm", **words)


def test_only_what_has_left_its_run_is_pushed(hub: Hub, tmp_path: Path) -> None:
    inside = method_policy(tmp_path / "in", "wsrl")[0]
    with pytest.raises(RunError, match=r"has not left its run.*warmstart export"):
        ws.push_to_hub(inside, "me/arm", token=TOKEN, endpoint=hub.url)
    with pytest.raises(RunError, match="does not exist"):
        ws.push_to_hub(tmp_path / "nowhere", "me/arm", token=TOKEN, endpoint=hub.url)
    assert not hub.asked
    out = ws.export(inside, tmp_path / "out").folder
    ws.push_to_hub(out, "me/arm", token=TOKEN, endpoint=hub.url)


def test_the_hub_reads_the_front_matter_of_the_page(tmp_path: Path) -> None:
    from huggingface_hub import ModelCard

    folder = exported(tmp_path, "wsrl")
    data = ModelCard.load(folder / "README.md").data
    assert data.license == "mit" and data.library_name == "warmstart"
    assert data.pipeline_tag == "reinforcement-learning" and "wsrl" in data.tags
    card = ws.load_policy(folder).card
    card["task"], card["score_label"] = 'a "task": #1', "success rate (%)"
    card["exported"]["score"] = {
        "value": 97.25, "interval": [91.0, 99.0], "by": "Wilson", "episodes": 100, "seeds": None
    }  # fmt: skip
    data = ModelCard(readme(card)).data
    (result,) = data.eval_results
    assert (result.metric_type, result.metric_value) == ("success_rate", 97.25)
    assert result.dataset_name == card["task"] and card["task"] in data.tags
