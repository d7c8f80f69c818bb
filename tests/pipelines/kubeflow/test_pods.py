import json

import pytest

from pipelines.kubeflow.pods import waiting_pods
from tests.standins.api_server import ApiServer


def pod(name, *, phase="Pending", conditions=(), waiting=None):
    state = {"name": "main", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
    statuses = [state | {"state": {"waiting": waiting}}] if waiting else []
    status = {"phase": phase, "conditions": list(conditions), "containerStatuses": statuses}
    return {"metadata": {"name": name}, "status": status}


UNSCHEDULABLE = {
    "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 Insufficient cpu.",
}  # fmt: skip


class Cluster(ApiServer):
    """Has the pods of one run."""

    def answer(self, verb, path, dry, body):
        self.asked.append(path)
        return 200, {"items": [
            pod("full", conditions=[UNSCHEDULABLE]),
            pod("pulls", waiting={"reason": "ImagePullBackOff", "message": "no such image"}),
            pod("starts", waiting={"reason": "ContainerCreating"}),
            pod("runs", phase="Running"),
        ]}  # fmt: skip


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A cluster that KUBECONFIG names."""
    server = Cluster()
    with server.client() as api:
        named = {"name": "x", "cluster": {"server": api.configuration.host}}
        context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
        users = [{"name": "x", "user": {}}]
        file = tmp_path / "config"
        told = {"clusters": [named], "contexts": [context], "users": users, "current-context": "x"}
        file.write_text(json.dumps(told))
        monkeypatch.setenv("KUBECONFIG", str(file))
        yield server


def test_the_cluster_says_why_pods_of_a_run_wait(cluster):
    assert waiting_pods("run-1") == [
        "pod full waits: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.",
        "pod pulls waits: ImagePullBackOff: no such image",
    ]
    assert cluster.asked == ["/api/v1/pods"]


def test_pods_are_looked_for_in_ones_own_namespace(cluster, monkeypatch):
    monkeypatch.setenv("KFP_NAMESPACE", "ours")

    waiting_pods("run-1")

    assert cluster.asked == ["/api/v1/namespaces/ours/pods"]


def test_without_a_cluster_nothing_is_said(monkeypatch):
    monkeypatch.delenv("KUBECONFIG", raising=False)

    assert waiting_pods("run-1") == []


def test_a_cluster_that_does_not_answer_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nowhere"))

    (line,) = waiting_pods("run-1")

    assert "KUBECONFIG cannot tell whether pods wait" in line
