"""The command that answers requests for actions: serve. It imports no JAX."""

from __future__ import annotations

import math
import os

from warmstart.commands.policy_options import Serve
from warmstart.errors import RunError
from warmstart.policy.server import LIMIT, Server, by_name, listen
from warmstart.runs.find_policy import actor


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
    listen(Server(policies, given.host, given.port, token, int(limit), tls))
    return 0
