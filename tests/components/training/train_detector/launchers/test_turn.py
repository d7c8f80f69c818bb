"""Gangs of several workers begin one after the other, unless something places them whole."""

import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from components.shared.cluster.client import ConflictError
from components.training.train_detector.launchers import tfjob, trainjob
from components.training.train_detector.launchers.on_cluster import begin
from components.training.train_detector.launchers.turn import others
from components.training.train_detector.launchers.worker_settings import worker_settings
from tests.support.training_pods import a_job, a_pod, ended, running


def ago(seconds):
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


class Jobs:
    """Custom resources in memory: names are unique, lists are consistent, as in Kubernetes."""

    def __init__(self, slowness=0.0):
        self.kept, self.created, self.deleted, self.there = {}, [], [], []
        self._lock, self._uids, self._slowness = threading.Lock(), count(1), slowness

    def get(self, kind, name):
        with self._lock:
            return self.kept.get(name)

    def objects(self, kind, selector=""):
        with self._lock:
            found = list(self.kept.values())
        time.sleep(self._slowness)
        return found

    def create(self, kind, body):
        with self._lock:
            name = body["metadata"]["name"]
            if name in self.kept:
                raise ConflictError(f"{name} exists")
            stamp = {"uid": str(next(self._uids)), "creationTimestamp": ago(0)}
            self.kept[name] = {**body, "metadata": {**body["metadata"], **stamp}}
            self.created.append(name)
            return self.kept[name]

    def delete(self, kind, name, last):
        with self._lock:
            self.deleted.append(name)
            self.kept.pop(name, None)

    def pods(self, selector):
        return self.there

    def end(self, name):
        self.kept[name]["status"] = {"conditions": [{"type": "Succeeded", "status": "True"}]}

    def running(self):
        return [name for name, job in self.kept.items() if "status" not in job]


def group(name, settings="", **changes):
    return a_job(worker_settings(settings), name=name, **changes)


def start(jobs, job, kind=tfjob):
    thread = threading.Thread(target=begin, args=(jobs, kind, job, 0.01), daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("kind", [tfjob, trainjob])
def test_a_second_gang_waits_for_the_first_and_says_so(kind, capsys):
    jobs = Jobs()
    begin(jobs, kind, group("train-a"), 0.01)
    second = start(jobs, group("train-b"), kind)
    second.join(0.1)

    assert jobs.running() == ["train-a"]
    jobs.kept["train-a"]["status"] = {
        "conditions": [{"type": it, "status": "True"} for it in ("Succeeded", "Complete")]
    }
    second.join(5)
    assert jobs.running() == ["train-b"]
    assert capsys.readouterr().out.count("train-b: waits for train-a to end") == 1


def test_of_gangs_that_begin_at_the_same_moment_one_stays():
    jobs = Jobs(slowness=0.002)
    names = [f"train-{letter}" for letter in "abcd"]
    threads = [start(jobs, group(name)) for name in names]

    for _ in names:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and sum(t.is_alive() for t in threads) == len(threads):
            time.sleep(0.01)
        done = [thread for thread in threads if not thread.is_alive()]
        assert len(done) == 1
        threads.remove(done[0])
        time.sleep(0.3)  # whoever must yield has looked again
        (runs,) = jobs.running()
        jobs.end(runs)


@pytest.mark.parametrize(
    ("settings", "changes"),
    [("queue: cars", {}), ("gang_scheduler: volcano", {}), ("", {"workers": 1})],
)
def test_gangs_that_are_placed_whole_and_single_workers_begin_at_once(settings, changes):
    jobs = Jobs()
    begin(jobs, tfjob, group("train-a"), 0.01)
    begin(jobs, tfjob, group("train-b", settings, **changes), 0.01)

    assert jobs.running() == ["train-a", "train-b"]


def test_a_gang_does_not_wait_for_a_single_worker():
    jobs = Jobs()
    begin(jobs, tfjob, group("train-a", workers=1), 0.01)
    begin(jobs, tfjob, group("train-b"), 0.01)

    assert jobs.running() == ["train-a", "train-b"]


@pytest.fixture
def behind():
    """Two minutes after the start limit, say whether a job waits for another as it is then."""

    def waits(kind=tfjob, pods=(), **conditions):
        jobs, limit = Jobs(), 60
        begin(jobs, kind, group("train-a"), 0.01)
        jobs.there = list(pods)
        jobs.kept["train-a"]["metadata"]["creationTimestamp"] = ago(limit + 120)
        jobs.kept["train-a"]["status"] = {
            "conditions": [
                {"type": name, "status": status, "lastTransitionTime": ago(seconds)}
                for name, (status, seconds) in conditions.items()
            ]
        }
        second = group("train-b", f"start_limit_s: {limit}")
        return others(jobs, kind, second) == ["train-a"]

    return waits


@pytest.mark.parametrize("kind", [tfjob, trainjob])
def test_nobody_waits_for_a_suspended_job_nor_for_one_that_lost_its_launcher(kind, behind):
    waiting = [a_pod(0, phase="Pending"), a_pod(1, phase="Pending")]

    assert not behind(kind, Suspended=("True", 1))
    assert not behind(kind, waiting, Created=("True", 180))
    assert not behind(kind)


@pytest.mark.parametrize("kind", [tfjob, trainjob])
def test_a_job_that_ran_or_was_resumed_just_now_is_waited_for(kind, behind):
    container = kind.CONTAINER

    assert behind(kind, [running(0, container=container), a_pod(1, phase="Pending")])
    assert behind(kind, [ended(0, 137, container=container)])
    assert behind(kind, Created=("True", 180), Suspended=("False", 5))


def test_a_job_that_was_drained_after_it_ran_is_waited_for(behind):
    assert behind(tfjob, [a_pod(0, phase="Pending")], Running=("False", 9), Restarting=("True", 9))


def test_a_queue_is_named_as_kueue_reads_it_and_a_scheduler_as_kubernetes_does():
    queued = tfjob.body(group("train-a", "{queue: cars, gang_scheduler: volcano}"))
    pod = queued["spec"]["tfReplicaSpecs"]["Worker"]["template"]["spec"]

    assert queued["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "cars"
    assert pod["schedulerName"] == "volcano"
