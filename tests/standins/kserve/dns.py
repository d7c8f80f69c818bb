"""The cluster's DNS, for a client of `httpx`."""

import httpx
from kubernetes import client


class ClusterDns(httpx.BaseTransport):
    """Finds `<service>.<namespace>.svc` as the cluster's DNS does for headless services."""

    def __init__(self, core: client.CoreV1Api) -> None:
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
        return str(ready[0])
