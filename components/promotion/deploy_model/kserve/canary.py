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

from components.promotion.deploy_model.kserve.predictor import MODELS, scaled
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.shared.cluster.client import Body

SLOT = "car-detection/slot"  # label of a predictor: the candidate has the one that is free
BEFORE = "car-detection/before"  # annotation of a predictor: the models to go back to
SHARE = "canaryTrafficPercent"


class StandardCanary:
    """Two Deployments, and a route that splits between them; the settings have the replicas."""

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
        """Add a canary that gets nothing; 0 percent would mean 0 replicas, so it says one.

        Nothing is lent to the stable side yet: KServe takes replicas off when a canary is ready.
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
        """Return the candidate's share as the spec has it."""
        canaries = service["spec"].get("canary") or []
        return int(canaries[0]["trafficPercent"]) if canaries else 0

    def replicas(self, percent: int, stable: int) -> int:
        """Return as many of the pods that serve stably as the share is of the requests."""
        return max(1, math.ceil(max(self._settings.min_replicas, stable) * percent / 100))

    def grown(self, service: Body, replicas: int) -> Body:
        """Raise the replicas of a canary that is ready, and lend the stable side as many."""
        canary = deepcopy(service["spec"]["canary"][0])
        most = max(canary["predictor"]["minReplicas"], replicas)
        canary["predictor"]["minReplicas"] = most
        return self._with(service, [canary])

    def shared(self, service: Body, percent: int) -> Body:
        """Set `trafficPercent`."""
        changed = deepcopy(service)
        changed["spec"]["canary"][0]["trafficPercent"] = percent
        return changed

    def promoted(self, service: Body) -> Body:
        """Make the canary's spec and name the predictor's."""
        changed = self._with(service, [])
        canary = service["spec"]["canary"][0]["predictor"]
        changed["spec"]["predictor"] = scaled(self._settings, canary)
        return changed

    def ended(self, service: Body) -> Body:
        """Leave no canary."""
        return self._with(service, [])

    def exchanged(self, service: Body, predictor: Body) -> Body:
        """Exchange the spec under the same name: a rolling update, at no time without a pod."""
        changed = self._with(service, [])
        old = self.stable(service)
        kept = {part: old[part] for part in ("name", "labels") if part in old}
        changed["spec"]["predictor"] = scaled(self._settings, predictor) | kept
        return changed

    def seen(self, service: Body) -> bool:
        """Say whether `status.canaryStatuses` has the names and shares of the spec.

        Not by `status.observedGeneration`: KServe copies it from a child object, whose
        generations are counted apart (https://github.com/kserve/kserve/issues/6081).
        """
        told = service.get("status", {}).get("canaryStatuses") or []
        wanted = service["spec"].get("canary") or []
        return [(each["name"], each.get("trafficPercent", 0)) for each in told] == [
            (each["predictor"]["name"], each["trafficPercent"]) for each in wanted
        ]

    def ready(self, service: Body) -> bool:
        """Return what the canary's own status says."""
        told = service.get("status", {}).get("canaryStatuses") or []
        return bool(told) and all(each.get("ready") for each in told)

    def _with(self, service: Body, canaries: list[Body], *, lent: bool = True) -> Body:
        """Set the canaries, and the stable replicas beside them.

        KServe takes the replicas of canaries that are ready off the stable ones, but leaves
        one; so that none is missing, as many are added. It wants no canary to have more.
        """
        changed = deepcopy(service)
        beside = sum(each["predictor"]["minReplicas"] for each in canaries)
        predictor = scaled(self._settings, changed["spec"]["predictor"])
        own = predictor["minReplicas"]
        predictor["minReplicas"] = own + beside if lent and own > 1 else max(own, beside)
        predictor["maxReplicas"] = max(predictor["maxReplicas"], predictor["minReplicas"])
        changed["spec"] |= {"predictor": predictor, "canary": canaries}
        return changed


