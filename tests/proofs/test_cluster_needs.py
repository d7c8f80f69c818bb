"""What `make prove-cluster` needs and is missing is one sentence each, before anything is made."""

import json
from types import SimpleNamespace

import pytest

from components.training.train_detector.launchers import tfjob, trainjob
from tests.proofs import cluster_needs
from tests.proofs.controllers import controller_of, running_controllers
from tests.proofs.manifests.place import SPACE
from tests.standins.kubernetes_in_memory import KubernetesInMemory
from tests.standins.training_operator import TrainingOperator

IMAGE = "localhost:5000/trainer:dev"


@pytest.fixture
def api():
    """A cluster that has all that is needed."""
    api = KubernetesInMemory()
    names = cluster_needs.DEFINITIONS
    put(api, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", *names, spec=DEFINITION)
    held = {"images": [{"names": [IMAGE], "sizeBytes": 1}]}
    put(api, "/api/v1/nodes", "node", status=held)
    put(api, "/api/v1/namespaces", "default")
    return api


NAMES = {"plural": "x", "kind": "X"}
DEFINITION = {"group": "x", "names": NAMES, "scope": "Namespaced", "versions": []}


def put(api, path, *names, **more):
    for name in names:
        api.objects[f"{path}/{name}"] = {"metadata": {"name": name}, **more}


def test_a_cluster_with_all_that_is_needed_misses_nothing(api):
    assert list(cluster_needs.missing_definitions(api)) == []
    assert list(cluster_needs.missing_image(api, IMAGE)) == []
    assert list(cluster_needs.left_namespaces(api)) == []


def test_a_definition_that_is_missing_is_named_with_its_owner(api):
    del api.objects["/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tfjobs.kubeflow.org"]

    assert list(cluster_needs.missing_definitions(api)) == [
        "the API server does not know tfjobs.kubeflow.org, expected the definitions of "
        "the training operator 1.9"
    ]


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("localhost:5000/trainer:other", True),
        ("ghcr.io/cars/trainer:other", False),
    ],
    ids=["built here", "in a registry"],
)
def test_an_image_that_no_node_has_and_none_can_fetch_is_named(api, name, missing):
    assert any(name in said for said in cluster_needs.missing_image(api, name)) == missing


def test_a_cluster_without_a_node_is_not_enough(api):
    del api.objects["/api/v1/nodes/node"]

    assert "no node" in next(cluster_needs.missing_image(api, IMAGE))


def test_what_an_earlier_proof_left_is_named(api):
    put(api, "/api/v1/namespaces", SPACE)

    (sentence,) = cluster_needs.left_namespaces(api)
    assert sentence.startswith(f"the namespace {SPACE} is there already")


@pytest.mark.parametrize(("allowed", "count"), [(True, 0), (False, 1)])
def test_who_may_not_do_everything_is_told_so(allowed, count):
    class Reviewing(KubernetesInMemory):
        def call_api(self, *_, **__):
            return SimpleNamespace(status=SimpleNamespace(allowed=allowed))

    assert len(list(cluster_needs.missing_rights(Reviewing()))) == count


def test_an_object_store_that_does_not_answer_is_named_by_its_address():
    (sentence,) = cluster_needs.missing_store("http://127.0.0.1:9")

    assert sentence.startswith("AWS_ENDPOINT_URL is http://127.0.0.1:9, where no S3 answers")


def test_programs_that_are_missing_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    said = list(cluster_needs.missing_tools())
    assert "kubectl is not on PATH, expected 1.24 or later" in said
    assert "curl is not on PATH, expected 7.75 or later" in said


@pytest.mark.parametrize(("minor", "named"), [("20+", True), ("24", False), ("34", False)])
def test_a_kubectl_that_is_too_old_is_named_by_its_version(monkeypatch, tmp_path, minor, named):
    kubectl = tmp_path / "kubectl"
    version = {"clientVersion": {"major": "1", "minor": minor}}
    kubectl.write_text(f"#!/bin/sh\necho '{json.dumps(version)}'\n")
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert ("kubectl is 1.20, expected 1.24 or later" in cluster_needs.missing_tools()) == named


def deployment(name, ready):
    container = {"name": "manager", "image": f"{name}:1"}
    template = {"spec": {"containers": [container]}}
    spec = {"selector": {}, "template": template}
    return {"metadata": {"name": name}, "spec": spec, "status": {"readyReplicas": ready}}


def test_a_controller_that_runs_is_used_and_no_stand_in_beside_it(capsys):
    api = KubernetesInMemory()
    for name, ready in (("training-operator", 1), ("kubeflow-trainer-controller-manager", 0)):
        api.objects[f"/apis/apps/v1/deployments/{name}"] = deployment(name, ready)

    running = running_controllers(api)
    real, stand_in = (controller_of(kind, api, "cars", running) for kind in (tfjob, trainjob))

    assert running == {"tfjobs": "training-operator:1"}
    assert not isinstance(real, TrainingOperator)
    assert isinstance(stand_in, TrainingOperator)
    assert "tfjobs: training-operator:1 is the controller" in capsys.readouterr().out
