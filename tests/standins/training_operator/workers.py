"""The pods and services of workers, by the job that owns them."""

from collections.abc import Callable
from typing import Any

from kubernetes import client

PORT = 2222
UNKNOWN_EXIT = 0xBEEF  # what the operator takes for the exit of a pod that no container ended
INDEX = "batch.kubernetes.io/job-completion-index"
TF_INDEX = "training.kubeflow.org/replica-index"

# The shell command of a worker's n-th life, counted from 0, in place of its own; None leaves it.
Script = Callable[[int, int], str | None]


class Workers:
    """Makes and removes the workers of one namespace.

    Args:
        api: A configured client with all rights in the namespace.
        namespace: Where they are.
        script: What they do instead of training.
    """

    def __init__(self, api: client.ApiClient, namespace: str, script: Script | None):
        self.core, self.custom = client.CoreV1Api(api), client.CustomObjectsApi(api)
        self.namespace, self.script = namespace, script or (lambda index, life: None)
        self.lives: dict[tuple[str, int], int] = {}

    def of(self, job) -> dict[int, Any]:
        """Return the pods that belong to a job by their index; those that are going count."""
        uid, name = job["metadata"]["uid"], job["metadata"]["name"]
        found = self.core.list_namespaced_pod(self.namespace).items
        return {
            int(pod.metadata.labels.get(INDEX) or pod.metadata.labels[TF_INDEX]): pod
            for pod in found
            if any(one.uid == uid for one in pod.metadata.owner_references or ())
            and name in pod.metadata.name
        }

    def make(self, job, made, index) -> None:
        """Create a pod, whose life is counted."""
        pod, container = made
        key = (job["metadata"]["uid"], index)
        if instead := self.script(index, self.lives.get(key, 0)):
            container["command"] = ["sh", "-c", instead]
        pod["spec"]["restartPolicy"] = "Never"
        pod["metadata"]["ownerReferences"] = [_owner(job)]
        self.core.create_namespaced_pod(self.namespace, pod)
        self.lives[key] = self.lives.get(key, 0) + 1

    def service(self, job, name, selector, **more) -> None:
        """Create a headless service, unless it is there."""
        body = {
            "metadata": {"name": name, "ownerReferences": [_owner(job)]},
            "spec": {
                "clusterIP": "None", "selector": selector,
                "ports": [{"name": "workers", "port": PORT}], **more,
            },
        }  # fmt: skip
        try:
            self.core.create_namespaced_service(self.namespace, body)
        except client.ApiException as error:
            if error.status != 409:
                raise

    def remove(self, pods) -> None:
        """Delete pods that are not being deleted already."""
        for pod in list(pods):
            if not pod.metadata.deletion_timestamp:
                self.core.delete_namespaced_pod(
                    pod.metadata.name, self.namespace, grace_period_seconds=1
                )


def _owner(job) -> dict[str, Any]:
    return {
        "apiVersion": job["apiVersion"], "kind": job["kind"], "name": job["metadata"]["name"],
        "uid": job["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True,
    }  # fmt: skip


def exit_code(pod) -> int:
    """Return the exit code of a pod, as the operator reads it."""
    for one in pod.status.container_statuses or ():
        if one.state.terminated:
            return int(one.state.terminated.exit_code)
    return UNKNOWN_EXIT
