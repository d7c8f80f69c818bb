"""The namespace that the proof runs in, through KUBECONFIG: what is there, and what pods say."""

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import urllib3
from kubernetes import client, config

from components.shared.contracts.errors import UserError

NEEDED = {
    "service_account": ("car-pipeline",),
    "secret": ("car-database", "car-objects", "car-deployer", "car-launcher", "car-trigger"),
    "config_map": ("car-objects", "car-stream", "car-detector", "car-kubeflow"),
}
POLICY = "prove-kubeflow-to-stream"
RUN = "pipeline/runid"  # the label of a run's pods
COMPONENT = "pipelines.kubeflow.org/v2_component"
SECONDS = 30
MISSING = 404


class Namespace:
    """One namespace of a cluster.

    Args:
        name: Such as `car-detection`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            api = config.new_client_from_config()
        except config.ConfigException as cause:
            raise UserError(f"KUBECONFIG names no cluster: {cause}") from cause
        self._core, self._network = client.CoreV1Api(api), client.NetworkingV1Api(api)

    def missing(self) -> list[str]:
        """Return what an installation has, and is not here."""
        return [
            f"{kind.replace('_', ' ')} {name}"
            for kind, names in NEEDED.items()
            for name in names
            if not self._is_there(kind, name)
        ]

    def apply(self, overlay: str) -> None:
        self._kubectl("apply", "--kustomize", overlay)

    def delete(self, overlay: str) -> None:
        self._kubectl("delete", "--ignore-not-found", "--kustomize", overlay)

    def open_stream(self, run: str) -> bool:
        """Let the pods of one run write to the stream, if a policy forbids them to.

        Where none does, nothing is made: the first policy that selects a pod forbids it
        everything else.

        Args:
            run: The run's id.

        Returns:
            Whether a policy was made.
        """
        self.close_stream()
        with _asking():
            policies = self._network.list_namespaced_network_policy(
                self.name, _request_timeout=SECONDS
            ).items
            if not is_isolated(policies, {COMPONENT: "true", RUN: run}):
                return False
            stream = self._core.read_namespaced_config_map(
                "car-stream", self.name, _request_timeout=SECONDS
            )
            self._network.create_namespaced_network_policy(
                self.name,
                stream_policy(run, stream.data["bootstrap_servers"]),
                _request_timeout=SECONDS,
            )
        return True

    def close_stream(self) -> None:
        with _asking():
            try:
                self._network.delete_namespaced_network_policy(
                    POLICY, self.name, _request_timeout=SECONDS
                )
            except client.ApiException as error:
                if error.status != MISSING:
                    raise

    def log(self, run: str) -> str:
        """Return what the tasks of a run printed, as far as their pods are still there."""
        with _asking():
            pods = self._core.list_namespaced_pod(
                self.name, label_selector=f"{RUN}={run}", _request_timeout=SECONDS
            ).items
            return "\n".join(self._said(pod) for pod in pods)

    def _said(self, pod: client.V1Pod) -> str:
        if "main" not in [container.name for container in pod.spec.containers]:
            return ""
        try:
            return self._core.read_namespaced_pod_log(
                pod.metadata.name, self.name, container="main", _request_timeout=SECONDS
            )
        except client.ApiException:
            return ""  # its node has forgotten it

    def _is_there(self, kind: str, name: str) -> bool:
        with _asking():
            try:
                read = getattr(self._core, f"read_namespaced_{kind}")
                read(name, self.name, _request_timeout=SECONDS)
            except client.ApiException as error:
                if error.status != MISSING:
                    raise
                return False
        return True

    def _kubectl(self, *words: str) -> None:
        done = subprocess.run(["kubectl", *words], capture_output=True, text=True)
        if done.returncode:
            raise UserError(f"kubectl {' '.join(words)}: {done.stderr.strip()[:500]}")


def is_isolated(policies: Iterable[client.V1NetworkPolicy], labels: Mapping[str, str]) -> bool:
    """Return whether a policy restricts what pods with some labels may connect to."""
    return any(
        "Egress" in (policy.spec.policy_types or [])
        and not policy.spec.pod_selector.match_expressions
        and (policy.spec.pod_selector.match_labels or {}).items() <= labels.items()
        for policy in policies
    )


def stream_policy(run: str, bootstrap_servers: str) -> dict[str, Any]:
    """Return the policy that lets the pods of one run connect to the stream's own ports."""
    servers = [server.strip() for server in bootstrap_servers.split(",")]
    ports = sorted({int(server.rpartition(":")[2]) for server in servers})
    return {
        "metadata": {"name": POLICY},
        "spec": {
            "podSelector": {"matchLabels": {RUN: run}},
            "policyTypes": ["Egress"],
            "egress": [{"ports": [{"protocol": "TCP", "port": port} for port in ports]}],
        },
    }


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except client.ApiException as error:
        raise UserError(f"the API server says {error.status}: {str(error.body)[:300]}") from error
    except urllib3.exceptions.HTTPError as error:
        raise UserError(f"no API server answers: {str(error)[:200]}") from error
