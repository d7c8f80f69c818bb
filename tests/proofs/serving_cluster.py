"""What the proof of serving makes on a cluster for its time: a namespace, and what KServe needs."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kubernetes import client

from components.promotion.deploy_model.kserve.capabilities import CONFIG

NAMESPACE, SERVICE = "prove-serving", "car-detector"
ROUTES = "httproutes.gateway.networking.k8s.io"


def wait(true: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def namespace(api: client.ApiClient) -> Iterator[None]:
    """Have a namespace with a default account."""
    core = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": NAMESPACE}})
    try:
        wait(lambda: bool(core.list_namespaced_service_account(NAMESPACE).items))
        yield
    finally:
        core.delete_namespace(NAMESPACE)


@contextmanager
def able(api: client.ApiClient, place: str) -> Iterator[None]:
    """Make the cluster one that splits requests, as far as a deployer can tell."""
    core, definitions = client.CoreV1Api(api), client.ApiextensionsV1Api(api)
    name = CONFIG
    ours = {"namespace": place not in {n.metadata.name for n in core.list_namespace().items}}
    if ours["namespace"]:
        core.create_namespace({"metadata": {"name": place}})
    ingress = '{"enableGatewayApi": true, "ingressDomain": "example.com"}'
    core.create_namespaced_config_map(
        place, {"metadata": {"name": name}, "data": {"ingress": ingress}}
    )
    definitions.create_custom_resource_definition(gateway_definition())
    try:
        yield
    finally:
        definitions.delete_custom_resource_definition(ROUTES)
        core.delete_namespaced_config_map(name, place)
        if ours["namespace"]:
            core.delete_namespace(place)


def gateway_definition() -> dict[str, Any]:
    """Return as much of Gateway API as discovery shows."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    note = "unapproved, a stand-in for a proof"
    return {
        "metadata": {"name": ROUTES, "annotations": {"api-approved.kubernetes.io": note}},
        "spec": {
            "group": "gateway.networking.k8s.io",
            "names": {"plural": "httproutes", "singular": "httproute", "kind": "HTTPRoute"},
            "scope": "Namespaced",
            "versions": [version],
        },
    }
