"""A change to an object of a cluster, as someone else than our jobs would make it."""

from collections.abc import Mapping
from typing import Any

from kubernetes import client

from components.shared.cluster.client import Cluster, Kind


def merge(cluster: Cluster, kind: Kind, name: str, change: Mapping[str, Any]) -> None:
    """Merge a change into an object, as JSON merge patch (RFC 7396) does.

    Args:
        cluster: Whose namespace it is in; `needs.need_cluster` has connected to it.
        kind: Of the object.
        name: Of the object.
        change: What becomes different.
    """
    client.CustomObjectsApi().patch_namespaced_custom_object(
        kind.group, kind.version, cluster.namespace, kind.plural, name, change,
        _request_timeout=30,
    )  # fmt: skip
