"""Plan changes of an InferenceService that all datasets share, and check their conditions.

Pure. Every plan starts from the object as it is now, so that a change by another run is never
undone: a candidate carries the models of the other datasets, too.
"""

from typing import Any

from components.promotion.deploy_model.kserve.canary import BEFORE, Canary, models_of
from components.promotion.deploy_model.kserve.predictor import MADE, scaled, service_body
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.promotion.deploy_model.kserve.release import Release
from components.promotion.deploy_model.target import Side
from components.shared.cluster.client import Body, ConflictError
from components.shared.contracts.refusal import Outage, Refusal


class Plans:
    """Plans for one InferenceService.

    Args:
        settings: What its pods are like.
        canary: KServe's way, of the settings' mode.
    """

    def __init__(self, settings: PredictorSettings, canary: Canary) -> None:
        self._settings = settings
        self._canary = canary

    def predictor(self, service: Body | None, side: Side) -> Body | None:
        """Return the predictor of one side, or None."""
        if service is None:
            return None
        return self._canary.stable(service) if side == "stable" else self._canary.candidate(service)

    def models(self, service: Body | None, side: Side) -> dict[str, str]:
        """Return the digests that one side serves, by dataset."""
        return models_of(self.predictor(service, side))

    def on_trial(self, service: Body | None) -> dict[str, str]:
        """Return what the candidate serves otherwise than who is stable: at most one dataset."""
        stable = self.models(service, "stable")
        candidate = self.models(service, "candidate")
        return {name: model for name, model in candidate.items() if stable.get(name) != model}

    def new(self, name: str, predictor: Body) -> Body:
        """Return the object of a first deployment."""
        return service_body(self._settings, name, scaled(self._settings, predictor))

    def begun(self, service: Body, dataset: str, predictor: Body, release: Release) -> Body:
        """Put a predictor on trial; one that is there already loses its share.

        Raises:
            ConflictError: If another dataset is on trial, or was promoted meanwhile.
            Refusal: If another server than the wanted one serves.
        """
        self.check_alone(service, dataset)
        found = self.predictor(service, "candidate")
        if found and found["annotations"].get(MADE) == predictor["annotations"][MADE]:
            return self._canary.shared(service, 0)
        _check_server(service, predictor)
        expected = self.models(service, "stable") | {dataset: release.models[dataset]}
        if expected != release.models:
            raise ConflictError("another dataset got a new model meanwhile: deploy again")
        return self._canary.begun(self._described(service), predictor, release.digest)

    def grown(self, service: Body, dataset: str, replicas: int) -> Body:
        """Give the candidate more pods."""
        return self._canary.grown(self.checked(service, dataset), replicas)

    def shared(self, service: Body, dataset: str, percent: int) -> Body:
        """Give the candidate a share."""
        return self._canary.shared(self.checked(service, dataset), percent)

    def promoted(self, service: Body, dataset: str, model: str) -> Body:
        """Let the candidate serve stably.

        Raises:
            ConflictError: If who is stable changed since it was put on trial.
        """
        stable, candidate = self.models(service, "stable"), self.models(service, "candidate")
        if candidate != stable | {dataset: model}:
            raise ConflictError(
                f"the candidate serves {_told(candidate)}, expected "
                f"{_told(stable | {dataset: model})}: someone else deployed meanwhile; deploy again"
            )
        return self._canary.promoted(service)

    def exchanged(self, service: Body, predictor: Body, expected: dict[str, str]) -> Body:
        """Let another predictor serve without a trial.

        Raises:
            ConflictError: If who is stable is not as expected, or a candidate has requests.
        """
        if self._canary.percent(service):
            raise ConflictError("a candidate still gets requests: deploy its dataset again first")
        if self.models(service, "stable") != expected:
            raise ConflictError("another dataset got a new model meanwhile: deploy again")
        return self._canary.exchanged(self._described(service), predictor)

    def check_alone(self, service: Body | None, dataset: str) -> None:
        """Refuse a change of one dataset while another one is on trial.

        Raises:
            ConflictError: Which says that one.
        """
        if others := self.on_trial(service).keys() - {dataset}:
            raise ConflictError(
                f"{', '.join(sorted(others))} is on trial in this InferenceService: try again "
                "when that has ended, or deploy it again, which ends the trial"
            )

    def checked(self, service: Body | None, dataset: str) -> Body:
        """Return the object, if a dataset is on trial in it.

        Raises:
            Outage: If it is not: someone else ended it.
        """
        if service is None or dataset not in self.on_trial(service):
            raise Outage(f"{dataset} is not on trial (any more)")
        return service

    def _described(self, service: Body) -> Body:
        """Set what the settings say of the object as a whole."""
        wanted = service_body(self._settings, service["metadata"]["name"], {})["metadata"]
        kept = service["metadata"]
        described = {
            part: (kept.get(part) or {}) | wanted[part] for part in ("annotations", "labels")
        }
        return service | {"metadata": kept | described}


def as_wanted(found: Body, wanted: Body) -> bool:
    """Say whether nothing is to be changed, where both are as the API server completes them."""
    return _lasting(found) == _lasting(wanted)


def _lasting(service: Body) -> tuple[Any, ...]:
    """Return what a service is like apart from its trials, those that were included."""
    metadata, predictor = service["metadata"], service["spec"]["predictor"]
    noted = predictor.get("annotations") or {}
    annotations = {name: text for name, text in noted.items() if name != BEFORE}
    kept = predictor | {"annotations": annotations}
    return kept, metadata.get("annotations"), metadata.get("labels")


def _check_server(service: Body, predictor: Body) -> None:
    """Refuse to put Triton beside our own server: KServe lays a canary over who is stable."""
    serves, wanted = (
        "triton" if "model" in each else "kserve"
        for each in (service["spec"]["predictor"], predictor)
    )
    if serves != wanted:
        raise Refusal(
            f"{service['metadata']['name']} is of DETECTOR_TARGET {serves}, expected {wanted}: "
            "deploy a champion again, which exchanges the server without a trial, and then this"
        )


def _told(models: dict[str, str]) -> str:
    return ", ".join(f"{name} {model[:12]}" for name, model in sorted(models.items())) or "nothing"
