"""Kubernetes API client: get, list, create, replace and delete custom resources.

KUBECONFIG names a cluster from outside. Inside one, a task acts under the account whose
token is mounted at `/var/run/secrets/<account>`, and else under its pod's own.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kubernetes import client, config
from kubernetes.config.incluster_config import (
    SERVICE_TOKEN_FILENAME,
    InClusterConfigLoader,
)

from components.shared.cluster.core_objects import (
    ABSENT,
    FORBIDDEN,
    TIMEOUT_S,
    CoreObjects,
    none_at,
)
from components.shared.cluster.errors import ClusterError, ConflictError, cluster_errors

__all__ = ["Body", "Cluster", "ClusterError", "ConflictError", "Kind"]

TOKENS = Path("/var/run/secrets")

Body = dict[str, Any]


class Kind(NamedTuple):
    """A kind of custom resource, such as `Kind("kubeflow.org", "v1", "tfjobs")`."""

    group: str
    version: str
    plural: str


class Cluster(CoreObjects):
    """Client of the Kubernetes API for one namespace.

    Args:
        api: A configured client of the `kubernetes` package.
        namespace: Namespace of all objects.
    """

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        super().__init__(api, namespace)
        self._custom = client.CustomObjectsApi(api)

    @classmethod
    def connect(cls, account: str, namespace: str = "") -> "Cluster":
        """Return a client of the cluster that the environment names.

        Args:
            account: Service account to act under, such as `car-launcher`.
            namespace: Namespace to act in; empty takes the account's own, or `default`.

        Raises:
            ClusterError: If there is neither KUBECONFIG nor a mounted account.
        """
        try:
            settings, own = _settings(account)
        except config.ConfigException as cause:
            raise ClusterError(
                f"no cluster: {cause}; expected KUBECONFIG, or a pod with account {account}"
            ) from cause
        return cls(client.ApiClient(settings), namespace or own)

    def serves(self, kind: Kind) -> bool:
        """Return whether the API server has a kind."""
        with cluster_errors(kind.plural):
            found = none_at(ABSENT, self._custom.get_api_resources, kind.group, kind.version)
        return found is not None and any(one.name == kind.plural for one in found.resources)

    def get(self, kind: Kind, name: str) -> Body | None:
        """Return an object by its name, or None if there is none.

        Args:
            kind: Kind of the object.
            name: Its name.
        """
        with cluster_errors(f"{kind.plural} {name}"):
            found: Body | None = none_at(
                ABSENT, self._call, self._custom.get_namespaced_custom_object, kind, name
            )
        return found

    def objects(self, kind: Kind, selector: str = "") -> list[Body]:
        """Return the objects that match a label selector; none if their kind is not installed.

        Args:
            kind: Kind of the objects.
            selector: Label selector; empty selects all.
        """
        listed = self._custom.list_namespaced_custom_object
        with cluster_errors(f"{kind.plural} {selector}".strip()):
            found = none_at(ABSENT, self._call, listed, kind, label_selector=selector)
        return list(found["items"]) if found else []

    def shared(self, kind: Kind, name: str) -> Body | None:
        """Return a cluster-scoped object, or None if it does not exist or may not be read.

        Args:
            kind: Kind of the object.
            name: Its name.
        """
        with cluster_errors(f"{kind.plural} {name}"):
            found: Body | None = none_at(
                ABSENT | FORBIDDEN, self._custom.get_cluster_custom_object,
                kind.group, kind.version, kind.plural, name, _request_timeout=TIMEOUT_S,
            )  # fmt: skip
        return found

    def create(self, kind: Kind, body: Mapping[str, Any], dry_run: bool = False) -> Body:
        """Create an object and return it as stored, or as it would be.

        Args:
            kind: Kind of the object.
            body: The object.
            dry_run: Whether nothing is stored.

        Raises:
            ConflictError: If there is one of that name.
        """
        with cluster_errors(f"{kind.plural} {body['metadata']['name']}"):
            return self._call(
                self._custom.create_namespaced_custom_object, kind, body, **_dry(dry_run)
            )

    def replace(self, kind: Kind, body: Mapping[str, Any], dry_run: bool = False) -> Body:
        """Replace an object, if it is still at the `resourceVersion` of the body.

        Args:
            kind: Kind of the object.
            body: The object, with its `resourceVersion`.
            dry_run: Whether nothing is stored.

        Raises:
            ConflictError: If it is not.
        """
        name = body["metadata"]["name"]
        with cluster_errors(f"{kind.plural} {name}"):
            return self._call(
                self._custom.replace_namespaced_custom_object, kind, name, body, **_dry(dry_run)
            )

    def delete(self, kind: Kind, name: str, *, last: bool = False) -> None:
        """Delete an object and its dependents (first, if `last`); it may be gone already.

        Args:
            kind: Kind of the object.
            name: Its name.
            last: Whether its dependents are deleted before it.
        """
        with cluster_errors(f"{kind.plural} {name}"):
            try:
                self._call(
                    self._custom.delete_namespaced_custom_object, kind, name,
                    propagation_policy="Foreground" if last else "Background",
                )  # fmt: skip
            except client.ApiException as error:
                if error.status != 404:
                    raise

    def _call(self, verb: Any, kind: Kind, *rest: Any, **options: Any) -> Body:
        answer: Body = verb(
            kind.group, kind.version, self.namespace, kind.plural, *rest,
            _request_timeout=TIMEOUT_S, **options,
        )  # fmt: skip
        return answer


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dry_run": "All"} if dry_run else {}


def _settings(account: str) -> tuple[client.Configuration, str]:
    settings = client.Configuration()
    if named := os.environ.get("KUBECONFIG"):  # the library looks at it only while it is imported
        config.load_kube_config(named, client_configuration=settings)
        _, active = config.list_kube_config_contexts(named)
        return settings, str(active["context"].get("namespace", "default"))
    folder = TOKENS / account
    if not folder.exists():
        folder = Path(SERVICE_TOKEN_FILENAME).parent
    InClusterConfigLoader(str(folder / "token"), str(folder / "ca.crt")).load_and_set(settings)
    return settings, (folder / "namespace").read_text().strip()
