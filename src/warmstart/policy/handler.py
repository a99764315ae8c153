"""One client's requests to stored policies, as HTTP has them."""

from __future__ import annotations

import hmac
import ipaddress
import json
import logging
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from warmstart.errors import WarmstartError
from warmstart.policy.actor import NumpyPolicy
from warmstart.policy.wire import JSON, NPY, BadRequest, answer

LOG = logging.getLogger("warmstart")
PATIENCE = 30.0
"""Seconds that a client may be silent."""
_KINDS = {JSON: JSON, NPY: NPY, "application/octet-stream": NPY}


class Handler(BaseHTTPRequestHandler):
    """One client's requests."""

    server: Any
    protocol_version = "HTTP/1.1"
    server_version: ClassVar[str] = "warmstart"
    sys_version: ClassVar[str] = ""
    timeout: ClassVar[float] = PATIENCE
    # An answer is one packet, for which nobody waits: else it takes 40 ms.
    wbufsize: ClassVar[int] = -1
    disable_nagle_algorithm: ClassVar[bool] = True

    def do_GET(self) -> None:
        """`/health`, `/policies` and `/policies/NAME`."""
        self._answered(self._got)

    def do_POST(self) -> None:
        """`/policies/NAME/predict`, and `/predict` where there is one policy."""
        self._answered(self._predicted)

    def _answered(self, work: Callable[[], tuple[str, bytes]]) -> None:
        self.server.count(True)
        try:
            self._send(*self._worked(work))
        finally:
            self.server.count(False)

    def _worked(self, work: Callable[[], tuple[str, bytes]]) -> tuple[int, str, bytes, bool]:
        """What `_send` sends."""
        unread = self.command == "GET" and "Content-Length" in self.headers
        try:
            self._require_welcome()
            return 200, *work(), unread
        except WarmstartError as error:
            status, said = error.status if isinstance(error, BadRequest) else 400, _said(error)
        except OSError:  # the client is gone
            raise
        except Exception:
            LOG.exception("A request could not be answered.")
            status, said = 500, _said("this went wrong; the server's log says how")
        # whatever is refused otherwise may have a body that nobody has read
        return status, JSON, said, unread or status != 400

    def _require_welcome(self) -> None:
        """Nobody without the token; without one, nobody whom a foreign page sent here."""
        if urlsplit(self.path).path == "/health":
            return
        token = self.server.token
        if token is not None:
            shown = self.headers.get("Authorization", "").encode("utf-8", "replace")
            if not hmac.compare_digest(shown, f"Bearer {token}".encode()):
                raise BadRequest("wrong token, or none: send Authorization: Bearer TOKEN", 401)
        elif not _is_local(self.headers.get("Host", "localhost")):
            raise BadRequest(
                "without a token only this machine's own names are answered: ask 127.0.0.1", 403
            )

    def _got(self) -> tuple[str, bytes]:
        words = self._words()
        match words:
            case ["health"]:
                return JSON, b'{"status": "ok"}'
            case ["policies"]:
                told = [_told(name, policy) for name, policy in self.server.policies.items()]
                return JSON, json.dumps(told).encode()
            case ["policies", name]:
                return JSON, json.dumps(self._policy(name).card).encode()
        raise BadRequest(f"there is no '{'/'.join(words)}' here; GET /policies says what is", 404)

    def _predicted(self) -> tuple[str, bytes]:
        words = self._words()
        match words:
            case ["policies", name, "predict"]:
                policy = self._policy(name)
            case ["predict"] if len(self.server.policies) == 1:
                (policy,) = self.server.policies.values()
            case ["predict"]:
                raise BadRequest(
                    f"name a policy: POST /policies/NAME/predict, {self._names()}", 404
                )
            case _:
                raise BadRequest(f"nothing is done at '{'/'.join(words)}'", 404)
        given = self.headers.get_content_type()
        if given not in _KINDS:
            raise BadRequest(f"a body of {given} is not read here; send {JSON} or {NPY}", 415)
        kind = _KINDS[given]
        return kind, answer(policy, kind, self._body())

    def _words(self) -> list[str]:
        return [unquote(word) for word in urlsplit(self.path).path.strip("/").split("/")]

    def _policy(self, name: str) -> NumpyPolicy:
        if name not in self.server.policies:
            raise BadRequest(f"there is no policy '{name}' here; {self._names()}", 404)
        return self.server.policies[name]

    def _names(self) -> str:
        return f"there are {', '.join(self.server.policies)}"

    def _body(self) -> bytes:
        """All of it, or none: its length is known before it is read."""
        told = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not (told.isascii() and told.isdigit()):
            raise BadRequest("the length of the body is not said; send Content-Length", 411)
        if len(told) > 18 or int(told) > self.server.limit:
            raise BadRequest(
                f"the body is of more than {self.server.limit:,} bytes; send fewer observations",
                413,
            )
        body = self.rfile.read(int(told))
        if len(body) < int(told):
            raise ConnectionError("the client went away")
        return body

    def _send(self, status: int, kind: str, body: bytes, close: bool = False) -> None:
        """An answer; with `close` the last one, since a body may be left unread."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        if close:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class refuses: requests that are none."""
        self._send(int(code), JSON, _said(message or "this is no request"), True)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are nothing to write down."""
        LOG.debug(format, *args)


def _said(error: Any) -> bytes:
    return json.dumps({"error": " ".join(str(error).split())}).encode()


def _is_local(host: str) -> bool:
    """Whether a Host header names this machine as itself."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _told(name: str, policy: NumpyPolicy) -> dict[str, Any]:
    """What there is to know before one asks a policy."""
    card = policy.card
    known = {key: card.get(key) for key in ("method", "task", "seed", "score", "score_label")}
    return {
        "name": name,
        **known,
        "acts_on": policy.acts_on,
        "observation": card["observation"],
        "action": card["action"],
    }
