"""Pods and Deployments as Kubernetes has them, without its scheduler, kubelet and controllers."""

import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
from kubernetes import client

from tests.standins.kserve.rules import Body, refusal, storage_container
from tests.standins.kserve.servers import Server, forget

if TYPE_CHECKING:
    from tests.standins.kserve.controller import KServe

PORT = 8080


class Pod:
    """One server, and the pod that the API server knows of it."""

    def __init__(self, operator: "KServe", deployment: str, template: Body, ip: str) -> None:
        self.operator, self.deployment, self.template, self.ip = operator, deployment, template, ip
        self.name = f"{deployment}-{ip.replace('.', '-')}"
        self.folder = operator.folder / self.name
        self.ready = False
        self.server: Server | None = None
        self._create()
        self._start()

    def look(self) -> None:
        """Probe it, and tell the API server what changed."""
        ready = not self.operator.never_ready(self.deployment) and self._answers()
        ended = self.server.exit_code() if self.server else None
        if not (ready and self.ready):
            self._tell(ready, ended or None)
        self.ready = ready

    def leave(self) -> None:
        """Take the pod out of its Service, as Kubernetes does before it stops the server."""
        with suppress(client.ApiException):
            self.operator.core.delete_namespaced_pod(
                self.name, self.operator.namespace, grace_period_seconds=0
            )

    def end(self) -> None:
        """Stop the server and forget the pod."""
        self.leave()
        if self.server:
            self.server.stop()
        forget(self.folder)

    def _create(self) -> None:
        labels = {"app": f"isvc.{self.deployment}", "component": "predictor"}
        body = {
            "metadata": {
                "name": self.name,
                "labels": labels | (self.template.get("labels") or {}),
                "annotations": self.template.get("annotations") or {},
            },
            # Nobody schedules it: the server runs here.
            "spec": {
                "schedulerName": "stand-in",
                "containers": [{"name": "kserve-container", "image": "stand-in"}],
                "automountServiceAccountToken": False,
            },
        }
        self.operator.core.create_namespaced_pod(self.operator.namespace, body)

    def _start(self) -> None:
        container = self.template["containers"][0]
        (uri,) = (each["value"] for each in container["env"] if each["name"] == "STORAGE_URI")
        if words := self.operator.init_fails(self.deployment):
            return self._tell(False, None, init=words)
        if words := self.operator.unschedulable(self.deployment):
            return self._tell(False, None, pending=words)
        objects = self.operator.objects
        objects.get_folder(objects.key(uri), self.folder / "models")
        env = {"SIGNING_PUBLIC_KEY": self.operator.key} | self.operator.spoil(self.deployment)
        self.server = self.operator.container(self.folder, self.ip, PORT, container, env)
        return None

    def _answers(self) -> bool:
        if self.server is None or self.server.exit_code() is not None:
            return False
        try:
            return httpx.get(f"http://{self.ip}:{PORT}/v2/health/ready", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def _tell(
        self, ready: bool, ended: int | None, *, init: str = "", pending: str = ""
    ) -> None:  # fmt: skip
        now = datetime.now(UTC).isoformat()
        if init or pending or self.server is None:
            if not (init or pending):
                return
            status = unstarted(init, pending)
        else:
            words = self.server.last_words() if ended else ""
            last = {"terminated": {"exitCode": ended, "message": words}} if ended else {}
            status = {
                "phase": "Running", "podIP": self.ip, "podIPs": [{"ip": self.ip}],
                "conditions": [{"type": "Ready", "status": str(ready)}],
                "containerStatuses": [{
                    "name": "kserve-container", "ready": ready, "restartCount": int(bool(ended)),
                    "image": "stand-in", "imageID": "", "state": {"running": {"startedAt": now}},
                    "lastState": last,
                }],
            }  # fmt: skip
        with suppress(client.ApiException):  # it was deleted meanwhile
            self.operator.core.patch_namespaced_pod_status(
                self.name, self.operator.namespace, {"status": status}
            )


def unstarted(init: str, pending: str) -> Body:
    """Return the status of a pod whose server was never started."""
    if pending:
        why = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        return {"phase": "Pending", "conditions": [why | {"message": pending}]}
    return {
        "phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}],
        "initContainerStatuses": [{
            "name": "storage-initializer", "ready": False, "restartCount": 1, "image": "stand-in",
            "imageID": "", "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "message": init}},
        }],
    }  # fmt: skip


class Deployment:
    """Pods of one template; a new template is rolled out before the old pods go."""

    def __init__(self, operator: "KServe", name: str) -> None:
        self.operator, self.name = operator, name
        self.pods: list[Pod] = []
        self.generation = self.replicas = 0
        self.most = 0  # pods that it ever had at once
        self.refused: str | None = None

    def follow(self, template: Body, replicas: int) -> None:
        """Have as many pods of a template, and never fewer ready ones than before."""
        self.replicas = replicas
        current = [pod for pod in self.pods if pod.template == template]
        if not current:
            self.generation += 1
        self.refused = None if len(current) >= replicas else self._forbidden(template)
        while len(current) < replicas and not self.refused:
            pod = Pod(self.operator, self.name, template, self.operator.address())
            self.pods.append(pod)
            current.append(pod)
        self.most = max(self.most, len(self.pods))
        self._forget_deleted()
        for pod in self.pods:
            pod.look()
        # As a ReplicaSet does: those that are not ready go first, then the youngest.
        kept = sorted(current, key=lambda pod: not pod.ready)[:replicas]
        whole = sum(pod.ready for pod in kept) >= replicas
        self.keep(kept if whole else [*kept, *(each for each in self.pods if each not in current)])

    def keep(self, pods: list[Pod]) -> None:
        for pod in [each for each in self.pods if each not in pods]:
            self.pods.remove(pod)  # no request is sent to it any more
            pod.leave()
            threading.Timer(1, pod.end).start()

    @property
    def ready(self) -> list[Pod]:
        return [pod for pod in self.pods if pod.ready]

    @property
    def available(self) -> bool:
        """Say whether no replica is missing: of fewer than four, none may be."""
        return not self.refused and len(self.ready) >= self.replicas - self.replicas // 4

    def conditions(self) -> list[Body]:
        told = [{"type": "Available", "status": str(self.available)}]
        failed = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
        return told + ([failed | {"message": self.refused}] if self.refused else [])

    def _forbidden(self, template: Body) -> str | None:
        if not self.operator.restricted():
            return None
        try:
            return refusal(f"{self.name}-0", storage_container(template, self.operator.storage()))
        except LookupError as error:
            return f"admission webhook denied the request: {error.args[0]}"

    def _forget_deleted(self) -> None:
        """Let pods go that someone deleted from the API server, such as a drain."""
        found = self.operator.core.list_namespaced_pod(
            self.operator.namespace, label_selector=f"app=isvc.{self.name}"
        )
        there: set[Any] = {pod.metadata.name for pod in found.items}
        for pod in [each for each in self.pods if each.name not in there]:
            self.pods.remove(pod)
            pod.end()
