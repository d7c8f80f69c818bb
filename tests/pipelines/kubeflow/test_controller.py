"""What a workflow controller does with a failed task is read from its config map, or not known."""

import pytest
import yaml

from components.shared.cluster.client import ClusterError
from pipelines.kubeflow import controller
from pipelines.kubeflow.controller import policy_in, retry_policy

STOCK = """spec:
  ttlStrategy: {secondsAfterCompletion: 3600}
  templateDefaults:
    retryStrategy:
      limit: '2'
      retryPolicy: OnError
"""


def test_pipelines_2_17_as_installed_does_not_try_a_failed_task_again():
    found = policy_in({"workflowDefaults": STOCK, "executor": "imagePullPolicy: IfNotPresent\n"})

    assert not found.is_right
    assert found.name == "OnError"
    assert "a task that fails, runs out of memory or is evicted ends its run" in found.sentence
    assert "expected retryPolicy Always at spec.templateDefaults.retryStrategy" in found.sentence


ALWAYS = STOCK.replace("OnError", "Always")


@pytest.mark.parametrize(
    "config",
    [
        {"workflowDefaults": ALWAYS},
        {"config": yaml.safe_dump({"workflowDefaults": yaml.safe_load(ALWAYS)})},
    ],
)
def test_always_is_right_in_either_form_of_the_config_map(config):
    assert policy_in(config).is_right


@pytest.mark.parametrize(
    "config", [{}, {"workflowDefaults": ""}, {"workflowDefaults": "spec: {}"}, {"config": "[1]"}]
)
def test_where_nothing_is_said_argo_s_own_default_holds(config):
    assert policy_in(config).name == "OnFailure"


def test_without_a_cluster_it_is_said_that_nothing_was_checked(monkeypatch):
    monkeypatch.delenv("KUBECONFIG", raising=False)

    found = retry_policy()

    assert (found.name, found.is_right) == ("", False)
    assert "could not be checked: no cluster" in found.sentence


@pytest.mark.parametrize("answer", [None, ClusterError("the API server says 403")])
def test_a_config_map_that_may_not_be_read_is_not_known(monkeypatch, answer):
    class Closed:
        def config_map(self, namespace, name):
            assert (namespace, name) == ("kubeflow", "workflow-controller-configmap")
            if answer:
                raise answer

    monkeypatch.setattr(controller.Cluster, "connect", lambda account: Closed())

    assert "could not be checked" in retry_policy().sentence


def test_applying_schedules_says_what_is_known_of_retries(command, uploaded, capsys, monkeypatch):
    monkeypatch.delenv("KUBECONFIG", raising=False)

    assert command("schedules", "apply") == 0
    assert "retryPolicy could not be checked" in capsys.readouterr().err
