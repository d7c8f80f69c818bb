"""Workers on this machine live and end together."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.train_detector.local import TrainingError, launch_local, tf_configs

LAUNCH = """
import sys
from pathlib import Path
from components.train_detector.local import launch_local
launch_local(Path(sys.argv[1]), int(sys.argv[2]))
"""


def workers_of(plan):
    """Return the process ids of workers that were given a plan."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:  # it ended while we looked
                continue
            if str(plan).encode() in command and b"components.train_detector.worker" in command:
                found.append(int(process.name))
    return found


def until(condition, within_s=20.0):
    """Wait for a condition and say whether it came."""
    end = time.monotonic() + within_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@pytest.fixture
def waiting(tmp_path):
    """Start two workers that wait for ever for their plan, under a parent of their own."""
    plan = tmp_path / "plan.json"
    os.mkfifo(plan)
    parent = subprocess.Popen([sys.executable, "-c", LAUNCH, str(plan), "2"])
    assert until(lambda: len(workers_of(plan)) == 2)
    yield parent, plan
    parent.kill()
    parent.wait()


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to look for orphans")
def test_workers_do_not_outlive_a_killed_parent(waiting):
    parent, plan = waiting

    parent.send_signal(signal.SIGKILL)

    assert until(lambda: not workers_of(plan))


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to look for orphans")
def test_when_one_worker_dies_all_end_and_it_is_named(waiting):
    parent, plan = waiting

    os.kill(workers_of(plan)[0], signal.SIGKILL)

    assert parent.wait(20) == 1
    assert not workers_of(plan)


def test_a_worker_that_fails_is_quoted(tmp_path):
    with pytest.raises(TrainingError, match=r"worker-0 ended with 1:\n(.|\n)*FileNotFoundError"):
        launch_local(tmp_path / "missing.json", 1)


def test_workers_know_each_other_and_their_own_place():
    first, second = map(json.loads, tf_configs(2))

    assert first["cluster"] == second["cluster"]
    assert (first["task"]["index"], second["task"]["index"]) == (0, 1)


def test_every_worker_has_a_port_of_its_own():
    hosts = json.loads(tf_configs(5)[0])["cluster"]["worker"]

    assert len(set(hosts)) == 5


def test_a_lone_worker_needs_no_cluster():
    assert tf_configs(1) == [""]
