"""KServe's controller in Standard mode: one pass after the other over its InferenceServices.

Compared with the controller of August 2026 behind a Gateway API, in its order: the stable
Deployment, Service and autoscaler, the canaries', then what the spec names no more is deleted
(Deployments, then Services, never autoscalers), then the HTTPRoutes are written, if the stable
predictor is ready, and last the status, with a child's counter for `observedGeneration`. Names
are `<service>[-<name>]-predictor`, Services headless, `app=isvc.<name>` on the pods; a canary's
spec is laid over the stable one, and as many stable replicas less as canaries are ready.

Servers run here instead of containers; the pods in the API server are there to be listed. It
looks again and again instead of watching, scales nothing, and knows nothing of Knative.
"""

import random
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from kubernetes import client

from components.shared.store.objects import Objects
from tests.standins.kserve.pods import PORT, Deployment
from tests.standins.kserve.rules import (
    Body,
    canary_replicas,
    deployment_name,
    merge,
    template,
    violations,
)
from tests.standins.kserve.servers import Process
from tests.standins.kserve.written import Written

KIND = ("serving.kserve.io", "v1beta1", "inferenceservices")
STORAGE = ("serving.kserve.io", "v1alpha1", "clusterstoragecontainers")

Told = Callable[[str], Any]  # of a Deployment's name


class KServe:
    """Runs in a thread while it is entered.

    Args:
        api: A configured client with all rights in the namespace.
        namespace: Where it looks after InferenceServices.
        objects: Where it downloads from.
        folder: For what it downloads.
        key: Path of the public key that is mounted into pods.
        container: What runs in a pod.
        route_lag_s: From the deletion of what the spec names no more to the HTTPRoute.
        alone: Whether nobody else looks after Deployments and autoscalers, so that it may write
            them: a real controller manager would start pods for them.
    """

    def __init__(
        self, api: client.ApiClient, namespace: str, objects: Objects, folder: Path, key: str = "",
        *, container: Any = Process, route_lag_s: float = 3.0, alone: bool = False,
    ) -> None:  # fmt: skip
        self.core, self.custom = client.CoreV1Api(api), client.CustomObjectsApi(api)
        self.namespace, self.objects, self.folder, self.key = namespace, objects, folder, key
        self.container, self.route_lag_s = container, route_lag_s
        self.deployments: dict[str, Deployment] = {}
        self.happened: list[tuple[str, str]] = []  # what was done to which object, in order
        self.violations: list[str] = []
        self.away = False  # the whole controller, with its webhook
        self.never_ready: Told = lambda name: False
        self.spoil: Told = lambda name: {}
        self.init_fails: Told = lambda name: ""
        self.unschedulable: Told = lambda name: ""
        self.written = Written(self, alone)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "KServe":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        time.sleep(1.2)  # for pods that are going already
        for deployment in self.deployments.values():
            for pod in deployment.pods:
                pod.end()

    def webhook(self, kind: str, body: Body) -> tuple[int, Body] | None:
        """Return why the API server does not store an InferenceService, or None."""
        if kind != KIND[2]:
            return None
        if self.away:
            message = (
                'Internal error occurred: failed calling webhook "inferenceservice.kserve-webhook-'
                'server.defaulter": failed to call webhook: connect: connection refused'
            )
            return 500, {"kind": "Status", "message": message}
        broken = violations(body)
        return (400, {"kind": "Status", "message": "; ".join(broken)}) if broken else None

    def address(self) -> str:
        """Return an address that no other pod has, of another stand-in neither."""
        while True:
            parts = (random.randint(64, 127), random.randint(0, 255), random.randint(1, 254))
            ip = f"127.{'.'.join(map(str, parts))}"
            with suppress(OSError), socket.socket() as free:
                free.bind((ip, PORT))
                return ip

    def restricted(self) -> bool:
        """Say whether the namespace enforces the Pod Security Standard `restricted`."""
        with suppress(client.ApiException):
            labels = self.core.read_namespace(self.namespace).metadata.labels or {}
            return labels.get("pod-security.kubernetes.io/enforce") == "restricted"
        return False

    def storage(self) -> list[Body]:
        """Return the ClusterStorageContainers."""
        with suppress(client.ApiException):
            return list(self.custom.list_cluster_custom_object(*STORAGE)["items"])
        return []

    def shares(self, service: str) -> list[tuple[int, Deployment | None]]:
        """Return where a gateway leads: by the HTTPRoute, to a Deployment or to none any more."""
        return [
            (weight, self.deployments.get(name)) for name, weight in self.written.route(service)
        ]

    def _run(self) -> None:
        while not self._ended.wait(0.1):
            if self.away:
                continue
            found = self.custom.list_namespaced_custom_object(*KIND[:2], self.namespace, KIND[2])
            if not found["items"]:
                self._remove_all_but(set())
            for service in found["items"]:
                self._reconcile(service)

    def _reconcile(self, service: Body) -> None:
        name, spec = service["metadata"]["name"], service["spec"]
        self.violations += violations(service)
        shared = service["metadata"].get("annotations") or {}
        stable = self._deployment(service, spec["predictor"])
        canaries = []
        for canary in spec.get("canary") or []:
            merged = merge(spec["predictor"], canary["predictor"])
            found = self.deployments.get(deployment_name(name, merged))
            canaries.append((canary, merged, bool(found and found.ready)))
        lent = sum(canary_replicas(service, each) for each, _, ready in canaries if ready)
        replicas = spec["predictor"].get("minReplicas", 1)
        stable.follow(
            template(spec["predictor"], shared), max(replicas - lent, 1) if lent else replicas
        )
        followed = []
        for canary, merged, _ in canaries:
            deployment = self._deployment(service, merged)
            deployment.follow(template(merged, shared), canary_replicas(service, canary))
            followed.append((canary, deployment, bool(deployment.ready)))
        self.written.deployments([stable, *(each[1] for each in followed)])
        if self._remove_all_but({stable.name, *(each[1].name for each in followed)}):
            self._ended.wait(self.route_lag_s)
        if stable.available:
            self.written.write_route(name, stable, followed)
        self.written.write_status(service, stable, followed)

    def _deployment(self, service: Body, predictor: Body) -> Deployment:
        name = deployment_name(service["metadata"]["name"], predictor)
        if name not in self.deployments:
            self.deployments[name] = Deployment(self, name)
            port = {"port": 80, "targetPort": PORT, "protocol": "TCP"}
            body = {
                "metadata": {"name": name},
                "spec": {
                    "clusterIP": "None", "selector": {"app": f"isvc.{name}"}, "ports": [port],
                },
            }  # fmt: skip
            self.core.create_namespaced_service(self.namespace, body)
            self.written.autoscaler(service, name)
        return self.deployments[name]

    def _remove_all_but(self, names: set[str]) -> bool:
        """Delete the Deployments and then the Services that are not named; no autoscaler."""
        orphans = set(self.deployments) - names
        for name in orphans:
            self.deployments.pop(name).keep([])
            self.written.delete_deployment(name)
            self.happened.append(("delete deployment", name))
        for name in orphans:
            self.core.delete_namespaced_service(name, self.namespace)
            self.happened.append(("delete service", name))
        return bool(orphans)
