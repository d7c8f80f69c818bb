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
from components.promotion.deploy_model.kserve.canary import KnativeCanary, StandardCanary, models_of
from components.promotion.deploy_model.kserve.inference_service import TimedOut
from components.promotion.deploy_model.kserve.parts import Parts
from components.promotion.deploy_model.kserve.reach import service_name
from components.promotion.deploy_model.kserve.routes import Routes
from components.promotion.deploy_model.target import Side
from components.shared.cluster.client import ClusterError, ConflictError
from components.shared.contracts.refusal import Outage

PROXY_S = 1.0  # for a gateway's proxies to follow an HTTPRoute
FAULT, WEBHOOK = 500, "failed calling webhook"  # what an API server says whose KServe is away
SIDES: tuple[Side, ...] = ("stable", "candidate")


class Shares:
    """Who gets which share in one InferenceService.

    Args:
        parts: What belongs to it.
        until: Waits for it.
    """

    def __init__(self, parts: Parts, until: Awaiting) -> None:
        self._cluster = parts.cluster
        self._service = parts.service
        self._plans = parts.plans
        self._canary = parts.canary
        self._until = until
        self._routes = Routes(parts.cluster, parts.service.name)

    def lend(self, dataset: str) -> None:
        """Give the stable side as many replicas more as KServe takes off for the candidate."""
        with self._followed(dataset):
            self._service.change(lambda it: self._plans.grown(it, dataset, 1))

    def give(self, dataset: str, percent: int) -> None:
        """Let the candidate answer a share, once it has the pods for it.

        Raises:
            CandidateFailure: If its servers end meanwhile.
            Outage: If its pods do not come up, or KServe does not follow.
        """
        found = self._plans.checked(self._service.get(), dataset)
        needed = self._canary.replicas(percent, self._until.count(found, "stable"))
        with self._followed(dataset):
            self._service.change(lambda it: self._plans.grown(it, dataset, needed))
        if percent:
            self._until.pods(needed, percent)
        with self._followed(dataset):
            self._service.change(lambda it: self._plans.shared(it, dataset, percent))
            self._until.seen(f"KServe does not send {percent} % to the candidate")
            self._routed("candidate", percent)

    def promote(self, dataset: str, model: str) -> None:
        """Let the candidate be the stable one, after it has every request by its share.

        Raises:
            ConflictError: If another dataset was promoted meanwhile: it gets no share then.
            CandidateFailure: If its servers end meanwhile.
            Outage: If KServe does not follow.
        """
        if isinstance(self._canary, StandardCanary):
            found = self._plans.checked(self._service.get(), dataset)
            self._plans.promoted(found, dataset, model)  # refused before clients meet it
            self.give(dataset, 100)
        with self._followed(dataset):
            self._service.change(lambda it: self._plans.promoted(it, dataset, model))
            self._until.seen("the candidate is not the stable one")
            self._routed("stable", 100)
        self._tidy()

    def end(self, dataset: str) -> None:
        """Take the candidate's share away, and once it has none, the candidate (Standard).

        Raises:
            Outage: If KServe does not follow: who gets which share is in its sentence.
        """
        with self._followed(dataset):
            self._service.change(lambda it: self._plans.shared(it, dataset, 0))
            self._until.seen("the candidate still gets requests")
            if isinstance(self._canary, KnativeCanary):
                return  # while it is the latest revision, KServe knows what was before it
            self._routed("candidate", 0)
            self._service.change(self._canary.ended)
            self._until.seen("the candidate is not gone")
        self._tidy()

    def _routed(self, side: Side, percent: int) -> None:
        """Wait until the HTTPRoutes themselves give a side a share, and proxies follow them.

        Raises:
            CandidateFailure: If a server of the side ends meanwhile.
            Outage: If KServe does not follow, or pods cannot be started.
        """
        if isinstance(self._canary, KnativeCanary):
            return
        began = time.monotonic()

        def missing(service: dict[str, object]) -> str | None:
            if percent:  # KServe sends nothing to who is not ready
                self._until.check_pods(service, side, began)
            predictor = self._plans.predictor(service, side)
            backend = service_name(service, predictor or {})
            return self._routes.unlike(backend, percent) if predictor else f"no {side} one"

        self._service.until(missing, FOLLOW_S, f"the {side} one has not {percent} %")
        time.sleep(PROXY_S)

    def _tidy(self) -> None:
        if isinstance(self._canary, StandardCanary):
            remove_orphans(self._cluster, self._service.name, set(self._backends()))

    def _backends(self) -> dict[str, dict[str, str]]:
        """Return the models of each Service that the spec names."""
        service = self._service.get()
        found = {side: self._plans.predictor(service, side) for side in SIDES}
        return {
            service_name(service, predictor): models_of(predictor)
            for predictor in found.values()
            if predictor is not None and service is not None
        }

    @contextmanager
    def _followed(self, dataset: str) -> Iterator[None]:
        """Say what serves what share, if KServe does not do what it is asked."""
        try:
            yield
        except ConflictError:
            raise
        except (ClusterError, TimedOut) as cause:
            away = "its webhook does not answer" if _without_webhook(cause) else str(cause)
            raise Outage(f"KServe does not follow, {away}: {self._told(dataset)}") from cause

    def _told(self, dataset: str) -> str:
        if isinstance(self._canary, KnativeCanary):
            return "try again when it does"
        models, shares = self._backends(), self._routes.shares()
        names = {backend: served.get(dataset, backend)[:12] for backend, served in models.items()}
        parts = [
            (f"{percent} %", names.get(backend, backend))
            for backend, percent in shares.items()
            if percent
        ]
        told = " and ".join(
            f"{share} to {name}" if place else f"{share} of the requests go to {name}"
            for place, (share, name) in enumerate(parts)
        )
        return f"{told or 'nothing serves'} until it does; deploy again then, which ends the trial"


def _without_webhook(cause: Outage) -> bool:
    """Say whether KServe is away: of an API server's own faults, only the words tell it apart."""
    failed = isinstance(cause, ClusterError) and cause.status == FAULT
    return failed and WEBHOOK in str(cause)
