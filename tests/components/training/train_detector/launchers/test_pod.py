"""A worker in a pod finds its plan by fingerprint, and its neighbours by name."""

import json

import pytest

from components.shared.contracts.errors import ExitCode, UserError
from components.shared.contracts.stopping import Stopped
from components.shared.store.objects import Objects, StoreError
from components.training.train_detector.launchers import tfjob
from components.training.train_detector.launchers.on_cluster import ClusterLauncher
from components.training.train_detector.launchers.pod import tf_config, work_in_pod
from components.training.train_detector.plan.plan import PlanLayout
from components.training.train_detector.worker.main import (
    WorkerLostError,
    exit_code,
    place,
)
from components.training.train_detector.worker.training_store import TrainingStore
from tests.support.toy_snapshots import toy_plan


@pytest.mark.parametrize("index", range(3))
def test_the_number_of_a_pod_is_its_place(index):
    config = json.loads(tf_config("job", index, 3))

    assert place(config) == (index, 3)
    assert config["cluster"]["worker"][index] == f"job-node-0-{index}.job:2222"


def test_a_worker_that_is_started_again_after_the_end_has_nothing_to_do(object_store, capsys):
    Objects(object_store).put(f"trainings/{'a' * 64}/complete", b"")

    work_in_pod("a" * 64, {"OBJECT_STORE_URL": object_store})

    assert "nothing to do" in capsys.readouterr().out


def test_a_fingerprint_without_a_plan_is_refused(object_store):
    with pytest.raises(UserError, match=r"holds no plan, expected plan/plan\.json"):
        work_in_pod("a" * 64, {"OBJECT_STORE_URL": object_store})


def test_a_worker_of_another_image_is_refused(object_store, tmp_path):
    plan = toy_plan(workers=1, code="b" * 64)
    plan.write(PlanLayout(tmp_path).plan)
    TrainingStore(Objects(object_store), plan.fingerprint).send_plan(tmp_path)

    with pytest.raises(UserError, match="expected bbbbbbbbbbbb as the plan says"):
        work_in_pod(plan.fingerprint, {"OBJECT_STORE_URL": object_store})


def raising(error):
    def do():
        raise error

    return do


def test_what_was_wrong_is_kept_for_whoever_asks_the_cluster(tmp_path):
    words = tmp_path / "termination-log"
    words.touch()

    assert exit_code(raising(UserError("the loss is nan")), words) == 2
    assert words.read_text() == "the loss is nan"


def test_a_worker_whose_neighbour_is_gone_asks_to_be_started_again(capsys):
    assert exit_code(raising(WorkerLostError("alone"))) == ExitCode.RESTART >= 128
    assert "alone" in capsys.readouterr().err


def test_a_store_that_fails_is_worth_another_try():
    assert exit_code(raising(StoreError("503"))) >= 128


def test_who_is_told_to_stop_ends_with_143():
    with pytest.raises(SystemExit) as left:
        exit_code(raising(Stopped()))

    assert left.value.code == 143


def test_pods_cannot_share_a_folder_of_this_machine(object_store, tmp_path):
    with pytest.raises(UserError, match="which pods of workers do not see"):
        ClusterLauncher(tfjob, {})(tmp_path, toy_plan(), Objects(object_store))
