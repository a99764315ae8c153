"""The command that answers requests for actions: serve. It imports no JAX."""

from __future__ import annotations

import math
import os
from contextlib import ExitStack
from typing import Any

from warmstart.commands.policy_options import Serve
from warmstart.errors import RunError
from warmstart.policy.server import LIMIT, Server, by_name, listen
from warmstart.runs.find_policy import actor, find_policy
from warmstart.runs.folder import as_folder


def serve(given: Serve) -> int:
    """Listen until Ctrl-C. Raises WarmstartError, and KeyboardInterrupt with what was done."""
    limit = LIMIT if given.most_mb is None else given.most_mb * 1e6
    if not 1 <= limit < math.inf:
        raise RunError(f"--most-mb {given.most_mb:g} cannot be used; give a positive number")
    if given.keyfile is not None and given.certfile is None:
        raise RunError("--keyfile is the key of a certificate; give --certfile too")
    token = given.token or os.environ.get("WARMSTART_TOKEN") or None
    tls = None if given.certfile is None else (given.certfile, given.keyfile)
    policies = by_name(given.folders, actor)
    with ExitStack() as open_:
        if given.link is not None:
            open_.enter_context(_linked(given, given.link))
        listen(Server(policies, given.host, given.port, token, int(limit), tls))
    return 0


def _linked(given: Serve, listen: str) -> Any:
    """The policy for actors. Raises RunError."""
    from warmstart.commands.act import token_of  # HTTP alone needs no Gymnasium
    from warmstart.link.served import ServedPolicy

    folder, *others = given.folders
    if others:
        raise RunError("a robot acts by one policy, and several are named; give one with --link")
    stored = find_policy(as_folder(folder), None, "latest")
    token = token_of(given.token)
    served = ServedPolicy(stored, listen, token, given.certfile, given.keyfile)
    print(f"actors connect to {served.address}", flush=True)
    return served
