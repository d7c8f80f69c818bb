"""A stand-in for KServe's controller in Standard mode, which serves with real processes.

Written from the published schema and behaviour of KServe 0.21: Deployments and Services named
`<service>[-<name>]-predictor`, headless as it makes them by default, `app=isvc.<name>` on the
pods, the canary's spec laid over the stable one, as many stable replicas less as canaries are
ready, routes to ready canaries alone, orphans removed, a status as it writes it (with a
child's counter for `observedGeneration`). The rules of its webhook are checked afterwards:
what it would have refused is in `violations`.

Instead of containers it starts `serve_detector` on an address of its own for each pod, over
what it downloaded from STORAGE_URI; the pods in the API server are there to be listed. It
looks again and again instead of watching, scales nothing, and knows nothing of Knative.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from kubernetes import client

from components.store.objects import Objects

KIND = ("serving.kserve.io", "v1beta1", "inferenceservices")
SCALING = ("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget")
PORT = 8080
GRACE_S = 20

Lie = Callable[[str], bool]  # of a Deployment's name


class Pod:
    """One process, and the pod that the API server knows of it."""

    def __init__(self, operator: "KServe", deployment: str, template: dict[str, Any], ip: str):
        self.operator, self.deployment, self.template, self.ip = operator, deployment, template, ip
        self.name = f"{deployment}-{ip.replace('.', '-')}"
        self.folder = operator.folder / self.name
        self.ready = self.told_ready = False
        self.process: subprocess.Popen | None = None
        self._create()
        self._start()

    def look(self) -> None:
        """Probe it, and tell the API server what changed."""
        ready = self._answers()
        ended = self.process is not None and self.process.poll() not in (None, 0)
        if ready != self.told_ready or (ended and not self.ready):
            self._tell(ready, self.process.poll() if ended else None)
        self.ready = self.told_ready = ready

    def end(self) -> None:
        """Stop the process and forget the pod."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(GRACE_S)
            except subprocess.TimeoutExpired:  # as a kubelet does
                self.process.kill()
                self.process.wait()
        self.operator.core.delete_namespaced_pod(
            self.name, self.operator.namespace, grace_period_seconds=0
        )
        shutil.rmtree(self.folder, ignore_errors=True)

    def _create(self) -> None:
        container = {"name": "kserve-container", "image": "stand-in"}
        body = {
            "metadata": {
                "name": self.name,
                "labels": {"app": f"isvc.{self.deployment}", "component": "predictor"},
                "annotations": self.template.get("annotations") or {},
            },
            # Nobody schedules it: the process runs here.
            "spec": {
                "schedulerName": "stand-in",
                "containers": [container],
                "automountServiceAccountToken": False,
            },
        }
        self.operator.core.create_namespaced_pod(self.operator.namespace, body)

    def _start(self) -> None:
        container = self.template["containers"][0]
        values = {each["name"]: each["value"] for each in container["env"] if "value" in each}
        models = self.folder / "models"
        objects = self.operator.objects
        objects.get_folder(objects.key(values.pop("STORAGE_URI")), models)
        args = [str(models) if each == "/mnt/models" else each for each in container["args"]]
        args[args.index("0.0.0.0")] = self.ip
        spoilt = self.operator.spoil(self.deployment)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "components", *args, "--http-port", str(PORT),
             "--inferences", "1"],
            env=os.environ | values | {"SIGNING_PUBLIC_KEY": self.operator.key} | spoilt,
            stderr=(self.folder / "log").open("w"), stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://{self.ip}:{PORT}/v2/health/ready", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def _tell(self, ready: bool, ended: int | None) -> None:
        now = datetime.now(UTC).isoformat()
        state: dict[str, Any] = {"running": {"startedAt": now}}
        words = (self.folder / "log").read_text()[-2000:] if ended else ""
        last = {"terminated": {"exitCode": ended, "message": words}} if ended else {}
        status = {
            "phase": "Running", "podIP": self.ip, "podIPs": [{"ip": self.ip}],
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{
                "name": "kserve-container", "ready": ready, "restartCount": int(bool(ended)),
                "image": "stand-in", "imageID": "", "state": state, "lastState": last,
            }],
        }  # fmt: skip
        self.operator.core.patch_namespaced_pod_status(
            self.name, self.operator.namespace, {"status": status}
        )


