"""Classify pods of a predictor: ready, failed, not startable, unscheduled or evicted.

Only a failure of its own server counts against a model. A pod that is not admitted, not
scheduled, without its image or its files, drained or evicted is a fault of the cluster.
"""

from collections.abc import Iterator

from components.promotion.deploy_model.kserve.names import SERVER
from components.shared.cluster.objects import ContainerStatus, Pod

WAITING = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError")
REMOVED = ("Evicted", "NodeLost", "NodeShutdown", "Preempting", "Shutdown", "Terminated")
MAX_CHARS = 500  # of the message of a container


def is_ready(pod: Pod) -> bool:
    """Return whether a pod is ready and has an address."""
    conditions = pod.status.conditions or []
    ready = any(each.type == "Ready" and each.status == "True" for each in conditions)
    return bool(ready and pod.status.pod_ip and not pod.metadata.deletion_timestamp)


def restarts(pod: Pod) -> int:
    """Return the number of container restarts of a pod."""
    return sum(each.restart_count for each in pod.status.container_statuses or [])


def has_run(pods: list[Pod]) -> bool:
    """Return whether the server of any pod was started."""
    return any(
        each.name == SERVER and each.state and (each.state.running or each.state.terminated)
        for pod in pods
        for each in pod.status.container_statuses or []
    )


def failure(pods: list[Pod]) -> str | None:
    """Return the message of a crashed server, or None."""
    # A pod that is being stopped may exit with an error.
    kept = [pod for pod in pods if not removal(pod)]
    return next((words for pod in kept for words in _ends(pod.status.container_statuses)), None)


def hindrance(pods: list[Pod]) -> str | None:
    """Return why containers cannot be started, or None."""
    return next((words for pod in pods for words in _hindrances(pod)), None)


def unscheduled(pods: list[Pod]) -> str | None:
    """Return why a pod is not scheduled yet, or None; a node may still be added."""
    for pod in pods:
        for each in pod.status.conditions or []:
            if each.type == "PodScheduled" and each.status == "False":
                return f"pod {pod.metadata.name} has no node: {each.message or each.reason}"
    return None


def removal(pod: Pod) -> str | None:
    """Return why a pod is evicted or deleted, or None."""
    name = pod.metadata.name
    if pod.status.reason in REMOVED:
        return f"pod {name} was taken away ({pod.status.reason}: {pod.status.message or '-'})"
    for each in pod.status.conditions or []:
        if each.type == "DisruptionTarget" and each.status == "True":
            return f"pod {name} was taken away ({each.reason}: {each.message or '-'})"
    return f"pod {name} was deleted" if pod.metadata.deletion_timestamp else None


def _hindrances(pod: Pod) -> Iterator[str]:
    init = pod.status.init_container_statuses or []
    for each in [*init, *(pod.status.container_statuses or [])]:
        waiting = each.state.waiting if each.state else None
        if waiting and waiting.reason in WAITING:
            yield f"{each.name}: {waiting.reason}: {waiting.message or ''}"[:MAX_CHARS]
    yield from _ends(init)


def _ends(containers: list[ContainerStatus] | None) -> Iterator[str]:
    """Yield the messages of containers that ended with an error and are not ready."""
    for each in containers or []:
        if each.ready:
            continue
        last = each.last_state.terminated if each.last_state else None
        now = each.state.terminated if each.state else None
        ended = last if each.restart_count and last else now
        if ended and ended.exit_code:
            lines = (ended.message or ended.reason or "").strip().splitlines()
            yield f"{each.name} ended with {ended.exit_code}: {' '.join(lines[-3:])[-MAX_CHARS:]}"
