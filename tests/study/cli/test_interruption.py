"""What the first and the second signal do, and that nothing of it outlasts a study."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from study.cli.interruption import INTERRUPTED, Interruption
from tests.conftest import ROOT

TWICE = """
import os, signal
from study.cli.interruption import Interruption
with Interruption(lambda: "the last words", {ends}):
    for _ in range(2):
        try: os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt: print("interrupted", flush=True)
print("still here")
"""


def after_two_signals(ends: bool) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", TWICE.format(ends=ends)], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_second_signal_ends_a_command_with_its_last_words():
    done = after_two_signals(ends=True)
    assert done.returncode == INTERRUPTED
    assert done.stdout.split("\n") == ["interrupted", "", "the last words", ""]


def test_a_second_signal_does_not_end_the_process_of_a_notebook():
    done = after_two_signals(ends=False)
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["interrupted", "interrupted", "still here"]


def test_signals_are_answered_as_before_when_the_study_has_ended():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt), Interruption(str):
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_study_can_run_in_a_thread_where_signals_cannot_be_set():
    failures = []

    def body() -> None:
        try:
            with Interruption(str) as interruption:
                interruption.install()
        except ValueError as error:
            failures.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert failures == []
