"""Where the two sides of a canary answer inside the cluster, and what their pods say."""

from collections.abc import Iterator
from typing import Any

import httpx

from components.cluster.client import Body, Cluster
from components.deploy_model.kserve.canary import component, traffic
from components.deploy_model.kserve.predictor import PORT, Mode
from components.deploy_model.target import Side, Unreachable
from components.traffic.scrape import tally_of
from components.traffic.tally import Tally

LATEST, PREVIOUS = "latest", "prev"  # Knative's tags of revisions, as KServe names them
WAITING = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError")


class Reach:
    """The ways to the pods of one InferenceService.

    Args:
        cluster: Where it lives.
        mode: How KServe runs it.
        http: Asks the pods.
    """

    def __init__(self, cluster: Cluster, mode: Mode, http: httpx.Client) -> None:
        """Nothing is asked yet."""
        self._cluster = cluster
        self._mode = mode
        self._http = http
        self._tallies: dict[tuple[str, int], Tally] = {}

    def url(self, service: Body, predictor: Body, side: Side) -> str:
        """Return the address of one side, by the cluster's DNS.

        Args:
            service: The InferenceService.
            predictor: The side's own.
            side: Which.

        Raises:
            Unreachable: If KServe has made no service for it.
        """
        if self._mode == "Knative":
            host = f"{service['metadata']['name']}-predictor"
            tags = {target.get("tag") for target in traffic(service)}
            tag = LATEST if side == "candidate" else PREVIOUS
            host = f"{tag}-{host}" if tag in tags and PREVIOUS in tags else host
            return f"http://{host}.{self._cluster.namespace}.svc"
        name = service_name(service, predictor)
        found = self._cluster.service(name)
        if found is None:
            raise Unreachable(f"there is no service {name}")
        port = found.spec.ports[0]
        # A name without an address of its own leads to the pods, at their own port.
        number = port.target_port if found.spec.cluster_ip == "None" else port.port
        return f"http://{name}.{self._cluster.namespace}.svc:{number}"

    def pods(self, service: Body, predictor: Body, side: Side) -> list[Any]:
        """Return the pods of one side."""
        if self._mode == "Standard":
            return self._cluster.pods(f"app=isvc.{service_name(service, predictor)}")
        revision = _revision(service, side)
        return self._cluster.pods(f"serving.knative.dev/revision={revision}") if revision else []

    def tally(self, pods: list[Any], dataset: str, model: str) -> Tally:
        """Return what a model met in all pods, those that are gone by now too.

        Args:
            pods: Those that are there.
            dataset: Whose requests.
            model: The digest that counts them.
        """
        for pod in pods:
            if not is_ready(pod):
                continue
            try:
                page = self._http.get(f"http://{pod.status.pod_ip}:{PORT}/metrics")
                page.raise_for_status()
            except httpx.HTTPError:
                continue  # whoever asks it notices, too
            met = tally_of(page.text, dataset, model[:12])
            self._tallies[f"{pod.metadata.uid} {dataset} {model}", restarts(pod)] = met
        total = Tally()
        for (key, _), met in self._tallies.items():
            if key.endswith(f" {dataset} {model}"):
                total += met
        return total


def service_name(service: Body, predictor: Body) -> str:
    """Return how KServe names the Deployment and the Service of a predictor (Standard).

    >>> service_name({"metadata": {"name": "cars"}}, {"name": "b"})
    'cars-b-predictor'
    """
    parts = [service["metadata"]["name"], predictor.get("name"), "predictor"]
    return "-".join(part for part in parts if part)


def is_ready(pod: Any) -> bool:
    """Say whether a pod is ready and has an address."""
    conditions = pod.status.conditions or []
    ready = any(each.type == "Ready" and each.status == "True" for each in conditions)
    return bool(ready and pod.status.pod_ip and not pod.metadata.deletion_timestamp)


def restarts(pod: Any) -> int:
    """Return how often containers of a pod began anew."""
    return sum(each.restart_count for each in pod.status.container_statuses or [])


def trouble(pods: list[Any]) -> str | None:
    """Return why pods do not come up, if they say so: in their containers' last words."""
    return next((words for pod in pods for words in _troubles(pod)), None)


def _troubles(pod: Any) -> Iterator[str]:
    init = pod.status.init_container_statuses or []
    for each in [*init, *(pod.status.container_statuses or [])]:
        waiting = each.state.waiting if each.state else None
        if waiting and waiting.reason in WAITING:
            yield f"{each.name}: {waiting.reason}: {waiting.message or ''}"[:500]
        last = each.last_state.terminated if each.last_state else None
        if each.restart_count and last and last.exit_code:
            words = (last.message or last.reason or "").strip().splitlines()
            yield f"{each.name} ended with {last.exit_code}: {' '.join(words[-3:])}"[:500]


def _revision(service: Body, side: Side) -> str | None:
    told = component(service)
    if side == "candidate":
        return told.get("latestCreatedRevision")
    tagged = [each for each in traffic(service) if each.get("tag") == PREVIOUS]
    return tagged[0].get("revisionName") if tagged else told.get("latestReadyRevision")
