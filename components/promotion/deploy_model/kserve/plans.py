"""Plan changes of an InferenceService that all datasets share, and check their conditions.

Pure. Every plan starts from the object as it is now, so that a change by another run is never
undone: a candidate carries the models of the other datasets, too.
"""

from components.promotion.deploy_model.kserve.canary import Canary, models_of
from components.promotion.deploy_model.kserve.knative_canary import BEFORE
from components.promotion.deploy_model.kserve.predictor import MADE, scaled, service_body
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.promotion.deploy_model.kserve.release import Release
from components.promotion.deploy_model.target import Track
from components.shared.cluster.client import Body, ConflictError
from components.shared.contracts.errors import OutageError, UserError


class Plans:
    """Plans for one InferenceService.

    Args:
        settings: Settings of the pods.
        canary: Canary implementation of the mode.
    """

    def __init__(self, settings: PredictorSettings, canary: Canary) -> None:
        self._settings = settings
        self._canary = canary

    def predictor(self, service: Body | None, track: Track) -> Body | None:
        """Return the predictor of one track, or None if there is none.

        Args:
            service: The InferenceService as the API server returned it; None if there is none.
            track: `stable` or `candidate`.
        """
        if service is None:
            return None
        return (
            self._canary.stable(service) if track == "stable" else self._canary.candidate(service)
        )

    def models(self, service: Body | None, track: Track) -> dict[str, str]:
        """Return the digests of the models of one track, by dataset.

        Args:
            service: The InferenceService as the API server returned it; None if there is none.
            track: `stable` or `candidate`.
        """
        return models_of(self.predictor(service, track))

    def on_trial(self, service: Body | None) -> dict[str, str]:
        """Return the models of the candidate that differ from the stable ones: at most one."""
        stable = self.models(service, "stable")
        candidate = self.models(service, "candidate")
        return {name: model for name, model in candidate.items() if stable.get(name) != model}

    def new(self, name: str, predictor: Body) -> Body:
        """Return the object of a first deployment.

        Args:
            name: Name of the InferenceService.
            predictor: Its first predictor.
        """
        return service_body(self._settings, name, scaled(self._settings, predictor))

    def begun(self, service: Body, dataset: str, predictor: Body, release: Release) -> Body:
        """Start a candidate; if it exists already, set its share to 0.

        Args:
            service: The InferenceService as the API server returned it.
            dataset: Name of the dataset.
            predictor: Predictor of the candidate.
            release: Packages that it serves.

        Raises:
            ConflictError: If another dataset is on trial, or was promoted meanwhile.
            UserError: If another server than the wanted one serves.
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
        """Raise the replicas of the candidate.

        Args:
            service: The InferenceService as the API server returned it.
            dataset: Name of the dataset.
            replicas: Replicas of the canary, at least.
        """
        return self._canary.grown(self.checked(service, dataset), replicas)

    def shared(self, service: Body, dataset: str, percent: int) -> Body:
        """Set the traffic share of the candidate.

        Args:
            service: The InferenceService as the API server returned it.
            dataset: Name of the dataset.
            percent: Traffic share of the candidate, 0 to 100.
        """
        return self._canary.shared(self.checked(service, dataset), percent)

    def promoted(self, service: Body, dataset: str, model: str) -> Body:
        """Promote the candidate.

        Args:
            service: The InferenceService as the API server returned it.
            dataset: Name of the dataset.
            model: Digest of the candidate.

        Raises:
            ConflictError: If the stable models changed since the rollout began.
        """
        stable, candidate = self.models(service, "stable"), self.models(service, "candidate")
        if candidate != stable | {dataset: model}:
            raise ConflictError(
                f"the candidate serves {_models(candidate)}, expected "
                f"{_models(stable | {dataset: model})}: "
                "someone else deployed meanwhile; deploy again"
            )
        return self._canary.promoted(service)

    def exchanged(self, service: Body, predictor: Body, expected: dict[str, str]) -> Body:
        """Replace the stable predictor without a rollout.

        Args:
            service: The InferenceService.
            predictor: The new predictor.
            expected: The stable models that it replaces, by dataset.

        Raises:
            ConflictError: If other models are stable, or a candidate has traffic.
        """
        if self._canary.percent(service):
            raise ConflictError("a candidate still gets requests: deploy its dataset again first")
        if self.models(service, "stable") != expected:
            raise ConflictError("another dataset got a new model meanwhile: deploy again")
        return self._canary.exchanged(self._described(service), predictor)

    def check_alone(self, service: Body | None, dataset: str) -> None:
        """Refuse a change of one dataset while another one is on trial.

        Args:
            service: The InferenceService as the API server returned it; None if there is none.
            dataset: Name of the dataset.

        Raises:
            ConflictError: With the name of the other dataset.
        """
        if others := self.on_trial(service).keys() - {dataset}:
            raise ConflictError(
                f"{', '.join(sorted(others))} is on trial in this InferenceService: try again "
                "when that has ended, or deploy it again, which ends the trial"
            )

    def checked(self, service: Body | None, dataset: str) -> Body:
        """Return the object, if a candidate of the dataset is in it.

        Args:
            service: The InferenceService as the API server returned it; None if there is none.
            dataset: Name of the dataset.

        Raises:
            OutageError: If there is none: another run has removed it.
        """
        if service is None or dataset not in self.on_trial(service):
            raise OutageError(f"{dataset} is not on trial (any more)")
        return service

    def _described(self, service: Body) -> Body:
        """Set annotations and labels of the object by the settings."""
        wanted = service_body(self._settings, service["metadata"]["name"], {})["metadata"]
        kept = service["metadata"]
        described = {
            part: (kept.get(part) or {}) | wanted[part] for part in ("annotations", "labels")
        }
        return service | {"metadata": kept | described}


def as_wanted(found: Body, wanted: Body) -> bool:
    """Return whether two objects are equal, apart from rollouts.

    Args:
        found: The stored object.
        wanted: The wanted object, completed by the API server in a dry run.
    """
    return _lasting(found) == _lasting(wanted)


def _lasting(service: Body) -> tuple[object, ...]:
    """Return the parts of an InferenceService that do not change in a rollout."""
    metadata, predictor = service["metadata"], service["spec"]["predictor"]
    noted = predictor.get("annotations") or {}
    annotations = {name: text for name, text in noted.items() if name != BEFORE}
    kept = predictor | {"annotations": annotations}
    return kept, metadata.get("annotations"), metadata.get("labels")


def _check_server(service: Body, predictor: Body) -> None:
    """Refuse Triton beside our own server: KServe merges a canary with the stable spec."""
    serves, wanted = (
        "triton" if "model" in each else "kserve"
        for each in (service["spec"]["predictor"], predictor)
    )
    if serves != wanted:
        raise UserError(
            f"{service['metadata']['name']} is of DETECTOR_TARGET {serves}, expected {wanted}: "
            "deploy a champion again, which exchanges the server without a trial, and then this"
        )


def _models(models: dict[str, str]) -> str:
    return ", ".join(f"{name} {model[:12]}" for name, model in sorted(models.items())) or "nothing"
