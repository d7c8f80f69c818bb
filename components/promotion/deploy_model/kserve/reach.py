"""Addresses, pods and request metrics of the stable predictor and the candidate."""

import httpx

from components.promotion.deploy_model.kserve.knative_canary import component, traffic
from components.promotion.deploy_model.kserve.pods import is_ready, restarts
from components.promotion.deploy_model.kserve.predictor import PORT
from components.promotion.deploy_model.kserve.predictor_settings import Mode
from components.promotion.deploy_model.target import ServerUnreachableError, Track
from components.shared.cluster.client import Body, Cluster, ClusterError, Kind
from components.shared.cluster.objects import Pod
from components.shared.traffic.request_metrics import RequestMetrics
from components.shared.traffic.scrape import request_metrics_of

LATEST, PREVIOUS = "latest", "prev"  # Knative's tags of revisions, as KServe names them
DEPLOYMENTS = Kind("apps", "v1", "deployments")


class Reach:
    """Addresses, pods and metrics of one InferenceService.

    Args:
        cluster: The cluster.
        mode: Deployment mode of KServe.
        http: HTTP client for the pods.
    """

    def __init__(self, cluster: Cluster, mode: Mode, http: httpx.Client) -> None:
        self._cluster = cluster
        self._mode = mode
        self._http = http
        self._tallies: dict[tuple[str, int], RequestMetrics] = {}

    def url(self, service: Body, predictor: Body, track: Track) -> str:
        """Return the address of one track, by the cluster's DNS.

        Args:
            service: The InferenceService.
            predictor: Predictor of the track.
            track: `stable` or `candidate`.

        Raises:
            ServerUnreachableError: If KServe has not created its Service.
        """
        if self._mode == "Knative":
            host = f"{service['metadata']['name']}-predictor"
            tags = {target.get("tag") for target in traffic(service)}
            tag = LATEST if track == "candidate" else PREVIOUS
            host = f"{tag}-{host}" if tag in tags and PREVIOUS in tags else host
            return f"http://{host}.{self._cluster.namespace}.svc"
        name = service_name(service, predictor)
        found = self._cluster.service(name)
        if found is None:
            raise ServerUnreachableError(f"there is no service {name}")
        port = found.spec.ports[0]
        # A headless Service resolves to the pods, with their own port.
        number = port.target_port if found.spec.cluster_ip == "None" else port.port
        return f"http://{name}.{self._cluster.namespace}.svc:{number}"

    def pods(self, service: Body, predictor: Body, track: Track) -> list[Pod]:
        """Return the pods of one track.

        Args:
            service: The InferenceService as the API server returned it.
            predictor: Predictor of the track.
            track: `stable` or `candidate`.
        """
        if self._mode == "Standard":
            return self._cluster.pods(f"app=isvc.{service_name(service, predictor)}")
        revision = _revision(service, track)
        return self._cluster.pods(f"serving.knative.dev/revision={revision}") if revision else []

    def refused(self, service: Body, predictor: Body) -> str | None:
        """Return why pods of a predictor are not admitted, by its Deployment, or None.

        Args:
            service: The InferenceService as the API server returned it.
            predictor: Predictor of an InferenceService.
        """
        if self._mode == "Knative":
            return None
        try:
            found = self._cluster.get(DEPLOYMENTS, service_name(service, predictor))
        except ClusterError:  # without the right to read it, the InferenceService is used
            return None
        for each in (found or {}).get("status", {}).get("conditions") or []:
            if (each["type"], each["status"]) == ("ReplicaFailure", "True"):
                return str(each.get("message") or each.get("reason"))
        return None

    def request_metrics(self, pods: list[Pod], dataset: str, model: str) -> RequestMetrics:
        """Return the request metrics of a model, summed over all pods, also former ones.

        Args:
            pods: The current pods.
            dataset: Name of the dataset.
            model: Digest of the model.
        """
        for pod in pods:
            if not is_ready(pod):
                continue
            try:
                page = self._http.get(f"http://{pod.status.pod_ip}:{PORT}/metrics")
                page.raise_for_status()
            except httpx.HTTPError:
                continue  # probes fail as well then
            met = request_metrics_of(page.text, dataset, model[:12])
            self._tallies[f"{pod.metadata.uid} {dataset} {model}", restarts(pod)] = met
        total = RequestMetrics()
        for (key, _), met in self._tallies.items():
            if key.endswith(f" {dataset} {model}"):
                total += met
        return total


def service_name(service: Body, predictor: Body) -> str:
    """Return the name of the Deployment and the Service of a predictor (Standard).

    Args:
        service: The InferenceService as the API server returned it.
        predictor: Predictor of an InferenceService.

    >>> service_name({"metadata": {"name": "cars"}}, {"name": "b"})
    'cars-b-predictor'
    """
    parts = [service["metadata"]["name"], predictor.get("name"), "predictor"]
    return "-".join(part for part in parts if part)


def _revision(service: Body, track: Track) -> str | None:
    status = component(service)
    if track == "candidate":
        return status.get("latestCreatedRevision")
    tagged = [each for each in traffic(service) if each.get("tag") == PREVIOUS]
    return tagged[0].get("revisionName") if tagged else status.get("latestReadyRevision")
