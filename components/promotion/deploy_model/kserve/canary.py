"""Edit the canary fields of an InferenceService: start, set the share, promote, end.

Pure: each function takes the object as it is stored and returns it as it shall be. KServe
has two ways, and each silently ignores the other's fields:

* Standard: `spec.canary` holds the candidate beside `spec.predictor`, under a name of its
  own. Promotion moves spec and name, so that no pod is restarted, and leaves `canary: []`,
  because a null would be dropped.
* Knative: `spec.predictor` is the candidate, and `canaryTrafficPercent` is its share of the
  traffic; the rest goes to the last revision that had all of it. The models of that revision
  are kept in an annotation of the candidate, for the rollback.

Nothing is noted in the object's own annotations: KServe copies them to the pods, so that a
change there would restart every pod.
"""

import json
import math
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from components.promotion.deploy_model.kserve.knative_canary import KnativeCanary
from components.promotion.deploy_model.kserve.predictor import MODELS, scaled
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.shared.cluster.client import Body

SLOT = "car-detection/slot"  # label of a predictor, blue or green


class StandardCanary:
    """Canary in Standard mode: two Deployments, and a route that splits the traffic."""

    def __init__(self, settings: PredictorSettings) -> None:
        self._settings = settings

    def stable(self, service: Body) -> Body:
        """Return `spec.predictor`."""
        predictor: Body = service["spec"]["predictor"]
        return predictor

    def candidate(self, service: Body) -> Body | None:
        """Return the predictor of the only canary."""
        canaries = service["spec"].get("canary") or []
        return canaries[0]["predictor"] if canaries else None

    def begun(self, service: Body, predictor: Body, digest: str) -> Body:
        """Add a canary without traffic; 0 percent would mean 0 replicas, so one is set.

        The stable track gets no more replicas yet: KServe removes some when a canary is ready.

        Args:
            service: The InferenceService as the API server returned it.
            predictor: Predictor of the candidate.
            digest: Digest of the release, which names the canary.
        """
        name = f"r{digest[:10]}"
        if self.stable(service).get("name") == name:
            name = f"r{digest[10:20]}"
        slot = (
            "blue" if (self.stable(service).get("labels") or {}).get(SLOT) == "green" else "green"
        )
        own = {"name": name, "labels": {SLOT: slot}, "minReplicas": 1}
        canary = {"trafficPercent": 0, "predictor": predictor | own}
        return self._with(service, [canary], lent=False)

    def percent(self, service: Body) -> int:
        """Return the traffic share of the candidate in the spec, 0 to 100."""
        canaries = service["spec"].get("canary") or []
        return int(canaries[0]["trafficPercent"]) if canaries else 0

    def replicas(self, percent: int, stable: int) -> int:
        """Return the replicas that a traffic share needs, in proportion to the stable ones.

        Args:
            percent: Traffic share, 0 to 100.
            stable: Number of ready stable pods.
        """
        return max(1, math.ceil(max(self._settings.min_replicas, stable) * percent / 100))

    def grown(self, service: Body, replicas: int) -> Body:
        """Raise the replicas of a ready canary, and of the stable track as many.

        Args:
            service: The InferenceService as the API server returned it.
            replicas: Replicas of the canary, at least.
        """
        canary = deepcopy(service["spec"]["canary"][0])
        most = max(canary["predictor"]["minReplicas"], replicas)
        canary["predictor"]["minReplicas"] = most
        return self._with(service, [canary])

    def shared(self, service: Body, percent: int) -> Body:
        """Set the traffic share, `trafficPercent`.

        Args:
            service: The InferenceService as the API server returned it.
            percent: Traffic share of the candidate, 0 to 100.
        """
        changed = deepcopy(service)
        changed["spec"]["canary"][0]["trafficPercent"] = percent
        return changed

    def promoted(self, service: Body) -> Body:
        """Promote: move spec and name of the canary to the predictor."""
        changed = self._with(service, [])
        canary = service["spec"]["canary"][0]["predictor"]
        changed["spec"]["predictor"] = scaled(self._settings, canary)
        return changed

    def ended(self, service: Body) -> Body:
        """Remove the canary."""
        return self._with(service, [])

    def exchanged(self, service: Body, predictor: Body) -> Body:
        """Replace the spec under the same name: a rolling update without downtime.

        Args:
            service: The InferenceService as the API server returned it.
            predictor: The new predictor.
        """
        changed = self._with(service, [])
        old = self.stable(service)
        kept = {part: old[part] for part in ("name", "labels") if part in old}
        changed["spec"]["predictor"] = scaled(self._settings, predictor) | kept
        return changed

    def reconciled(self, service: Body) -> bool:
        """Return whether `status.canaryStatuses` has the names and shares of the spec.

        `status.observedGeneration` is not used: KServe copies it from a child object, which
        has its own generations (https://github.com/kserve/kserve/issues/6081).
        """
        statuses = service.get("status", {}).get("canaryStatuses") or []
        wanted = service["spec"].get("canary") or []
        return [(each["name"], each.get("trafficPercent", 0)) for each in statuses] == [
            (each["predictor"]["name"], each["trafficPercent"]) for each in wanted
        ]

    def ready(self, service: Body) -> bool:
        """Return whether the canary is ready by its status."""
        status = service.get("status", {}).get("canaryStatuses") or []
        return bool(status) and all(each.get("ready") for each in status)

    def _with(self, service: Body, canaries: list[Body], *, lent: bool = True) -> Body:
        """Set the canaries, and the stable replicas beside them.

        KServe takes the replicas of canaries that are ready off the stable ones, but leaves
        one; so that none is missing, as many are added. It wants no canary to have more.
        """
        changed = deepcopy(service)
        canary_replicas = sum(each["predictor"]["minReplicas"] for each in canaries)
        predictor = scaled(self._settings, changed["spec"]["predictor"])
        own = predictor["minReplicas"]
        predictor["minReplicas"] = (
            own + canary_replicas if lent and own > 1 else max(own, canary_replicas)
        )
        predictor["maxReplicas"] = max(predictor["maxReplicas"], predictor["minReplicas"])
        changed["spec"] |= {"predictor": predictor, "canary": canaries}
        return changed


Canary = StandardCanary | KnativeCanary


def canary_of(settings: PredictorSettings) -> Canary:
    """Return the canary implementation of the mode in the settings."""
    return StandardCanary(settings) if settings.mode == "Standard" else KnativeCanary(settings)


def models_of(predictor: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the digests that a predictor serves, by dataset."""
    kept = ((predictor or {}).get("annotations") or {}).get(MODELS, "{}")
    models: dict[str, str] = json.loads(kept)
    return models
