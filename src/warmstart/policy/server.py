"""Stored policies behind HTTP: health, what there is, and actions for batches.

The standard library's server: a request is a small one with a known length, and a robot's computer
then needs nothing more than to act. What it lacks (limits, a token, no waiting for a client in the
thread that accepts) stands here.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from warmstart.errors import RunError
from warmstart.files.interrupts import as_interrupt
from warmstart.policy.actor import NumpyPolicy, load_policy
from warmstart.policy.handler import Handler

LOG = logging.getLogger("warmstart")
CONNECTIONS = 128
LIMIT = 16_000_000
"""Bytes of a request."""
SHORTEST_TOKEN = 16


class Server(ThreadingHTTPServer):
    """Listens, and answers until `shutdown` or Ctrl-C.

    Args:
        policies: by the names under which they are asked for.
        host, port: where it listens; port 0: any that is free.
        token: what a client must show as `Authorization: Bearer TOKEN`; None: nothing.
        limit: bytes of a request.
        tls: (certificate, key) files; None: plain HTTP.

    Raises:
        RunError: a host that others reach without a token, a token that is too short, files that
            are no certificate, or a port that cannot be had.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = CONNECTIONS

    def __init__(
        self,
        policies: Mapping[str, NumpyPolicy],
        host: str = "127.0.0.1",
        port: int = 8000,
        token: str | None = None,
        limit: int = LIMIT,
        tls: tuple[Path, Path | None] | None = None,
    ) -> None:
        self.policies: dict[str, NumpyPolicy] = dict(policies)
        self.limit: int = limit
        self.token: str | None = token
        self.answered: int = 0
        self.busy: int = 0
        self._lock, self._seats = threading.Lock(), threading.BoundedSemaphore(CONNECTIONS)
        family, address = _resolved(host, port)
        self.address_family = family
        self.local: bool = is_loopback(address)
        require_long(token)
        if not self.local and token is None:
            raise RunError(
                f"others than this machine reach {host}: give a token, with --token or in "
                "$WARMSTART_TOKEN, or leave --host out"
            )
        context = None if tls is None else tls_context(*tls)
        try:
            super().__init__((address[0], port), Handler)
        except OSError as error:
            raise RunError(
                f"cannot listen on {host}, port {port}: {error.strerror or error}; choose another "
                "port with --port"
            ) from error
        if context is not None:  # each client's greeting is heard in a thread of its own
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme, name = "http" if tls is None else "https", f"[{host}]" if ":" in host else host
        self.url: str = f"{scheme}://{name}:{self.server_address[1]}"

    def server_bind(self) -> None:
        """Bind, without asking the network for this machine's name as the base class does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name: str = str(self.server_address[0])
        self.server_port: int = self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for each connection, as long as there are few."""
        if not self._seats.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection, and its seat."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._seats.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or speaks no TLS, is nothing to tell of."""
        LOG.debug("A connection broke off.", exc_info=True)

    def count(self, begins: bool) -> None:
        """A request that is worked on, or answered."""
        with self._lock:
            self.busy += 1 if begins else -1
            self.answered += not begins

    def finish(self, seconds: float = 5.0) -> None:
        """Listen no more, and wait so long for what is being answered."""
        self.server_close()
        until = time.monotonic() + seconds
        while self.busy and time.monotonic() < until:
            time.sleep(0.01)


def require_long(token: str | None) -> None:
    """Refuse (RunError) a token that could be guessed."""
    if token is not None and (len(token) < SHORTEST_TOKEN or not token.isascii()):
        raise RunError(
            f"a token has at least {SHORTEST_TOKEN} ASCII characters; make one with python -c "
            "'import secrets; print(secrets.token_urlsafe())'"
        )


def is_loopback(address: Any) -> bool:
    """Whether only this machine reaches a resolved address."""
    return ipaddress.ip_address(address[0].partition("%")[0]).is_loopback


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    if not 0 <= port < 65536:
        raise RunError(f"there is no port {port}; give one up to 65535 with --port")
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RunError(f"there is no host '{host}' ({error}); give another --host") from error
    family, _, _, _, address = found[0]
    return family, address


def tls_context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """To speak TLS as a server. Raises RunError for files that are no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:
        raise RunError(
            f"'{certificate}' is no certificate with its key ({error}); give both in PEM form, "
            "with --certfile and --keyfile"
        ) from error
    return context


def serve(
    *folders: Path | str,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    limit: int = LIMIT,
    certfile: Path | str | None = None,
    keyfile: Path | str | None = None,
) -> int:
    """Answer requests for actions over HTTP until Ctrl-C; docs/export.md has the addresses.

    Needs NumPy and safetensors alone, as `load_policy` does.

    Args:
        folders: what `warmstart.export` wrote, or other policy folders.
        host: where to listen.
        port: the same; 0: any that is free.
        token: what clients must show; on another host than this machine's own one is needed.
        limit: bytes of the largest request.
        certfile: to speak TLS.
        keyfile: of `certfile`, unless that holds it.

    Returns:
        How many requests were answered.

    Raises:
        RunError: no or damaged folders, two of one name, or nowhere to listen.
    """
    tls = None if certfile is None else (Path(certfile), Path(keyfile) if keyfile else None)
    named = by_name([Path(folder) for folder in folders], load_policy)
    server = Server(named, host, port, token, limit, tls)
    try:
        with as_interrupt():
            listen(server)
    except KeyboardInterrupt:  # its only end
        pass
    return server.answered


def listen(server: Server) -> None:
    """Say where, and answer until Ctrl-C: a KeyboardInterrupt with how much was done."""
    try:
        if not server.local and not server.url.startswith("https"):
            print("others can read what is sent without TLS: give a certificate, or use a proxy")
        print(f"serving {', '.join(server.policies)} at {server.url} until Ctrl-C", flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        server.finish()
        raise KeyboardInterrupt(f"requests answered: {server.answered:,}") from None
    finally:
        server.server_close()


def by_name(folders: Sequence[Path], load: Callable[[Path], NumpyPolicy]) -> dict[str, NumpyPolicy]:
    """The policies by the names of their folders. Raises RunError: none, or two of one name."""
    found: dict[str, NumpyPolicy] = {}
    for folder in folders:
        name = folder.resolve().name or "policy"
        if name in found:
            raise RunError(f"two policies would be called '{name}'; rename one of the folders")
        found[name] = load(folder)
    if not found:
        raise RunError("no policy is named; give one folder or several: warmstart serve FOLDER")
    return found