class KnativeCanary:
    """Two revisions of one Knative service, which scales as the settings say."""

    def __init__(self, settings: PredictorSettings) -> None:
        self._settings = settings

    def stable(self, service: Body) -> Body:
        """Return `spec.predictor`, or in a trial as much as is known of what was before."""
        predictor: Body = service["spec"]["predictor"]
        if self.candidate(service) is None:
            return predictor
        return {"annotations": {MODELS: predictor["annotations"][BEFORE]}}

    def candidate(self, service: Body) -> Body | None:
        """Return `spec.predictor` while it has a share and something was before it."""
        predictor: Body = service["spec"]["predictor"]
        on_trial = SHARE in predictor and BEFORE in (predictor.get("annotations") or {})
        return predictor if on_trial else None

    def begun(self, service: Body, predictor: Body, digest: str) -> Body:
        """Make it the latest revision, which gets nothing."""
        del digest  # revisions are named by Knative
        before = self.stable(service)["annotations"][MODELS]
        noted = predictor | {"annotations": predictor["annotations"] | {BEFORE: before}}
        changed = deepcopy(service)
        changed["spec"]["predictor"] = scaled(self._settings, noted)
        return self.shared(changed, 0)

    def percent(self, service: Body) -> int:
        """Return the latest revision's share as the spec has it."""
        return int(service["spec"]["predictor"].get(SHARE, 0))

    def replicas(self, percent: int, stable: int) -> int:
        """Return none: Knative's autoscaler follows the requests."""
        del percent, stable
        return 0

    def grown(self, service: Body, replicas: int) -> Body:
        """Change nothing."""
        del replicas
        return service

    def shared(self, service: Body, percent: int) -> Body:
        """Set `canaryTrafficPercent`, the share of the latest revision."""
        changed = deepcopy(service)
        changed["spec"]["predictor"][SHARE] = percent
        return changed

    def promoted(self, service: Body) -> Body:
        """Let the latest revision have everything."""
        return self._latest(service, service["spec"]["predictor"])

    def restored(self, service: Body, predictor: Body) -> Body:
        """Make a predictor with the models of before the latest, still without a share.

        Without the 0 the failed revision, ready as it is, would get everything until the
        new one is ready. `promoted` takes the 0 off then.
        """
        return self.shared(self.exchanged(service, predictor), 0)

    def exchanged(self, service: Body, predictor: Body) -> Body:
        """Make it the latest revision, which gets everything once it is ready."""
        return self._latest(service, scaled(self._settings, predictor))

    def seen(self, service: Body) -> bool:
        """Say whether the latest revision really gets the share that the spec says."""
        percent = service["spec"]["predictor"].get(SHARE, 100)
        shares = {True: 0, False: 0}
        for target in traffic(service):
            shares[bool(target.get("latestRevision"))] += target.get("percent") or 0
        return shares == {True: percent, False: 100 - percent}

    def ready(self, service: Body) -> bool:
        """Say whether the revision that was made last is ready."""
        told = component(service)
        made = told.get("latestCreatedRevision")
        return bool(made) and made == told.get("latestReadyRevision")

    def _latest(self, service: Body, predictor: Body) -> Body:
        changed = deepcopy(service)
        changed["spec"]["predictor"] = {
            name: value for name, value in predictor.items() if name != SHARE
        }
        return changed


Canary = StandardCanary | KnativeCanary


def canary_of(settings: PredictorSettings) -> Canary:
    """Return the way that the settings choose."""
    return StandardCanary(settings) if settings.mode == "Standard" else KnativeCanary(settings)


def models_of(predictor: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the digests that a predictor serves, by dataset."""
    kept = ((predictor or {}).get("annotations") or {}).get(MODELS, "{}")
    models: dict[str, str] = json.loads(kept)
    return models


def component(service: Body) -> Body:
    """Return what the status tells of the predictor."""
    told: Body = service.get("status", {}).get("components", {}).get("predictor", {})
    return told


def traffic(service: Body) -> list[Body]:
    """Return to which revisions requests go (Knative)."""
    targets: list[Body] = component(service).get("traffic") or []
    return targets
