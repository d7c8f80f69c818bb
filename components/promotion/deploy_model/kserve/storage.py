"""Check that Pod Security admits the storage initializer container of predictor pods.

KServe adds that container to each pod, and takes its security context from a
ClusterStorageContainer alone (https://github.com/kserve/kserve/pull/3985). Without one the
Pod Security Standard `restricted` refuses the pod.
"""

from typing import Any

from components.promotion.deploy_model.kserve.names import GROUP
from components.shared.cluster.client import Body, Cluster, Kind

CONTAINERS = Kind(GROUP, "v1alpha1", "clusterstoragecontainers")
ENFORCED = "pod-security.kubernetes.io/enforce"
PATCH = (
    "kubectl patch clusterstoragecontainer default --type=merge --patch-file "
    "manifests/kserve-storage/clusterstoragecontainer-default.yaml"
)


def complaint(cluster: Cluster, name: str | None, *, known: bool) -> str | None:
    """Return why predictor pods would not be admitted or not get their files, or None.

    Args:
        cluster: The cluster.
        name: ClusterStorageContainer of the predictors; None lets KServe choose.
        known: Whether the API server knows the field `storageContainerName`.
    """
    if name and not known:
        return (
            "KServe here does not know storageContainerName, it came with 0.20: leave "
            f"storage_container out of DETECTOR_PREDICTOR, and {PATCH}"
        )
    found = cluster.shared(CONTAINERS, name or "default")
    if name and not found:
        return (
            f"there is no ClusterStorageContainer {name}, or the deployer's account may not get "
            "it: kubectl apply -k manifests/kserve-storage"
        )
    if (cluster.labels() or {}).get(ENFORCED) != "restricted" or found is None:
        return None
    return None if is_restricted(found) else (
        f"namespace {cluster.namespace} enforces Pod Security restricted, and "
        f"ClusterStorageContainer {name or 'default'} has no such security context: set "
        f"storage_container in DETECTOR_PREDICTOR (manifests/kserve-storage), or {PATCH}"
    )  # fmt: skip


def is_restricted(found: Body) -> bool:
    """Return whether the Pod Security Standard `restricted` admits a storage container."""
    context: dict[str, Any] = found["spec"]["container"].get("securityContext") or {}
    return (
        context.get("allowPrivilegeEscalation") is False
        and context.get("runAsNonRoot") is True
        and "ALL" in (context.get("capabilities") or {}).get("drop", [])
        and (context.get("seccompProfile") or {}).get("type") in ("RuntimeDefault", "Localhost")
    )
