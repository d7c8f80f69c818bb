"""The stand-in for the trainer 2.3 does what JobSet and indexed Jobs under it are said to do."""

from pathlib import Path

import pytest
import yaml

from components.shared.cluster.client import Cluster, Kind
from components.training.train_detector.launchers import trainjob
from tests.standins.kubernetes_in_memory import KubernetesInMemory
from tests.standins.training_operator import TrainingOperator
from tests.standins.training_operator.conditions import is_true
from tests.standins.training_operator.trainjobs import ATTEMPT
from tests.support.training_pods import a_job

RUNTIME = (
    Path(__file__).parents[2] / "manifests/components/training-runtime/trainingruntime-workers.yaml"
)


class World:
    """A namespace with the trainer, our runtime, and a TrainJob of two workers that run."""

    def __init__(self):
        self.api = KubernetesInMemory()
        self.cluster = Cluster(self.api, "cars")
        self.operator = TrainingOperator(self.api, "cars")
        runtimes = Kind(*trainjob.KIND[:2], "trainingruntimes")
        self.cluster.create(runtimes, yaml.safe_load(RUNTIME.read_text()))
        self.cluster.create(trainjob.KIND, trainjob.body(a_job()))
        self.look(2)

    def look(self, times=1):
        for _ in range(times):
            self.operator.look()

    def has(self, condition):
        job = self.cluster.get(trainjob.KIND, "train-ab")
        assert job
        return is_true(job["status"], condition)

    def names(self):
        return [each["metadata"]["name"] for each in self.api.pods()]

    def attempts(self):
        return [each["metadata"]["labels"][ATTEMPT] for each in self.api.pods()]

    def delete(self, pod):
        self.operator.core.delete_namespaced_pod(pod, "cars")


@pytest.fixture
def world():
    return World()


def test_trainer_2_3_runs_an_indexed_pod_for_each_node(world):
    assert [name.rpartition("-")[0] for name in world.names()] == [
        "train-ab-node-0-0",
        "train-ab-node-0-1",
    ]
    assert world.attempts() == ["0", "0"]


def test_trainer_2_3_begins_all_pods_again_when_a_drained_one_has_ended(world):
    drained = world.names()[1]
    world.delete(drained)
    world.look()
    before = world.attempts()
    world.api.end(drained, 143)
    world.look()
    world.api.let_go()
    world.look(2)

    assert before == ["0", "0"]
    assert world.attempts() == ["1", "1"]
    assert not world.has("Failed")


def test_trainer_2_3_does_not_count_the_pods_that_it_removes_for_a_restart(world):
    first, second = world.names()
    world.api.end(second, 137)
    world.look()
    world.api.end(first, 143)
    world.look()
    world.api.let_go()
    world.look(2)

    assert world.attempts() == ["1", "1"]


@pytest.mark.parametrize(("code", "fails"), [(2, True), (137, False)], ids=["refused", "killed"])
def test_trainer_2_3_fails_at_once_for_an_exit_code_that_the_runtime_calls_final(
    world, code, fails
):
    world.api.end(world.names()[1], code)
    world.look()

    assert world.has("Failed") == fails


def test_trainer_2_3_fails_after_the_restarts_of_its_runtime(world):
    for _ in range(6):
        world.api.end(world.names()[1], 137)
        world.look()
        world.api.let_go()
        world.look(2)

    assert world.has("Failed")


def test_trainer_2_3_is_complete_when_every_pod_has_ended_well(world):
    for name in world.names():
        world.api.end(name, 0)
    world.look()

    assert world.has("Complete")
