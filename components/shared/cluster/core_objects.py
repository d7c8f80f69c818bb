"""Read pods, logs, services, config maps and the namespace by the Kubernetes API."""

from collections.abc import Iterator
from typing import Any

from kubernetes import client

from components.shared.cluster.errors import cluster_errors
from components.shared.cluster.objects import Pod, Service

ABSENT, FORBIDDEN = frozenset({404}), frozenset({403})
TIMEOUT_S = 30  # of one request
LOG_TIMEOUT_S = 600  # without a line, until a followed log counts as cut off


class CoreObjects:
    """Reader of the core objects of one namespace.

    Args:
        api: A configured client of the `kubernetes` package.
        namespace: Namespace of all objects.
    """

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self.namespace = namespace
        self._core = client.CoreV1Api(api)

    def labels(self) -> dict[str, str] | None:
        """Return the labels of the namespace, or None if they may not be read."""
        read = self._core.read_namespace
        with cluster_errors(f"namespace {self.namespace}"):
            found = none_at(ABSENT | FORBIDDEN, read, self.namespace, _request_timeout=TIMEOUT_S)
        return None if found is None else dict(found.metadata.labels or {})

    def pods(self, selector: str, *, everywhere: bool = False) -> list[Pod]:
        """Return the pods (`V1Pod`) that match a label selector, of this or of every namespace.

        Args:
            selector: Label selector.
            everywhere: Whether pods of every namespace are listed.
        """
        chosen = {"label_selector": selector, "_request_timeout": TIMEOUT_S}
        with cluster_errors(f"pods {selector}"):
            if everywhere:
                return list(self._core.list_pod_for_all_namespaces(**chosen).items)
            return list(self._core.list_namespaced_pod(self.namespace, **chosen).items)

    def service(self, name: str) -> Service | None:
        """Return a service (`V1Service`), or None if there is none."""
        with cluster_errors(f"service {name}"):
            try:
                return self._core.read_namespaced_service(
                    name, self.namespace, _request_timeout=TIMEOUT_S
                )
            except client.ApiException as error:
                if error.status == 404:
                    return None
                raise

    def pod(self, name: str) -> Pod:
        """Return one pod (`V1Pod`)."""
        with cluster_errors(f"pod {name}"):
            return self._core.read_namespaced_pod(name, self.namespace, _request_timeout=TIMEOUT_S)

    def tail_log(self, pod: str, container: str, lines: int) -> str:
        """Return the last lines of a container's log, or nothing if the pod is gone.

        Args:
            pod: Name of the pod.
            container: Name of the container.
            lines: Maximum number of lines.
        """
        with cluster_errors(f"log of pod {pod}"):
            try:
                log = self._core.read_namespaced_pod_log(
                    pod, self.namespace, container=container, tail_lines=lines,
                    _request_timeout=TIMEOUT_S,
                )  # fmt: skip
            except client.ApiException as error:
                if error.status == 404:
                    return ""
                raise
        return str(log)

    def log(self, pod: str, container: str, since_seconds: int | None = None) -> Iterator[str]:
        """Follow the log of a container: yield its lines until it ends.

        Args:
            pod: Name of the pod.
            container: Name of the container.
            since_seconds: Maximum age of the first line, in seconds; None reads all.
        """
        with cluster_errors(f"log of pod {pod}"):
            answer = self._core.read_namespaced_pod_log(
                pod, self.namespace, container=container, follow=True,
                since_seconds=since_seconds, _preload_content=False,
                _request_timeout=(TIMEOUT_S, LOG_TIMEOUT_S),
            )  # fmt: skip
            rest = b""
            for piece in answer.stream():
                *lines, rest = (rest + piece).split(b"\n")
                yield from (line.decode(errors="replace") for line in lines)
            if rest:
                yield rest.decode(errors="replace")

    def config_map(self, namespace: str, name: str) -> dict[str, str] | None:
        """Return the data of a config map, or None if it does not exist or may not be read.

        Args:
            namespace: Its namespace.
            name: Its name.
        """
        with cluster_errors(f"config map {name}"):
            try:
                found = self._core.read_namespaced_config_map(
                    name, namespace, _request_timeout=TIMEOUT_S
                )
            except client.ApiException as error:
                if error.status in (403, 404):
                    return None
                raise
        return dict(found.data or {})


def none_at(statuses: frozenset[int], ask: Any, *words: Any, **options: Any) -> Any:
    """Call the API, and return None if it answers with one of some HTTP statuses.

    Args:
        statuses: HTTP statuses, 400 to 599.
        ask: Method of the `kubernetes` package.
        *words: Its arguments.
        **options: Its keyword arguments.
    """
    try:
        return ask(*words, **options)
    except client.ApiException as error:
        if error.status in statuses:
            return None
        raise
