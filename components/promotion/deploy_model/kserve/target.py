"""Rollout target on KServe: one InferenceService for all datasets.

While a model is on trial, a second predictor serves the candidate.
"""

from contextlib import suppress
from pathlib import Path

import httpx

from components.promotion.deploy_model.detect_client import DETECT_TIMEOUT_S
from components.promotion.deploy_model.kserve.awaiting import Awaiting
from components.promotion.deploy_model.kserve.canary import canary_of, models_of
from components.promotion.deploy_model.kserve.capabilities import check, read_capabilities
from components.promotion.deploy_model.kserve.changes import Changes
from components.promotion.deploy_model.kserve.inference_service import InferenceService
from components.promotion.deploy_model.kserve.knative_canary import KnativeCanary
from components.promotion.deploy_model.kserve.own_server import OwnServer
from components.promotion.deploy_model.kserve.parts import Parts
from components.promotion.deploy_model.kserve.plans import Plans, as_wanted
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.promotion.deploy_model.kserve.reach import Reach
from components.promotion.deploy_model.kserve.shares import Shares
from components.promotion.deploy_model.target import Fetch, Track
from components.shared.cluster.client import Cluster
from components.shared.contracts.model import DetectAnswer, GoldenAnswer, PackageLayout
from components.shared.contracts.record import read_lines
from components.shared.traffic.request_metrics import RequestMetrics


