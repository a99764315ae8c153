"""One command line: reads its words, calls the API, and prints. Thin."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from warmstart.commands import options
from warmstart.commands.compiled import keep_compiled
from warmstart.commands.exits import STOPPED, WRONG, last_words_are_said
from warmstart.commands.parse import parse
from warmstart.commands.threads import bound_threads
from warmstart.errors import WarmstartError
from warmstart.files.interrupts import as_interrupt


def run_line(argv: Sequence[str] | None) -> int:
    """Run it (None: this process's) and return its exit code."""
    try:
        chosen = parse(sys.argv[1:] if argv is None else argv)
        bound_threads(getattr(chosen, "threads", None))
        keep_compiled()
        with as_interrupt():
            return _do(chosen)
    except WarmstartError as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        return WRONG
    except KeyboardInterrupt as stop:
        if argv is None:
            last_words_are_said()
        print("stopped", *stop.args, sep=": ", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:  # `warmstart list tasks | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _do(chosen: Any) -> int:
    """Hand over to the command's own file, which imports JAX only where it must."""
    match chosen:
        case options.Run() | options.Pretrain() | options.Finetune() | options.Resume():
            from warmstart.commands.launch import launch

            return launch(chosen)
        case options.Evaluate() | options.Report():
            from warmstart.commands.look import look

            return look(chosen)
        case options.Export():
            from warmstart.commands.leave import leave

            return leave(chosen)
        case options.Serve():
            from warmstart.commands.serve import serve

            return serve(chosen)
        case options.Learner():
            from warmstart.commands.learn import learn

            return learn(chosen)
        case options.Actor():
            from warmstart.commands.act import act

            return act(chosen)
        case options.List():
            from warmstart.commands.lists import tables

            return tables(chosen)
        case options.Show():
            from warmstart.commands.show import show

            return show(chosen)
        case options.Study():
            from warmstart.commands.study import study

            return study(chosen.do)
        case options.Check():
            from warmstart.commands.method_laws import laws

            return laws(chosen)
        case _:
            from warmstart.commands.data import data

            return data(chosen.do)
