"""Edit the canary fields of an InferenceService in Knative mode, and read its status.

The modes are compared in `canary`. Pure: each function returns the object as it shall be.
"""

from copy import deepcopy

from components.promotion.deploy_model.kserve.predictor import MODELS, scaled
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.shared.cluster.client import Body

BEFORE = "car-detection/before"  # annotation of a predictor: the models to go back to
SHARE = "canaryTrafficPercent"


class KnativeCanary:
    """Canary in Knative mode: two revisions of one Knative service."""

    def __init__(self, settings: PredictorSettings) -> None:
        self._settings = settings

    def stable(self, service: Body) -> Body:
        """Return `spec.predictor`, or during a rollout what is known of the former one."""
        predictor: Body = service["spec"]["predictor"]
        if self.candidate(service) is None:
            return predictor
        return {"annotations": {MODELS: predictor["annotations"][BEFORE]}}

    def candidate(self, service: Body) -> Body | None:
        """Return `spec.predictor` while it has a share and a predecessor, else None."""
        predictor: Body = service["spec"]["predictor"]
        on_trial = SHARE in predictor and BEFORE in (predictor.get("annotations") or {})
        return predictor if on_trial else None

    def begun(self, service: Body, predictor: Body, digest: str) -> Body:
        """Make a predictor the latest revision, without traffic."""
        del digest  # revisions are named by Knative
        before = self.stable(service)["annotations"][MODELS]
        noted = predictor | {"annotations": predictor["annotations"] | {BEFORE: before}}
        changed = deepcopy(service)
        changed["spec"]["predictor"] = scaled(self._settings, noted)
        return self.shared(changed, 0)

    def percent(self, service: Body) -> int:
        """Return the traffic share of the latest revision in the spec, 0 to 100."""
        return int(service["spec"]["predictor"].get(SHARE, 0))

    def replicas(self, percent: int, stable: int) -> int:
        """Return 0: the autoscaler of Knative follows the requests."""
        del percent, stable
        return 0

    def grown(self, service: Body, replicas: int) -> Body:
        """Return the object unchanged: Knative scales by itself."""
        del replicas
        return service

    def shared(self, service: Body, percent: int) -> Body:
        """Set `canaryTrafficPercent`, the share of the latest revision."""
        changed = deepcopy(service)
        changed["spec"]["predictor"][SHARE] = percent
        return changed

    def promoted(self, service: Body) -> Body:
        """Promote: route all traffic to the latest revision."""
        return self._latest(service, service["spec"]["predictor"])

    def restored(self, service: Body, predictor: Body) -> Body:
        """Make a predictor with the former models the latest revision, still without traffic.

        Without the 0 the failed revision, which is ready, would get all traffic until the new
        one is ready. `promoted` removes the 0 then.

        Args:
            service: The InferenceService as the API server returned it.
            predictor: Predictor of the former models.
        """
        return self.shared(self.exchanged(service, predictor), 0)

    def exchanged(self, service: Body, predictor: Body) -> Body:
        """Make a predictor the latest revision, which gets all traffic when it is ready."""
        return self._latest(service, scaled(self._settings, predictor))

    def reconciled(self, service: Body) -> bool:
        """Return whether the latest revision has the traffic share of the spec."""
        percent = service["spec"]["predictor"].get(SHARE, 100)
        shares = {True: 0, False: 0}
        for target in traffic(service):
            shares[bool(target.get("latestRevision"))] += target.get("percent") or 0
        return shares == {True: percent, False: 100 - percent}

    def ready(self, service: Body) -> bool:
        """Return whether the revision that was created last is ready."""
        status = component(service)
        made = status.get("latestCreatedRevision")
        return bool(made) and made == status.get("latestReadyRevision")

    def _latest(self, service: Body, predictor: Body) -> Body:
        changed = deepcopy(service)
        changed["spec"]["predictor"] = {
            name: value for name, value in predictor.items() if name != SHARE
        }
        return changed


def component(service: Body) -> Body:
    """Return the status of the predictor."""
    status: Body = service.get("status", {}).get("components", {}).get("predictor", {})
    return status


def traffic(service: Body) -> list[Body]:
    """Return the traffic targets of the status (Knative)."""
    targets: list[Body] = component(service).get("traffic") or []
    return targets
