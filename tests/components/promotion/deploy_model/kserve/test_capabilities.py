import pytest

from components.promotion.deploy_model.kserve.capabilities import (
    Capabilities,
    check,
    dropped,
    read_capabilities,
)
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.shared.cluster.client import Cluster, ClusterError
from components.shared.contracts.errors import UserError
from tests.standins.api_server import ApiServer

GATEWAY = {"enableGatewayApi": True, "ingressDomain": "example.com"}


def able(**changes):
    return Capabilities(**({"ingress": GATEWAY} | changes))


def settings(**changes):
    return PredictorSettings(**{"image": "a", "visibility": "external"} | changes)


def service(mode="Standard", spec=None, runs=None):
    return {
        "metadata": {
            "name": "cars",
            "annotations": {"serving.kserve.io/deploymentMode": mode},
        },
        "spec": {"predictor": {}} | (spec or {}),
        "status": {"deploymentMode": runs} if runs else {},
    }


SILENT = {
    "drops spec.canary: install KServe 0.21": ({}, {"canary": False}, None),
    "let the deployer's account get httproutes": ({}, {"readable": False}, None),
    "no files for the pods": ({}, {"storage": "no files for the pods"}, None),
    "without Gateway API: install its CRDs": ({}, {"routes": False}, None),
    "cannot be read.*let the deployer's account get it": ({}, {"ingress": None}, None),
    "config map kubeflow/inferenceservice-config cannot be read.*or set kserve_namespace": (
        {"kserve_namespace": "kubeflow"}, {"ingress": None}, None,
    ),
    "set enableGatewayApi to true": ({}, {"ingress": {"ingressDomain": "example.com"}}, None),
    "set disableIngressCreation to false": (
        {}, {"ingress": GATEWAY | {"disableIngressCreation": True}}, None,
    ),
    "set another ingressDomain": (
        {}, {"ingress": GATEWAY | {"ingressDomain": "svc.cluster.local"}}, None,
    ),
    "set visibility to external": ({"visibility": "cluster-local"}, {}, None),
    "set min_replicas to 1": ({"min_replicas": 0}, {}, None),
    "set scale_metric to cpu or memory": ({"scale_metric": "rps"}, {}, None),
    "set scale_metric to concurrency or rps": (
        {"scale_metric": "cpu", "mode": "Knative"}, {}, None,
    ),
    "raise max_replicas": ({"scale_target": 50, "max_replicas": 1}, {}, None),
    "Knative Serving is not installed": ({"mode": "Knative"}, {"knative": False}, None),
    "ignores canaryTrafficPercent: remove it": (
        {}, {}, service(spec={"predictor": {"canaryTrafficPercent": 5}}),
    ),
    "ignores spec.canary: remove it": (
        {"mode": "Knative"}, {}, service("Knative", {"canary": [{}]}),
    ),
    "runs in Knative mode, which cannot change": ({}, {}, service("Knative")),
    "runs in Serverless mode, which cannot change": ({}, {}, service(runs="Serverless")),
}  # fmt: skip


@pytest.mark.parametrize(("sentence", "case"), SILENT.items(), ids=list(SILENT))
def test_what_would_silently_do_nothing_is_refused_and_what_to_set_is_said(sentence, case):
    chosen, found, existing = case

    with pytest.raises(UserError, match=sentence):
        check(settings(**chosen), able(**found), existing)


@pytest.mark.parametrize(
    ("chosen", "found", "existing"),
    [
        ({}, {"knative": False}, None),
        ({}, {}, service(runs="Standard")),
        ({"scale_metric": "cpu", "scale_target": 70}, {}, None),
        ({"mode": "Knative"}, {"canary": False, "routes": False}, None),
        ({"mode": "Knative", "min_replicas": 0, "scale_metric": "rps"}, {"ingress": None}, None),
        ({"mode": "Knative", "visibility": "cluster-local"}, {}, service("Knative")),
    ],
)
def test_what_does_something_is_not_refused(chosen, found, existing):
    check(settings(**chosen), able(**found), existing)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(UserError) as refusal:
        check(settings(min_replicas=0), able(routes=False, ingress=None), None)

    assert len(str(refusal.value).split("; ")) == 3


@pytest.mark.parametrize(
    ("sent", "kept", "path"),
    [
        ({"a": [{"b": 1}]}, {"a": [{}]}, "spec.a[0].b"),
        ({"a": [1, 2]}, {"a": [1]}, "spec.a[1]"),
        ({"a": {}}, {}, None),
        ({"canary": []}, {}, None),
        ({"a": 1}, {"a": 1, "defaulted": 2}, None),
    ],
)
def test_a_field_that_the_server_drops_is_found(sent, kept, path):
    assert dropped(sent, kept) == path


def test_kserves_configuration_is_looked_for_in_its_own_namespace():
    server = ApiServer()
    with server.client() as api:
        read_capabilities(
            Cluster(api, "cars"), settings(mode="Knative", kserve_namespace="kubeflow")
        )

    assert "/api/v1/namespaces/kubeflow/configmaps/inferenceservice-config" in server.asked


@pytest.mark.parametrize(
    ("forbidden", "readable"), [({"httproutes"}, False), (set(), True)], ids=["denied", "allowed"]
)
def test_whether_routes_are_ours_to_read_is_found_out_by_the_status_of_an_answer(
    forbidden, readable
):
    server = ApiServer()
    server.forbidden = forbidden
    with server.client() as api:
        assert read_capabilities(Cluster(api, "cars"), settings()).readable == readable


def test_a_fault_in_whose_sentence_a_status_happens_to_stand_is_no_missing_right(monkeypatch):
    def fails(*_):
        raise ClusterError("httproutes: the API server says 500: connect: 10.0.0.1:40312", 500)

    with ApiServer().client() as api:
        cluster = Cluster(api, "cars")
        monkeypatch.setattr(cluster, "get", fails)
        with pytest.raises(ClusterError, match="says 500"):
            read_capabilities(cluster, settings())