class KServeTarget:
    """Rollout target with one InferenceService.

    Args:
        cluster: The cluster.
        name: Name of the InferenceService.
        server: Our own server or Triton.
        settings: Settings of the pods.
        ready_seconds: Timeout for a predictor to become ready, in seconds.
        turn_seconds: Maximum wait for the rollout of another dataset, in seconds.
        http: HTTP client for the pods; None for a new one.
    """

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        server: OwnServer,
        settings: PredictorSettings,
        ready_seconds: float,
        turn_seconds: float,
        http: httpx.Client | None = None,
    ) -> None:
        self.note = server.note
        self._cluster = cluster
        self._server = server
        self._settings = settings
        self._http = http or httpx.Client(timeout=DETECT_TIMEOUT_S, trust_env=False)
        self._service = InferenceService(cluster, name)
        self._canary = canary_of(settings)
        self._plans = Plans(settings, self._canary)
        self._reach = Reach(cluster, settings.mode, self._http)
        self._alone: dict[str, str] = {}  # candidates without a stable predictor
        parts = Parts(
            cluster=cluster, service=self._service, plans=self._plans, canary=self._canary,
            reach=self._reach, server=server, mode=settings.mode,
        )  # fmt: skip
        self._until = Awaiting(parts, ready_seconds)
        self._shares = Shares(parts, self._until)
        self._changes = Changes(parts, turn_seconds)

    def fetch_package(self, dataset: str, model: str, fetch: Fetch) -> Path:
        """Return a verified copy of a package.

        Raises:
            PackageError: If the fetched package has another digest.
        """
        return self._server.fetch_package(dataset, model, fetch)

    def stable_model(self, dataset: str) -> str | None:
        """Return the digest of the configured stable package, or None."""
        return self._plans.models(self._service.get(), "stable").get(dataset)

    def is_current(self, dataset: str, model: str) -> bool:
        """Return whether a model is stable, with the current settings and signature.

        While another dataset is on trial, settings are not compared: its candidate has them.
        """
        service = self._service.get()
        stable = self._plans.models(service, "stable")
        trial = self._plans.on_trial(service)
        if stable.get(dataset) != model or trial:
            return stable.get(dataset) == model and dataset not in trial
        predictor = self._server.predictor(self._server.release(stable))
        return as_wanted(
            *self._service.tried(lambda it: self._plans.exchanged(it, predictor, stable))
        )

    def start(self, dataset: str, model: str) -> None:
        """Start a candidate beside the stable predictor, without traffic.

        It serves every dataset: those that are not on trial, with their stable models.

        Raises:
            PackageNotServedError: If its own server crashes, or runs and is not ready in time.
            UserError: If the cluster does not support the settings, or does not reconcile.
        """
        service = self._service.get()
        check(self._settings, read_capabilities(self._cluster, self._settings), service)
        if service and dataset in self._plans.on_trial(service) and self._canary.percent(service):
            self._shares.set_share(dataset, 0)  # the candidate of a killed run
        if not self._changes.start(dataset, model):
            self._alone[dataset] = model
        track = self._track_of(dataset, "candidate")
        if track == "candidate" and self._adds_replicas_early():
            self._until.started(track)
            self._shares.add_stable_replicas(dataset)
        self._until_answers(dataset, model, track)
        if track == "candidate":
            self._shares.add_stable_replicas(dataset)

    def set_share(self, dataset: str, percent: int) -> None:
        """Set the traffic share of the candidate, after its pods are ready.

        Raises:
            PackageNotServedError: If its servers crash meanwhile.
            OutageError: If its pods are not ready in time, or KServe does not reconcile.
        """
        if dataset in self._alone:
            return
        found = self._plans.checked(self._service.recent(), dataset)
        if self._canary.percent(found) != percent:
            self._shares.set_share(dataset, percent)

    def detect(self, dataset: str, jpeg: bytes, track: Track) -> DetectAnswer | None:
        """Return what one track answers about a JPEG, not logged; None if it has no package.

        Raises:
            UserError: If the server declines, fails or stays busy.
            ServerUnreachableError: If no server answers.
        """
        track = self._track_of(dataset, track)
        service = self._service.recent()
        predictor = self._plans.predictor(service, track)
        model = models_of(predictor).get(dataset)
        if service is None or predictor is None or model is None:
            return None
        url = self._reach.url(service, predictor, track)
        return self._server.detect(self._http, url, track, dataset, model, jpeg)

    def request_metrics(self, dataset: str, track: Track) -> RequestMetrics:
        """Return the request metrics of the pods of one track, with probes; empty for Triton."""
        track = self._track_of(dataset, track)
        service = self._service.recent()
        predictor = self._plans.predictor(service, track)
        model = models_of(predictor).get(dataset)
        if service is None or predictor is None or model is None or not self._server.counts:
            return RequestMetrics()
        return self._reach.request_metrics(
            self._reach.pods(service, predictor, track), dataset, model
        )

    def disruption(self, dataset: str) -> str | None:
        """Return why pods of the candidate were evicted, such as a drained node, or None."""
        return self._until.disruption(self._track_of(dataset, "candidate"))

    def serve(self, dataset: str, model: str | None) -> None:
        """Make one package stable for all requests, and end any rollout; None serves nothing.

        A candidate with this package is promoted, and no pod is restarted. A stable predictor
        with it is updated in place if settings or signature have changed.

        Raises:
            ConflictError: If another dataset was promoted while this one was on trial.
            PackageNotServedError: If it does not become ready.
            OutageError: If KServe does not reconcile.
        """
        if model is None:
            self._remove(dataset)
            return
        if self._service.get() is None:
            self.start(dataset, model)
        self._alone.pop(dataset, None)
        if self._plans.on_trial(self._service.get()).get(dataset) == model:
            self._shares.promote(dataset, model)
        else:
            self.remove_candidate(dataset)
            if not self.is_current(dataset, model):
                self._changes.exchange(dataset, model)
        self._until_answers(dataset, model, "stable")

    def remove_candidate(self, dataset: str) -> None:
        """End a rollout: take the traffic from the candidate, then remove it.

        Raises:
            OutageError: If KServe does not reconcile.
        """
        if self._alone.pop(dataset, None):
            return self._remove(dataset)
        service = self._service.get()
        if service is None or dataset not in self._plans.on_trial(service):
            return None
        self._shares.end(dataset)
        if isinstance(self._canary, KnativeCanary):
            with suppress(Exception):  # all traffic goes to the stable revision already
                self._restore(self._canary, self._plans.models(service, "stable"))
        return None

    def close(self) -> None:
        """Close the connections, and delete the local copies."""
        self._http.close()
        self._server.close()

    def _track_of(self, dataset: str, track: Track) -> Track:
        """Return the track for KServe: a candidate without a stable predictor is its stable one."""
        return "stable" if dataset in self._alone else track

    def _restore(self, canary: KnativeCanary, models: dict[str, str]) -> None:
        predictor = self._server.predictor(self._server.release(models))
        self._service.change(lambda it: canary.restored(it, predictor))
        self._until.settled()
        self._service.change(canary.promoted)

    def _adds_replicas_early(self) -> bool:
        """Return whether KServe would stop a stable pod as soon as the candidate is ready.

        An autoscaler waits before it scales down; without one, replicas are added in advance.
        """
        settings = self._settings
        scales = settings.max_replicas > settings.min_replicas
        return settings.mode == "Standard" and settings.min_replicas > 1 and not scales

    def _remove(self, dataset: str) -> None:
        self.remove_candidate(dataset)
        serving = self._plans.models(self._service.get(), "stable").keys()
        if serving == {dataset} or not serving:
            self._service.delete()
        elif dataset in serving:
            self._changes.exchange(dataset, None)

    def _until_answers(self, dataset: str, model: str, track: Track) -> None:
        package = PackageLayout(self._server.fetch_package(dataset, model))
        jpeg = (package.root / read_lines(GoldenAnswer, package.golden)[0].file).read_bytes()
        self._until.answers(model, track, lambda asked: self.detect(dataset, jpeg, asked))
