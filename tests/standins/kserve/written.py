"""What KServe writes: HTTPRoutes, Deployments, autoscalers and the status."""

import json
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kubernetes import client

from tests.standins.api_server import KINDS
from tests.standins.kserve.pods import Deployment
from tests.standins.kserve.rules import Body

if TYPE_CHECKING:
    from tests.standins.kserve.controller import KServe

SERVICES = ("serving.kserve.io", "v1beta1")
ROUTES = ("gateway.networking.k8s.io", "v1")
AUTOSCALERS = ("autoscaling", "v2")
DEPLOYMENTS = ("apps", "v1")

Followed = tuple[Body, Deployment, bool]  # a canary, its Deployment, and whether it is ready


class Written:
    """Writes for one controller."""

    def __init__(self, operator: "KServe", alone: bool) -> None:
        self._operator, self._custom, self._alone = operator, operator.custom, alone

    def route(self, service: str) -> list[tuple[str, int]]:
        """Return the backends and weights of the HTTPRoute that is stored."""
        found = self._get(ROUTES, "httproutes", service)
        rules = found["spec"]["rules"] if found else []
        return [(each["name"], each["weight"]) for rule in rules for each in rule["backendRefs"]]

    def write_route(self, service: str, stable: Deployment, canaries: list[Followed]) -> None:
        """Give each canary that is ready its share, and the stable one the rest."""
        ready = [(canary["trafficPercent"], each.name) for canary, each, is_ready in canaries
                 if is_ready]  # fmt: skip
        left = 100 - sum(percent for percent, _ in ready)
        backends = [{"name": name, "port": 80, "weight": weight}
                    for weight, name in [(left, stable.name), *ready]]  # fmt: skip
        for name in (service, f"{service}-predictor"):
            spec = {"rules": [{"backendRefs": backends}]}
            if self._put(ROUTES, "httproutes", name, {"spec": spec}):
                self._operator.happened.append(("write route", name))

    def autoscaler(self, service: Body, name: str) -> None:
        """Make the autoscaler of a predictor; a canary has one, too, and nothing removes it."""
        annotations = service["metadata"].get("annotations") or {}
        if self._alone and annotations.get("serving.kserve.io/autoscalerClass") == "hpa":
            owner = {"kind": "InferenceService", "name": service["metadata"]["name"]}
            target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
            body = {"metadata": {"ownerReferences": [owner]}, "spec": {"scaleTargetRef": target}}
            self._put(AUTOSCALERS, "horizontalpodautoscalers", name, body)

    def deployments(self, found: list[Deployment]) -> None:
        """Write the Deployments, with what their own controllers say of them."""
        for each in found if self._alone else []:
            body = {
                "spec": {"replicas": each.replicas},
                "status": {"conditions": each.conditions()},
            }
            self._put(DEPLOYMENTS, "deployments", each.name, body)

    def delete_deployment(self, name: str) -> None:
        if self._alone:
            with suppress(client.ApiException):
                self._custom.delete_namespaced_custom_object(
                    *DEPLOYMENTS, self._operator.namespace, "deployments", name
                )

    def write_status(self, service: Body, stable: Deployment, canaries: list[Followed]) -> None:
        url = f"http://{service['metadata']['name']}-{self._operator.namespace}.example.com"
        status = {
            "deploymentMode": "Standard",
            "observedGeneration": stable.generation,
            "conditions": list(conditions(stable, canaries)),
            "url": url,
            "components": {"predictor": {"url": url.replace("http://", "http://predictor-")}},
            "canaryStatuses": [
                {
                    "name": canary["predictor"]["name"],
                    "ready": ready,
                    "trafficPercent": canary["trafficPercent"],
                }
                for canary, _, ready in canaries
            ],
        }
        if without_times(service.get("status", {})) == without_times(status):
            return
        try:
            self._custom.replace_namespaced_custom_object_status(
                *SERVICES, self._operator.namespace, "inferenceservices",
                service["metadata"]["name"], service | {"status": status},
            )  # fmt: skip
        except client.ApiException as error:
            if error.status not in (404, 409):  # it changed meanwhile: next time
                raise

    def _get(self, group: tuple[str, str], plural: str, name: str) -> Body | None:
        try:
            found: Body = self._custom.get_namespaced_custom_object(
                *group, self._operator.namespace, plural, name
            )
        except client.ApiException as error:
            if error.status != 404:
                raise
            return None
        return found

    def _put(self, group: tuple[str, str], plural: str, name: str, body: Body) -> bool:
        """Create or replace an object, if it would differ, and say whether it did."""
        found = self._get(group, plural, name)
        if found and all(found.get(part) == value for part, value in body.items()
                         if part != "metadata"):  # fmt: skip
            return False
        api = {"apiVersion": "/".join(group), "kind": KINDS[plural]}
        whole: dict[str, Any] = api | body
        whole["metadata"] = {"name": name} | body.get("metadata", {})
        place = (*group, self._operator.namespace, plural)
        if found is None:
            self._custom.create_namespaced_custom_object(*place, whole)
        else:
            whole["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
            self._custom.replace_namespaced_custom_object(*place, name, whole)
            if "status" in body:
                whole["metadata"].pop("resourceVersion")
                self._custom.replace_namespaced_custom_object_status(*place, name, whole)
        return True


def conditions(stable: Deployment, canaries: list[Followed]) -> list[Body]:
    """Return the conditions of an InferenceService: of refused pods, only the stable one's."""
    why = ("FailedCreate", stable.refused) if stable.refused else ("MinimumReplicasUnavailable", "")
    good = stable.available
    told = [condition(kind, good, *why) for kind in ("IngressReady", "PredictorReady", "Ready")]
    if canaries:
        ready = all(each[2] for each in canaries)
        told.append(condition("CanaryPredictorReady", ready, "CanariesNotReady", ""))
    return told


def condition(kind: str, good: bool, reason: str, message: str) -> Body:
    """Return a condition; what is empty is left out, as KServe's type for it says (omitempty)."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    why = {} if good else {"reason": reason, "message": message}
    kept = {name: words for name, words in why.items() if words}
    return {"type": kind, "status": str(good), "lastTransitionTime": now} | kept


def without_times(status: Body) -> str:
    kept = deepcopy(status)
    for each in kept.get("conditions", []):
        each.pop("lastTransitionTime", None)
    return json.dumps(kept, sort_keys=True)
