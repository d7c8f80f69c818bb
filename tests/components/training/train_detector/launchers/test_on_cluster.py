"""The custom resource of a plan: its image and its owner."""

import pytest

from components.training.train_detector.launchers.on_cluster import job_of
from components.training.train_detector.launchers.worker_settings import WorkerSettings
from tests.support.toy_snapshots import toy_plan
from tests.support.training_pods import (
    made,
    running,
)


def own_pod():
    pod = running(0, container="main")
    pod.spec.containers[0].image = "registry/trainer@sha256:1"
    return pod


def test_workers_run_our_own_image():
    job = job_of(toy_plan(), WorkerSettings(), "cars", own_pod())

    assert job.image == "registry/trainer@sha256:1"


def test_a_job_belongs_to_the_run_that_controls_our_pod_and_so_outlives_the_pod():
    run = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "train-1", "uid": "w"}
    pod = own_pod()
    pod.metadata.owner_references = [
        made({**run, "uid": "other"}, "V1OwnerReference"),
        made({**run, "controller": True, "blockOwnerDeletion": True}, "V1OwnerReference"),
    ]

    assert job_of(toy_plan(), WorkerSettings(), "cars", pod).owner == (run,)


def test_a_job_belongs_to_our_pod_if_nothing_controls_it():
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "pod-0", "uid": "0.0"}

    assert job_of(toy_plan(), WorkerSettings(), "cars", own_pod()).owner == (owner,)


def test_a_chosen_image_goes_before_our_own():
    assert job_of(toy_plan(), WorkerSettings(image="mine:1"), "cars", own_pod()).image == "mine:1"


def test_outside_a_pod_an_image_must_be_chosen():
    with pytest.raises(ValueError, match="image is not set, and the launcher's pod"):
        job_of(toy_plan(), WorkerSettings(), "cars", None)
