"""The stand-in for the training operator holds to what version 1.9.0 was seen to do."""

import json

import pytest

from components.shared.cluster.client import Cluster
from components.training.train_detector.launchers import tfjob
from components.training.train_detector.launchers.worker_settings import WorkerSettings
from tests.standins.kubernetes_in_memory import KubernetesInMemory
from tests.standins.training_operator import TrainingOperator
from tests.standins.training_operator.conditions import is_true
from tests.support.training_pods import a_job


class World:
    """A namespace with the operator, and a TFJob of two workers that run."""

    def __init__(self, settings=None, **changes):
        self.api = KubernetesInMemory()
        self.cluster = Cluster(self.api, "cars")
        self.operator = TrainingOperator(self.api, "cars")
        self.cluster.create(tfjob.KIND, tfjob.body(a_job(settings, **changes)))
        self.look(2)

    def look(self, times=1):
        for _ in range(times):
            self.operator.look()

    def job(self):
        return self.cluster.get(tfjob.KIND, "train-ab")

    def has(self, condition):
        return is_true(self.job()["status"], condition)

    def message(self, condition):
        found = self.job()["status"]["conditions"]
        return next(one["message"] for one in found if one["type"] == condition)

    def delete(self, worker, grace_s):
        self.operator.core.delete_namespaced_pod(
            f"train-ab-worker-{worker}", "cars", grace_period_seconds=grace_s
        )

    def end(self, worker, code):
        self.api.end(f"train-ab-worker-{worker}", code)

    def uids(self):
        return [each["metadata"]["uid"] for each in self.api.pods()]


@pytest.fixture
def world():
    return World()


def test_training_operator_1_9_makes_a_pod_and_a_service_for_each_worker(world):
    names = ["train-ab-worker-0", "train-ab-worker-1"]
    services = world.operator.core.list_namespaced_service("cars").items

    assert [each["metadata"]["name"] for each in world.api.pods()] == names
    assert [each.metadata.name for each in services] == names
    assert world.has("Created")
    assert world.has("Running")


def environment(pod):
    return {each["name"]: each.get("value") for each in pod["spec"]["containers"][0]["env"]}


def test_training_operator_1_9_names_every_worker_in_tf_config(world):
    config = json.loads(environment(world.api.pods()[1])["TF_CONFIG"])

    assert config["task"] == {"type": "worker", "index": 1}
    assert config["cluster"]["worker"] == [f"train-ab-worker-{n}.cars.svc:2222" for n in (0, 1)]


def test_training_operator_1_9_sets_no_tf_config_for_a_single_worker():
    (pod,) = World(workers=1).api.pods()

    assert "TF_CONFIG" not in environment(pod)


def test_training_operator_1_9_counts_a_running_pod_that_is_being_deleted_as_failed(world):
    world.delete(1, grace_s=30)
    world.look()

    assert world.has("Failed")
    assert world.message("Failed") == (
        "TFJob cars/train-ab has failed because 1 Worker replica(s) failed."
    )


def test_training_operator_1_9_makes_no_pod_anew_once_the_job_has_failed(world):
    world.delete(1, grace_s=30)
    world.look(2)
    world.api.let_go()
    world.look(2)

    assert world.api.pods() == []


def test_training_operator_1_9_goes_on_with_a_job_that_restarts_while_a_pod_is_deleted(world):
    world.end(0, 138)
    world.look()
    world.delete(1, grace_s=30)
    world.look()
    restarting = world.has("Restarting")
    world.api.let_go()
    world.look(2)

    assert restarting
    assert not world.has("Failed")
    assert len(world.api.pods()) == 2


def test_training_operator_1_9_makes_a_pod_anew_that_was_deleted_by_force(world):
    before = world.uids()
    world.delete(1, grace_s=0)
    world.look(2)

    assert not world.has("Failed")
    assert world.uids()[0] == before[0]
    assert world.uids()[1] != before[1]


@pytest.mark.parametrize("code", [128, 137, 143])
def test_training_operator_1_9_starts_a_worker_again_from_exit_code_128_on(world, code):
    world.end(1, code)
    world.look()
    restarting = world.has("Restarting")
    world.api.let_go()
    world.look(2)

    assert restarting
    assert world.has("Running")
    assert not world.has("Restarting")
    assert len(world.api.pods()) == 2


@pytest.mark.parametrize("code", [1, 2, 127])
def test_training_operator_1_9_fails_a_job_for_an_exit_code_below_128(world, code):
    world.end(1, code)
    world.look()

    assert world.has("Failed")
    assert not world.has("Running")


def test_training_operator_1_9_calls_a_job_done_when_worker_0is_true(world):
    world.end(0, 0)
    world.look()

    assert world.has("Succeeded")


def test_training_operator_1_9_removes_running_pods_of_a_job_that_ended_and_keeps_the_others(world):
    world.end(0, 0)
    world.look(2)
    world.api.let_go()
    world.look()

    assert [each["metadata"]["name"] for each in world.api.pods()] == ["train-ab-worker-0"]


def test_training_operator_1_9_says_that_a_job_was_longer_active_than_it_may_be():
    world = World(WorkerSettings(time_limit_s=1))
    stored = world.api.objects["/apis/kubeflow.org/v1/namespaces/cars/tfjobs/train-ab"]
    stored["status"]["startTime"] = "2026-01-01T00:00:00Z"
    world.look()

    assert "active longer than specified deadline" in world.message("Failed")


def test_training_operator_1_9_removes_the_pods_of_a_suspended_job_and_makes_them_when_resumed(
    world,
):
    stored = world.api.objects["/apis/kubeflow.org/v1/namespaces/cars/tfjobs/train-ab"]
    stored["spec"]["runPolicy"]["suspend"] = True
    world.look()
    world.api.let_go()
    world.look()
    suspended = world.has("Suspended"), world.api.pods()
    stored["spec"]["runPolicy"]["suspend"] = False
    world.look(2)

    assert suspended == (True, [])
    assert world.has("Running")
    assert not world.has("Suspended")


def test_training_operator_1_9_removes_a_finished_job_after_its_time_to_live():
    world = World(WorkerSettings(keep_s=0))
    world.end(0, 0)
    world.look()
    stored = world.api.objects["/apis/kubeflow.org/v1/namespaces/cars/tfjobs/train-ab"]
    for each in stored["status"]["conditions"]:
        each["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    world.look()

    assert "deletionTimestamp" in stored["metadata"]
