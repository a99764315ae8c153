"""The first signal asks, the second insists."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from warmstart.files.interrupts import Interrupts, as_interrupt

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def former():
    """Python's own handlers: a shell that starts the tests in the background ignores SIGINT."""
    outside = [signal.getsignal(number) for number in SIGNALS]
    before = [signal.default_int_handler, signal.SIG_DFL]
    for number, handler in zip(SIGNALS, before, strict=True):
        signal.signal(number, handler)
    yield before
    for number, handler in zip(SIGNALS, outside, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_only_sets_the_flag(former, number):
    with Interrupts() as interrupts:
        assert interrupts.requested is None
        signal.raise_signal(number)
        assert interrupts.requested == number.name
    assert [signal.getsignal(number) for number in SIGNALS] == former


@pytest.mark.parametrize("number", SIGNALS)
def test_a_further_sigint_stops_at_once(former, number):
    with pytest.raises(KeyboardInterrupt), Interrupts():
        signal.raise_signal(number)
        signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(number) for number in SIGNALS] == former


def test_a_further_sigterm_changes_nothing():
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert interrupts.requested == "SIGINT"


def test_ignored_signals_stay_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert interrupts.requested is None
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_nested_contexts_restore_in_order():
    with Interrupts() as outer:
        with Interrupts() as inner:
            signal.raise_signal(signal.SIGINT)
        assert (inner.requested, outer.requested) == ("SIGINT", None)
        signal.raise_signal(signal.SIGTERM)
        assert outer.requested == "SIGTERM"


def test_elsewhere_than_in_the_main_thread_nothing_happens(former):
    seen = []

    def work():
        with Interrupts() as interrupts:
            seen.append((interrupts.requested, [signal.getsignal(number) for number in SIGNALS]))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(None, former)]


def test_what_is_held_is_done_whole_before_a_further_sigint_is_heard(former):
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        with interrupts.held():
            signal.raise_signal(signal.SIGINT)
            done.append("saved")
    assert done == ["saved"]


def test_sigterm_is_heard_as_ctrl_c_and_goes_back_to_what_it_was(former):
    with pytest.raises(KeyboardInterrupt), as_interrupt():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == former[1]
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with as_interrupt():
        signal.raise_signal(signal.SIGTERM)


def test_a_second_ctrl_c_while_a_stopped_process_ends_prints_nothing(tmp_path: Path) -> None:
    program = """
import atexit, os, signal, sys, warmstart.cli as cli, warmstart.commands.line as line
def again():
    os.kill(os.getpid(), signal.SIGINT)
    print("ended", file=sys.stderr)
atexit.register(again)
def stopped(chosen):
    raise KeyboardInterrupt("and saved")
line._do = stopped
sys.argv = ["warmstart", "list", "methods"]
sys.exit(cli.main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (130, "stopped: and saved\nended\n")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_while_the_command_line_is_imported_prints_no_traceback(
    tmp_path: Path, name: str
) -> None:
    program = f"""
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Struck:
    def find_spec(self, module, *rest):
        if module == "warmstart.commands.options":
            os.kill(os.getpid(), signal.{name})
sys.meta_path.insert(0, Struck())
sys.argv = ["warmstart", "list", "methods"]
from warmstart.cli import main
sys.exit(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stderr, done.stdout) == (130, "stopped\n", "")
