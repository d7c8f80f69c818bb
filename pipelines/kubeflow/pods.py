"""Reasons why pods of a run are pending, from the cluster that KUBECONFIG names."""

import os
from collections.abc import Iterator

from components.shared.cluster.client import Cluster, ClusterError
from components.shared.cluster.objects import Pod
from components.shared.kubeflow.tasks import STARTING

RUN = "pipeline/runid"  # the label that Kubeflow Pipelines gives each pod of a run


def waiting_pods(run_id: str, namespace: str = "") -> list[str]:
    """Return why pods of a run are pending, a line each; nothing without a cluster.

    Args:
        run_id: Id of the run.
        namespace: Namespace of its pods; empty takes KFP_NAMESPACE, and else searches all.
    """
    if not os.environ.get("KUBECONFIG"):
        return []
    place = namespace or os.environ.get("KFP_NAMESPACE", "")
    try:
        cluster = Cluster.connect("car-trigger", place)
        found = cluster.pods(f"{RUN}={run_id}", everywhere=not place)
    except ClusterError as error:
        return [f"KUBECONFIG cannot tell whether pods wait: {' '.join(str(error).split())[:200]}"]
    return [line for pod in found for line in _reasons(pod)]


def _reasons(pod: Pod) -> Iterator[str]:
    if pod.status.phase != "Pending":
        return
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            yield f"pod {pod.metadata.name} waits: {condition.reason}: {condition.message}"
    containers = [
        *(pod.status.init_container_statuses or []),
        *(pod.status.container_statuses or []),
    ]
    for container in containers:
        waiting = container.state.waiting if container.state else None
        if waiting and waiting.reason not in STARTING:
            message = f": {waiting.message}" if waiting.message else ""
            yield f"pod {pod.metadata.name} waits: {waiting.reason}{message}"
