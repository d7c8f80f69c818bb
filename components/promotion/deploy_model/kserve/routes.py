"""Read the traffic split from the HTTPRoutes that KServe writes.

The status of an InferenceService repeats its spec. A gateway follows the HTTPRoute, and KServe
writes that last: after it has deleted a Deployment and a Service that the spec does not name
any more.
"""

from collections.abc import Iterator

from components.shared.cluster.client import Body, Cluster, Kind

ROUTES = Kind("gateway.networking.k8s.io", "v1", "httproutes")


class TrafficRoutes:
    """The HTTPRoutes of one InferenceService.

    Args:
        cluster: The cluster.
        name: Name of the InferenceService; KServe derives the names of two routes from it.
    """

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self._names = (name, f"{name}-predictor")

    def unlike(self, backend: str, percent: int) -> str | None:
        """Return how a route differs from a wanted share of a backend, or None.

        Args:
            backend: Name of a Service.
            percent: Its wanted share of the requests, 0 to 100.
        """
        found = list(self._rules())
        if not found and percent:
            return f"there is no HTTPRoute {self._names[0]}"
        for name, shares in found:
            if (share := shares.get(backend, 0)) != percent:
                return f"HTTPRoute {name} sends {share} % to {backend}, expected {percent} %"
        return None

    def shares(self) -> dict[str, int]:
        """Return the share of each backend in percent, by the first rule."""
        return next((shares for _, shares in self._rules()), {})

    def _rules(self) -> Iterator[tuple[str, dict[str, int]]]:
        for name in self._names:
            route = self._cluster.get(ROUTES, name)
            for rule in route["spec"].get("rules", ()) if route else ():
                yield name, _percent(rule)


def _percent(rule: Body) -> dict[str, int]:
    """Return the share of each backend in percent; the default weight is 1."""
    weights: dict[str, int] = {}
    for backend in rule.get("backendRefs", ()):
        weights[backend["name"]] = weights.get(backend["name"], 0) + backend.get("weight", 1)
    total = sum(weights.values())
    return {name: round(100 * weight / total) for name, weight in weights.items() if total}
