"""Workers on this machine live and end together."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.contracts.errors import UserError
from components.shared.store.objects import Objects
from components.training.train_detector.launchers.local import (
    RESTARTS,
    is_final,
    launch_local,
    tf_configs,
)
from components.training.train_detector.launchers.outcome import TrainingError
from components.training.train_detector.plan.plan import PlanLayout
from tests.support.toy_snapshots import toy_plan

LAUNCH = """
import sys
from pathlib import Path
from components.shared.store.objects import Objects
from components.training.train_detector.launchers.local import launch_local
from tests.support.toy_snapshots import toy_plan
launch_local(Path(sys.argv[1]), toy_plan(workers=2), Objects(sys.argv[2]))
"""


def workers_of(folder):
    """Return the process ids of workers that were given a folder."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:  # it ended while we looked
                continue
            module = b"components.training.train_detector.worker.main"
            if str(folder).encode() in command and module in command:
                found.append(int(process.name))
    return found


def until(condition, within_s=20.0):
    """Wait for a condition and say whether it came."""
    end = time.monotonic() + within_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@pytest.fixture
def waiting(tmp_path, object_store):
    """Start two workers that wait for ever for their plan, under a parent of their own."""
    os.mkfifo(PlanLayout(tmp_path).plan)
    command = [sys.executable, "-c", LAUNCH, str(tmp_path), object_store]
    with (tmp_path / "said.txt").open("wb") as said:
        parent = subprocess.Popen(command, stdout=said)
    assert until(lambda: len(workers_of(tmp_path)) == 2)
    yield parent, tmp_path
    parent.kill()
    parent.wait()


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to look for orphans")
def test_workers_do_not_outlive_a_killed_parent(waiting):
    parent, folder = waiting

    parent.send_signal(signal.SIGKILL)

    assert until(lambda: not workers_of(folder))


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to look for orphans")
def test_when_one_worker_dies_all_begin_again_but_not_for_ever(waiting):
    parent, folder = waiting

    for _ in range(1 + RESTARTS):
        team = workers_of(folder)
        os.kill(team[0], signal.SIGKILL)
        assert until(lambda team=team: not set(team) & set(workers_of(folder)))
        until(lambda: len(workers_of(folder)) == 2 or parent.poll() is not None)

    assert parent.wait(20) == 1
    assert not workers_of(folder)


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to look for orphans")
def test_sigterm_is_passed_on_and_ends_all_with_143(waiting):
    parent, folder = waiting

    parent.send_signal(signal.SIGTERM)

    assert parent.wait(20) == 143
    assert not workers_of(folder)


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to look for orphans")
def test_workers_that_are_told_to_stop_with_their_parent_are_not_started_again(waiting):
    parent, folder = waiting

    for process in (*workers_of(folder), parent.pid):
        os.kill(process, signal.SIGTERM)

    assert parent.wait(20) == 143
    assert "all workers restart" not in (folder / "said.txt").read_text()
    assert not workers_of(folder)


def test_a_worker_that_fails_is_quoted(tmp_path, object_store):
    with pytest.raises(TrainingError, match=r"worker-0 ended with 1:\n(.|\n)*FileNotFoundError"):
        launch_local(tmp_path, toy_plan(workers=1), Objects(object_store))


def test_a_plan_of_other_code_is_refused_by_the_worker(tmp_path, object_store):
    plan = toy_plan(workers=1, code="a" * 64)
    plan.write(PlanLayout(tmp_path).plan)

    with pytest.raises(UserError, match="workers and launcher must run the same image"):
        launch_local(tmp_path, plan, Objects(object_store))


def test_workers_know_each_other_and_their_own_place():
    first, second = map(json.loads, tf_configs(2))

    assert first["cluster"] == second["cluster"]
    assert (first["task"]["index"], second["task"]["index"]) == (0, 1)


def test_every_worker_has_a_port_of_its_own():
    hosts = json.loads(tf_configs(5)[0])["cluster"]["worker"]

    assert len(set(hosts)) == 5


def test_a_lone_worker_needs_no_cluster():
    assert tf_configs(1) == [""]


@given(st.integers(-64, 255))
def test_codes_from_1_to_127_are_final_and_signals_and_higher_ones_are_not(code):
    assert is_final(code) == (1 <= code <= 127)
