"""`python -m benchmarks.presets`: search the numbers of the presets `quick`.

Every method that pre-trains tries the same number of settings, three seeds each. Settings prove
themselves task by task in the order of the panel; after each task the better half goes on, by the
mean share of the reference that it reached so far (the best of `bc`, `iql` and `td3_bc` there, as
`quick` has them), two of them to the end. Every trial is one line of `trials.jsonl`, written as it
comes: what is done is never done again, and the command can be stopped at any time and typed
again. `--report` runs nothing and prints what stands in the file. One process, one core.
"""

from __future__ import annotations

import argparse
import os

parser = argparse.ArgumentParser(prog="python -m benchmarks.presets", description=__doc__)
parser.add_argument("--methods", nargs="*", metavar="NAME", help="default: all that are listed")
parser.add_argument("--tasks", nargs="*", metavar="NAME", help="default: the whole panel")
parser.add_argument("--budget", type=int, default=6, help="settings of each method (default 6)")
parser.add_argument("--seeds", type=int, default=3, help="0 to N - 1 (default 3)")
parser.add_argument(
    "--isa", default="native", metavar="ISA", help="XLA's instruction set, such as AVX or AVX2"
)
parser.add_argument("--report", action="store_true", help="print the table and run nothing")
given = parser.parse_args()
if given.isa != "native":  # before JAX is imported
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_max_isa={given.isa}".strip()

from benchmarks.presets import search  # noqa: E402
from warmstart.commands.threads import bound_threads  # noqa: E402

bound_threads(1)
if not given.report:
    search.search(given.methods, given.tasks, given.budget, given.seeds, given.isa)
print(search.table(given.isa))
