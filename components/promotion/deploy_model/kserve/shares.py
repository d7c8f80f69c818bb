"""Set the traffic share of a candidate on KServe, and wait until the HTTPRoute has it.

KServe deletes what its spec does not name any more before it updates the HTTPRoute, so a
candidate, or a stable predictor that is replaced, must have no share in the route before it is
removed.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from components.promotion.deploy_model.kserve.autoscalers import remove_orphans
from components.promotion.deploy_model.kserve.awaiting import FOLLOW_S, Awaiting
from components.promotion.deploy_model.kserve.canary import StandardCanary, models_of
from components.promotion.deploy_model.kserve.inference_service import ReconcileTimeoutError
from components.promotion.deploy_model.kserve.knative_canary import KnativeCanary
from components.promotion.deploy_model.kserve.parts import Parts
from components.promotion.deploy_model.kserve.reach import service_name
from components.promotion.deploy_model.kserve.routes import TrafficRoutes
from components.promotion.deploy_model.target import Track
from components.shared.cluster.client import ClusterError, ConflictError
from components.shared.contracts.errors import OutageError

PROXY_S = 1.0  # for the proxies of a gateway to follow an HTTPRoute
FAULT, WEBHOOK = 500, "failed calling webhook"  # answer of an API server if KServe is down
TRACKS: tuple[Track, ...] = ("stable", "candidate")


class Shares:
    """Traffic shares in one InferenceService.

    Args:
        parts: Collaborators of the target.
        until: Waits for states of the object.
    """

    def __init__(self, parts: Parts, until: Awaiting) -> None:
        self._cluster = parts.cluster
        self._service = parts.service
        self._plans = parts.plans
        self._canary = parts.canary
        self._until = until
        self._routes = TrafficRoutes(parts.cluster, parts.service.name)

    def add_stable_replicas(self, dataset: str) -> None:
        """Add the replicas to the stable track that KServe removes for the candidate."""
        with self._followed(dataset):
            self._service.change(lambda it: self._plans.grown(it, dataset, 1))

    def set_share(self, dataset: str, percent: int) -> None:
        """Set the traffic share of the candidate, after its pods are ready.

        Args:
            dataset: Name of the dataset.
            percent: Traffic share, 0 to 100.

        Raises:
            PackageNotServedError: If its servers crash meanwhile.
            OutageError: If its pods are not ready in time, or KServe does not reconcile.
        """
        found = self._plans.checked(self._service.get(), dataset)
        needed = self._canary.replicas(percent, self._until.count(found, "stable"))
        with self._followed(dataset):
            self._service.change(lambda it: self._plans.grown(it, dataset, needed))
        if percent:
            self._until.pods(needed, percent)
        with self._followed(dataset):
            self._service.change(lambda it: self._plans.shared(it, dataset, percent))
            self._until.reconciled(f"KServe does not send {percent} % to the candidate")
            self._routed("candidate", percent)

    def promote(self, dataset: str, model: str) -> None:
        """Promote the candidate, after its share is 100 %.

        Args:
            dataset: Name of the dataset.
            model: Digest of the candidate.

        Raises:
            ConflictError: If another dataset was promoted meanwhile; the share is not changed.
            PackageNotServedError: If its servers crash meanwhile.
            OutageError: If KServe does not reconcile.
        """
        if isinstance(self._canary, StandardCanary):
            found = self._plans.checked(self._service.get(), dataset)
            self._plans.promoted(found, dataset, model)  # refused before the share changes
            self.set_share(dataset, 100)
        with self._followed(dataset):
            self._service.change(lambda it: self._plans.promoted(it, dataset, model))
            self._until.reconciled("the candidate is not the stable predictor yet")
            self._routed("stable", 100)
        self._tidy()

    def end(self, dataset: str) -> None:
        """Set the share of the candidate to 0, then remove the candidate (Standard).

        Raises:
            OutageError: If KServe does not reconcile; the message has the current shares.
        """
        with self._followed(dataset):
            self._service.change(lambda it: self._plans.shared(it, dataset, 0))
            self._until.reconciled("the candidate still gets requests")
            if isinstance(self._canary, KnativeCanary):
                return  # KServe keeps the former revision while this is the latest
            self._routed("candidate", 0)
            self._service.change(self._canary.ended)
            self._until.reconciled("the candidate is not gone")
        self._tidy()

    def _routed(self, track: Track, percent: int) -> None:
        """Wait until the HTTPRoutes have the share of one track, and proxies follow them.

        Raises:
            PackageNotServedError: If a server of the track crashes meanwhile.
            OutageError: If KServe does not reconcile, or pods cannot be started.
        """
        if isinstance(self._canary, KnativeCanary):
            return
        began = time.monotonic()

        def missing(service: dict[str, object]) -> str | None:
            if percent:  # KServe routes only to ready pods
                self._until.check_pods(service, track, began)
            predictor = self._plans.predictor(service, track)
            backend = service_name(service, predictor or {})
            return self._routes.unlike(backend, percent) if predictor else f"no {track} predictor"

        self._service.until(
            missing, FOLLOW_S, f"the {track} predictor has not {percent} % of the requests"
        )
        time.sleep(PROXY_S)

    def _tidy(self) -> None:
        if isinstance(self._canary, StandardCanary):
            remove_orphans(self._cluster, self._service.name, set(self._backends()))

    def _backends(self) -> dict[str, dict[str, str]]:
        """Return the models of each Service that the spec names."""
        service = self._service.get()
        found = {track: self._plans.predictor(service, track) for track in TRACKS}
        return {
            service_name(service, predictor): models_of(predictor)
            for predictor in found.values()
            if predictor is not None and service is not None
        }

    @contextmanager
    def _followed(self, dataset: str) -> Iterator[None]:
        """Add the current shares to the error if KServe does not reconcile."""
        try:
            yield
        except ConflictError:
            raise
        except (ClusterError, ReconcileTimeoutError) as cause:
            away = "its webhook does not answer" if _without_webhook(cause) else str(cause)
            raise OutageError(
                f"KServe does not follow, {away}: {self._current_shares(dataset)}"
            ) from cause

    def _current_shares(self, dataset: str) -> str:
        if isinstance(self._canary, KnativeCanary):
            return "try again when it does"
        models, shares = self._backends(), self._routes.shares()
        names = {backend: served.get(dataset, backend)[:12] for backend, served in models.items()}
        parts = [
            (f"{percent} %", names.get(backend, backend))
            for backend, percent in shares.items()
            if percent
        ]
        sentence = " and ".join(
            f"{share} to {name}" if place else f"{share} of the requests go to {name}"
            for place, (share, name) in enumerate(parts)
        )
        return (
            f"{sentence or 'nothing serves'} until it does; deploy again then, which ends the trial"
        )


def _without_webhook(cause: OutageError) -> bool:
    """Return whether KServe is down: only the text of the error shows it."""
    failed = isinstance(cause, ClusterError) and cause.status == FAULT
    return failed and WEBHOOK in str(cause)
