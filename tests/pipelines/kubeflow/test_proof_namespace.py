"""The way to the stream that the proof on a real Kubeflow opens for the pods of its own run."""

import pytest
from kubernetes import client as kube

from tests.proofs.kubeflow_namespace import is_isolated, stream_policy

POD = {"pipelines.kubeflow.org/v2_component": "true", "pipeline/runid": "run-1"}


def policy(labels, types=("Ingress", "Egress")):
    selector = kube.V1LabelSelector(match_labels=labels)
    spec = kube.V1NetworkPolicySpec(pod_selector=selector, policy_types=list(types))
    return kube.V1NetworkPolicy(spec=spec)


@pytest.mark.parametrize(
    ("policies", "isolated"),
    [
        ([], False),
        ([policy(None)], True),
        ([policy({"pipelines.kubeflow.org/v2_component": "true"})], True),
        ([policy(None, ["Ingress"])], False),
        ([policy({"app.kubernetes.io/name": "ingest-events"})], False),
    ],
    ids=["none", "default deny", "flows of pipelines", "ingress alone", "another's"],
)
def test_a_way_to_the_stream_is_opened_only_where_something_closes_it(policies, isolated):
    assert is_isolated(policies, POD) == isolated


def test_the_way_to_the_stream_is_for_one_run_and_the_streams_own_port():
    spec = stream_policy("run-1", "kafka-0.kafka:9094, kafka-1.kafka:9094")["spec"]

    assert spec["podSelector"] == {"matchLabels": {"pipeline/runid": "run-1"}}
    assert spec["egress"] == [{"ports": [{"protocol": "TCP", "port": 9094}]}]
