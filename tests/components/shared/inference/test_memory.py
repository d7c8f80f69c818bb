"""The most memory that a process ever had is told in MB, also when it has given it back."""

import os
import subprocess
import sys

import pytest

from components.shared.inference.memory import peak_memory_mb

TAKE = "taken = b'1' * {taken}; del taken; print(flush=True); input()"


def peak(taken):
    command = [sys.executable, "-c", TAKE.format(taken=taken)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        found = peak_memory_mb(process.pid)
        process.communicate(b"\n")
    return found


def test_what_was_given_back_counts_still():
    assert peak(200 * 10**6) - peak(0) == pytest.approx(200, abs=5)


def test_this_process_is_asked_if_no_other_is_named():
    assert peak_memory_mb() > 10


def test_a_process_that_has_ended_has_no_peak_whether_it_was_waited_for_or_not():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(ProcessLookupError, match=f"{process.pid} has ended"):
            peak_memory_mb(process.pid)

    with pytest.raises(ProcessLookupError, match=f"{process.pid} has ended"):
        peak_memory_mb(process.pid)
