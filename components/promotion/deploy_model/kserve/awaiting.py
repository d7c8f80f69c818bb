"""Wait until an InferenceService, its pods and its routes have the wanted state.

The pods and the answers of the server are checked themselves: conditions in the status may be
of an earlier state.
"""

import time
from collections.abc import Callable

from components.promotion.deploy_model.kserve import pods as state
from components.promotion.deploy_model.kserve.inference_service import (
    ReconcileTimeoutError,
    conditions,
)
from components.promotion.deploy_model.kserve.parts import Parts
from components.promotion.deploy_model.kserve.predictor import MADE, MODELS
from components.promotion.deploy_model.target import PackageNotServedError, Track
from components.shared.cluster.client import Body
from components.shared.cluster.objects import Pod
from components.shared.contracts.errors import ApplicationError, OutageError, UserError
from components.shared.contracts.model import DetectAnswer

FOLLOW_S = 60.0  # for KServe to reconcile the object, where no pod must start
SETTLE_S = 20.0  # for the stable spec to be the latest again, after a rollback (Knative)
ADMISSION_S = 10.0  # before a refused pod counts: the status may be of an earlier state
OLD_NAMES = {"RawDeployment": "Standard", "Serverless": "Knative"}

Detect = Callable[[Track], DetectAnswer | None]


