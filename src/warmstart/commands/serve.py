"""Floor 8: the command that answers requests for actions: serve. It imports no JAX."""

from __future__ import annotations

import math
import os
from pathlib import Path

from warmstart.commands.policy_options import Serve
from warmstart.edge.policy.actor import Actor
from warmstart.edge.policy.find import actor
from warmstart.edge.policy.server import Server
from warmstart.errors import RunError


def serve(given: Serve) -> int:
    """Listen until Ctrl-C. Raises WarmstartError, and KeyboardInterrupt with what was done."""
    if not given.folders:
        raise RunError("no policy is named; give one folder or several: warmstart serve FOLDER")
    most = 16.0 if given.most_mb is None else given.most_mb
    if not 0 < most < math.inf:
        raise RunError(f"--most-mb {most:g} will not do; give a positive number")
    if given.keyfile is not None and given.certfile is None:
        raise RunError("--keyfile is the key of a certificate; give --certfile too")
    server = Server(
        _named(given.folders),
        given.host,
        given.port,
        given.token or os.environ.get("WARMSTART_TOKEN") or None,
        int(most * 1e6),
        None if given.certfile is None else (given.certfile, given.keyfile),
    )
    try:
        if not server.local and given.certfile is None:
            print("others can read what is sent without TLS: --certfile, or a proxy in front of it")
        print(f"serving {', '.join(server.policies)} at {server.url} until Ctrl-C", flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        server.finish()
        raise KeyboardInterrupt(f"requests answered: {server.answered:,}") from None
    finally:
        server.server_close()
    return 0


def _named(folders: tuple[Path, ...]) -> dict[str, Actor]:
    """The policies by the names of their folders."""
    found: dict[str, Actor] = {}
    for folder in folders:
        name = folder.absolute().resolve().name or "policy"
        if name in found:
            raise RunError(f"two policies would be called '{name}'; rename one of the folders")
        found[name] = actor(folder)
    return found
