"""Delete orphaned HorizontalPodAutoscalers of an InferenceService.

KServe removes the Deployment and the Service of a predictor that its spec does not name any
more, but leaves its HorizontalPodAutoscaler, which then complains every 15 s.
"""

from components.shared.cluster.client import Cluster, ClusterError, Kind
from components.shared.contracts.progress import log_progress

AUTOSCALERS = Kind("autoscaling", "v2", "horizontalpodautoscalers")


def remove_orphans(cluster: Cluster, service: str, expected: set[str]) -> list[str]:
    """Delete the autoscalers of an InferenceService whose Deployment is not expected.

    Args:
        cluster: The cluster.
        service: Name of the InferenceService that owns them.
        expected: Names of the Deployments that it has.

    Returns:
        Names of the deleted autoscalers. Missing rights are logged, and stop no rollout.
    """
    removed = []
    try:
        for found in cluster.objects(AUTOSCALERS):
            owners = found["metadata"].get("ownerReferences") or []
            is_owned = any((each["kind"], each["name"]) == ("InferenceService", service)
                       for each in owners)  # fmt: skip
            if is_owned and found["spec"]["scaleTargetRef"]["name"] not in expected:
                cluster.delete(AUTOSCALERS, found["metadata"]["name"])
                removed.append(found["metadata"]["name"])
    except ClusterError as cause:
        log_progress(f"autoscalers that scale nothing any more may be left: {cause}")
    return removed