class Awaiting:
    """Waits for states of one InferenceService.

    Args:
        parts: Collaborators of the target.
        ready_seconds: Timeout for pods to become ready, in seconds.
    """

    def __init__(self, parts: Parts, ready_seconds: float) -> None:
        self._service = parts.service
        self._plans = parts.plans
        self._canary = parts.canary
        self._reach = parts.reach
        self._mode = parts.mode
        self._ready_seconds = ready_seconds
        self._known: dict[Track, set[str]] = {}  # names of the pods that came up

    def answers(self, model: str, track: Track, detect: Detect) -> None:
        """Wait until one track answers with a model.

        Args:
            model: Digest of the model.
            track: `stable` or `candidate`.
            detect: Sends a picture to a track.

        Raises:
            PackageNotServedError: If its servers crash, or run and do not answer in time.
            OutageError: If they cannot be started, or KServe does not reconcile.
        """
        began = time.monotonic()
        self._known[track] = self._names(track)  # others were replaced, not taken away

        def missing(service: Body) -> str | None:
            self._check_mode(service)
            self.check_pods(service, track, began)
            return self._missing(service, track) or _other(model, track, detect)

        try:
            self._service.until(missing, self._ready_seconds, f"the {track} predictor is not ready")
        except ReconcileTimeoutError as cause:
            raise self._explained(cause, model, track, detect) from cause
        self._known[track] = self._names(track)

    def started(self, track: Track) -> None:
        """Wait until a server of one track was started; it need not be ready.

        Raises:
            PackageNotServedError: If it has crashed.
            OutageError: If it cannot be started.
        """
        began = time.monotonic()

        def missing(service: Body) -> str | None:
            self.check_pods(service, track, began)
            pods = self._pods(service, track)
            return None if state.has_run(pods) else state.unscheduled(pods) or "no server runs"

        self._service.until(missing, self._ready_seconds, f"the {track} predictor is not started")

    def pods(self, count: int, percent: int) -> None:
        """Wait until the candidate has enough ready pods for its share.

        Args:
            count: Number of pods.
            percent: Traffic share, for messages.

        Raises:
            PackageNotServedError: If one of its servers crashes.
            OutageError: If the pods do not become ready.
        """
        began = time.monotonic()

        def missing(service: Body) -> str | None:
            self.check_pods(service, "candidate", began)
            ready = self.count(service, "candidate")
            return None if ready >= count else f"{ready} of {count} are ready"

        what = f"the candidate has not the pods for {percent} %"
        self._service.until(missing, self._ready_seconds, what)
        self._known["candidate"] = self._known.get("candidate", set()) | self._names("candidate")

    def check_pods(self, service: Body, track: Track, began: float) -> None:
        """Check that the pods of one track can still become or stay ready.

        Args:
            service: The InferenceService.
            track: `stable` or `candidate`.
            began: Start of the wait, by the monotonic clock, in seconds.

        Raises:
            PackageNotServedError: If one of its servers has crashed.
            OutageError: If pods cannot be started, or are not admitted.
        """
        pods = self._pods(service, track)
        if words := state.failure(pods):
            raise PackageNotServedError(f"the {track} predictor does not start: {words}")
        if words := state.hindrance(pods):
            raise OutageError(f"the {track} predictor cannot be started: {words}")
        words = self._refused(service, track)
        if words and time.monotonic() - began > min(ADMISSION_S, self._ready_seconds / 2):
            raise OutageError(f"no pod of the {track} predictor is admitted: {words}")

    def count(self, service: Body, track: Track) -> int:
        """Return the number of ready pods of one track.

        Args:
            service: The InferenceService as the API server returned it.
            track: `stable` or `candidate`.
        """
        return len([pod for pod in self._pods(service, track) if state.is_ready(pod)])

    def disruption(self, track: Track) -> str | None:
        """Return why pods of one track were evicted, or None; unknown on Knative, which scales."""
        if self._mode == "Knative":
            return None
        pods = self._pods(self._service.get(), track)
        if state.failure(pods):
            return None
        gone = self._known.get(track, set()) - {pod.metadata.name for pod in pods}
        words = [state.removal(pod) for pod in pods] + [f"pod {name} is gone" for name in gone]
        return next((f"the {track} predictor: {each}" for each in words if each), None)

    def reconciled(self, what: str) -> None:
        """Wait until the status has the traffic shares of the spec."""

        def missing(service: Body) -> str | None:
            return (
                None if self._canary.reconciled(service) else conditions(service) or "no word of it"
            )

        self._service.until(missing, FOLLOW_S, what)

    def settled(self) -> None:
        """Wait a short time until the latest revision is ready."""

        def missing(service: Body) -> str | None:
            return None if self._canary.ready(service) else "it is not ready"

        self._service.until(missing, SETTLE_S, "the stable spec is not the latest again")

    def _names(self, track: Track) -> set[str]:
        return {pod.metadata.name for pod in self._pods(self._service.get(), track)}

    def _pods(self, service: Body | None, track: Track) -> list[Pod]:
        """Return the pods of one track that belong to its current spec."""
        predictor = self._plans.predictor(service, track)
        if service is None or predictor is None:
            return []
        noted = predictor["annotations"]
        wanted = {name: noted[name] for name in (MODELS, MADE) if name in noted}
        pods = self._reach.pods(service, predictor, track)
        return [pod for pod in pods if wanted.items() <= (pod.metadata.annotations or {}).items()]

    def _refused(self, service: Body, track: Track) -> str | None:
        """Return why Kubernetes admits no pod of a track, or None."""
        for each in service.get("status", {}).get("conditions") or []:
            condition = each.get("type"), each.get("status"), each.get("reason")
            if track == "stable" and condition == ("PredictorReady", "False", "FailedCreate"):
                return str(each.get("message"))
        predictor = self._plans.predictor(service, track)
        return self._reach.refused(service, predictor) if predictor else None

    def _missing(self, service: Body, track: Track) -> str | None:
        pods = self._pods(service, track)
        if not self._canary.reconciled(service):
            return f"KServe has not taken it up: {conditions(service) or 'no word of it'}"
        if track == "candidate" and not self._canary.ready(service):
            words = conditions(service) or "no condition gives a reason"
            return f"KServe does not call it ready: {state.unscheduled(pods) or words}"
        predictor = self._plans.predictor(service, track) or {}
        all_pods = self._reach.pods(service, predictor, track)
        old = len([pod for pod in all_pods if pod not in pods and state.is_ready(pod)])
        return f"{old} pods still serve what was before" if old else None

    def _explained(
        self, cause: ReconcileTimeoutError, model: str, track: Track, detect: Detect
    ) -> ApplicationError:
        """Return the error after a timeout: a failure of the candidate, or an outage."""
        pods = self._pods(self._service.get(), track)
        if state.has_run(pods) and not self.disruption(track) and _other(model, track, detect):
            return PackageNotServedError(str(cause))
        return OutageError(f"{cause}; {words}") if (words := state.unscheduled(pods)) else cause

    def _check_mode(self, service: Body) -> None:
        runs = service.get("status", {}).get("deploymentMode")
        if runs and OLD_NAMES.get(runs, runs) != self._mode:
            raise UserError(
                f"KServe runs {self._service.name} in {runs} mode, expected {self._mode}: it is "
                "too old to know the annotation, install KServe 0.16 or later"
            )


def _other(model: str, track: Track, detect: Detect) -> str | None:
    """Return why the answer is not by a model, or None if it is."""
    try:
        answer = detect(track)
    except ApplicationError as cause:
        return str(cause)
    if answer is None:
        return "nothing answers for the dataset"
    return None if answer.model == model else f"{answer.model[:12]} answers, not {model[:12]}"