class Deployment:
    """Pods of one template; a new template is rolled out before the old pods go."""

    def __init__(self, operator: "KServe", name: str):
        self.operator, self.name, self.pods = operator, name, []
        self.generation = 0

    def follow(self, template: dict[str, Any], replicas: int) -> None:
        """Have as many pods of a template, and never fewer ready ones than before."""
        current = [pod for pod in self.pods if pod.template == template]
        if not current:
            self.generation += 1
        while len(current) < replicas:
            pod = Pod(self.operator, self.name, template, self.operator.address())
            self.pods.append(pod)
            current.append(pod)
        for pod in self.pods:
            pod.look()
        if sum(pod.ready for pod in current) >= replicas:
            self.keep(current[:replicas])

    def keep(self, pods: list[Pod]) -> None:
        for pod in [each for each in self.pods if each not in pods]:
            self.pods.remove(pod)  # no request is sent to it any more
            threading.Timer(1, pod.end).start()

    @property
    def ready(self) -> list[Pod]:
        return [pod for pod in self.pods if pod.ready]


class KServe:
    """Runs in a thread while it is entered.

    Args:
        api: A configured client with all rights in the namespace.
        namespace: Where it looks after InferenceServices.
        objects: Where it downloads from.
        folder: For what it downloads.
        key: Path of the public key that is mounted into pods.
    """

    def __init__(
        self, api: client.ApiClient, namespace: str, objects: Objects, folder: Path, key: str
    ):
        self.core, self.custom = client.CoreV1Api(api), client.CustomObjectsApi(api)
        self.namespace, self.objects, self.folder, self.key = namespace, objects, folder, key
        self.deployments: dict[str, Deployment] = {}
        self.weights: list[tuple[int, Deployment]] = []  # where the front door leads
        self.violations: list[str] = []
        self.says_ready: Lie = lambda name: False
        self.never_ready: Lie = lambda name: False
        self.spoil: Callable[[str], dict[str, str]] = lambda name: {}
        self._addresses = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "KServe":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        time.sleep(1.5)  # for pods that are going already
        for deployment in self.deployments.values():
            for pod in deployment.pods:
                pod.end()

    def address(self) -> str:
        """Return an address that no other pod has."""
        self._addresses += 1
        return f"127.88.{self._addresses // 250}.{self._addresses % 250 + 1}"

    def _run(self) -> None:
        while not self._ended.wait(0.2):
            found = self.custom.list_namespaced_custom_object(*KIND[:2], self.namespace, KIND[2])
            if not found["items"]:
                self._remove_all_but(set())
                self.weights = []
            for service in found["items"]:
                self._reconcile(service)

    def _reconcile(self, service: dict[str, Any]) -> None:
        name, spec = service["metadata"]["name"], service["spec"]
        self.violations += violations(service)
        shared = service["metadata"].get("annotations") or {}
        canaries = []
        for canary in spec.get("canary") or []:
            merged = merge(spec["predictor"], canary["predictor"])
            deployment = self._deployment(deployment_name(name, merged))
            asked = canary["predictor"].get("minReplicas")
            share = -(-spec["predictor"].get("minReplicas", 1) * canary["trafficPercent"] // 100)
            count = share if asked is None else asked
            deployment.follow(template(merged, shared), count)
            ready = bool(deployment.ready) and not self.never_ready(deployment.name)
            ready = ready or self.says_ready(deployment.name)
            canaries.append((canary, deployment, ready, count))
        lent = sum(count for _, _, ready, count in canaries if ready)
        replicas = spec["predictor"].get("minReplicas", 1)
        stable = self._deployment(deployment_name(name, spec["predictor"]))
        stable.follow(
            template(spec["predictor"], shared), max(replicas - lent, 1) if lent else replicas
        )
        self._remove_all_but({stable.name, *(each[1].name for each in canaries)})
        self._route(stable, canaries)
        self._write_status(service, stable, canaries)

    def _deployment(self, name: str) -> Deployment:
        if name not in self.deployments:
            self.deployments[name] = Deployment(self, name)
            port = {"port": 80, "targetPort": PORT, "protocol": "TCP"}
            selector = {"app": f"isvc.{name}"}
            body = {
                "metadata": {"name": name},
                "spec": {"clusterIP": "None", "selector": selector, "ports": [port]},
            }
            self.core.create_namespaced_service(self.namespace, body)
        return self.deployments[name]

    def _remove_all_but(self, names: set[str]) -> None:
        for name in set(self.deployments) - names:
            self.core.delete_namespaced_service(name, self.namespace)
            self.deployments.pop(name).keep([])

    def _route(self, stable: Deployment, canaries: list[Any]) -> None:
        ready = [(canary["trafficPercent"], each) for canary, each, is_ready, _ in canaries
                 if is_ready]  # fmt: skip
        left = 100 - sum(percent for percent, _ in ready)
        self.weights = [(left, stable), *ready]

    def _write_status(
        self, service: dict[str, Any], stable: Deployment, canaries: list[Any]
    ) -> None:
        good = bool(stable.ready)
        told = [condition(kind, good) for kind in ("IngressReady", "PredictorReady", "Ready")]
        if canaries:
            told.append(condition("CanaryPredictorReady", all(each[2] for each in canaries)))
        url = f"http://{service['metadata']['name']}-{self.namespace}.example.com"
        status = {
            "deploymentMode": "Standard",
            "observedGeneration": stable.generation,
            "conditions": told,
            "url": url,
            "components": {"predictor": {"url": url.replace("http://", "http://predictor-")}},
            "canaryStatuses": [
                {
                    "name": canary["predictor"]["name"],
                    "ready": ready,
                    "trafficPercent": canary["trafficPercent"],
                }
                for canary, _, ready, _ in canaries
            ],
        }
        if without_times(service.get("status", {})) == without_times(status):
            return
        body = service | {"status": status}
        try:
            self.custom.replace_namespaced_custom_object_status(
                *KIND[:2], self.namespace, KIND[2], service["metadata"]["name"], body
            )
        except client.ApiException as error:
            if error.status not in (404, 409):  # it changed meanwhile: next time
                raise


def template(predictor: dict[str, Any], shared: dict[str, str]) -> dict[str, Any]:
    """Return what makes pods: the predictor, without its scaling and its name."""
    kept = {key: value for key, value in predictor.items() if key not in (*SCALING, "name")}
    return kept | {"annotations": shared | (predictor.get("annotations") or {})}


def merge(stable: dict[str, Any], canary: dict[str, Any]) -> dict[str, Any]:
    """Lay a canary's fields over the stable ones: maps by key, everything else whole."""
    merged = deepcopy(stable)
    for name, value in canary.items():
        old = merged.get(name)
        merged[name] = merge(old, value) if isinstance(value, dict) and old else value
    return merged


def deployment_name(service: str, predictor: dict[str, Any]) -> str:
    """Return `<service>[-<name>]-predictor`."""
    return "-".join(part for part in (service, predictor.get("name"), "predictor") if part)


def violations(service: dict[str, Any]) -> list[str]:
    """Return which of its webhook's rules a spec breaks."""
    stable, canaries = service["spec"]["predictor"], service["spec"].get("canary") or []
    mode = service["metadata"].get("annotations", {}).get("serving.kserve.io/deploymentMode")
    names = [each["predictor"].get("name") for each in canaries]
    uris = [each for each in stable["containers"][0]["env"] if each["name"] == "STORAGE_URI"]
    broken = [
        (mode == "Standard", "canary outside Standard mode"),
        (uris, "canary without a stable storage uri"),
        (all(names) and len(set(names)) == len(names), "canary names missing or twice"),
        (stable.get("name") not in names, "canary named as the stable one"),
        (sum(each["trafficPercent"] for each in canaries) <= 100, "more than 100 percent"),
        *((not set(each["predictor"]) & {"maxReplicas", "scaleTarget", "scaleMetric"},
           "canary with autoscaling") for each in canaries),
        *((each["predictor"].get("minReplicas", 0) <= stable.get("minReplicas", 1),
           "canary with more replicas than the stable one") for each in canaries),
    ]  # fmt: skip
    return [rule for holds, rule in broken if canaries and not holds]


def condition(kind: str, good: bool) -> dict[str, str]:
    return {
        "type": kind,
        "status": str(good),
        "lastTransitionTime": datetime.now(UTC)
        .isoformat(timespec="seconds")
        .replace("+00:00", "Z"),
    }


def without_times(status: dict[str, Any]) -> str:
    kept = deepcopy(status)
    for each in kept.get("conditions", []):
        each.pop("lastTransitionTime", None)
    return json.dumps(kept, sort_keys=True)


class ClusterDns(httpx.BaseTransport):
    """Finds `<service>.<namespace>.svc` as the cluster's DNS does for headless services."""

    def __init__(self, core: client.CoreV1Api):
        self._core, self._transport = core, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        name, _, rest = request.url.host.partition(".")
        if rest.endswith(".svc"):
            request.url = request.url.copy_with(host=self._pod(name, rest.removesuffix(".svc")))
        return self._transport.handle_request(request)

    def _pod(self, service: str, namespace: str) -> str:
        try:
            found = self._core.read_namespaced_service(service, namespace)
        except client.ApiException as error:
            raise httpx.ConnectError(f"{service} is not known") from error
        selector = ",".join(f"{key}={value}" for key, value in found.spec.selector.items())
        pods = self._core.list_namespaced_pod(namespace, label_selector=selector).items
        ready = [
            pod.status.pod_ip for pod in pods
            if any(each.type == "Ready" and each.status == "True"
                   for each in pod.status.conditions or [])
        ]  # fmt: skip
        if not ready:
            raise httpx.ConnectError(f"{service} has no ready pod")
        return ready[0]
