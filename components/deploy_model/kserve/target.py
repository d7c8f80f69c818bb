"""One InferenceService for all datasets, and one more predictor while a model is on trial."""

from contextlib import suppress
from pathlib import Path

import httpx

from components.cluster.client import Cluster
from components.contracts.model import DetectAnswer, GoldenAnswer, PackageLayout
from components.contracts.record import read_lines
from components.deploy_model.kserve.awaiting import Awaiting
from components.deploy_model.kserve.canary import (
    KnativeCanary,
    StandardCanary,
    canary_of,
    models_of,
)
from components.deploy_model.kserve.capabilities import check, look
from components.deploy_model.kserve.inference_service import InferenceService
from components.deploy_model.kserve.own_server import ASK_S, OwnServer
from components.deploy_model.kserve.plans import Plans, as_wanted
from components.deploy_model.kserve.predictor import PredictorSettings
from components.deploy_model.kserve.reach import Reach
from components.deploy_model.target import Fetch, Side
from components.traffic.tally import Tally


class KServeTarget:
    """Detectors in an InferenceService.

    Args:
        cluster: Where it lives.
        name: Of the InferenceService.
        server: What runs in it.
        settings: What its pods are like.
        ready_seconds: How long a predictor may take to come up.
        http: Asks the pods; inside a cluster any client finds them.
    """

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        server: OwnServer,
        settings: PredictorSettings,
        ready_seconds: float,
        http: httpx.Client | None = None,
    ) -> None:
        """Nothing is asked yet."""
        self.note = server.note
        self._cluster = cluster
        self._server = server
        self._settings = settings
        self._http = http or httpx.Client(timeout=ASK_S, trust_env=False)
        self._service = InferenceService(cluster, name)
        self._canary = canary_of(settings)
        self._plans = Plans(settings, self._canary)
        self._alone: dict[str, str] = {}  # models on trial that nothing serves beside
        self._reach = Reach(cluster, settings.mode, self._http)
        self._until = Awaiting(
            self._service, self._plans, self._canary, self._reach, settings.mode, ready_seconds
        )

    def hold(self, dataset: str, model: str, fetch: Fetch) -> Path:
        """Return a verified copy of a package.

        Raises:
            PackageError: If what was fetched is not the package.
        """
        return self._server.hold(dataset, model, fetch)

    def serving(self, dataset: str) -> str | None:
        """Return the digest of the package that is configured to answer stably, or None."""
        return self._plans.models(self._service.get(), "stable").get(dataset)

    def current(self, dataset: str, model: str) -> bool:
        """Say whether a model serves stably as the settings and its signature want it.

        While another dataset is on trial, only whether it serves: the candidate has the rest.
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

    def begin(self, dataset: str, model: str) -> None:
        """Bring a candidate up beside what serves, at no share of the requests.

        It serves every dataset: those that are not on trial, with the models that they have.

        Raises:
            Refusal: If the cluster cannot do what the settings want, another dataset is on
                trial, or the candidate is not ready in time.
        """
        service = self._service.get()
        check(self._settings, look(self._cluster, self._settings), service)
        stable = self._plans.models(service, "stable")
        release = self._server.release(stable | {dataset: model})
        predictor = self._server.predictor(release)
        if service is not None and stable.get(dataset) != model:
            self._service.change(lambda it: self._plans.begun(it, dataset, predictor, release))
        else:
            self._alone[dataset] = model
        if service is None:
            self._service.create(self._plans.new(self._service.name, predictor))
        self._until_answers(dataset, model, self._asked(dataset, "candidate"))

    def share(self, dataset: str, percent: int) -> None:
        """Let the candidate answer a share of the requests, once it has the pods for it.

        Raises:
            Refusal: If its pods do not come up, or it is not on trial any more.
        """
        if dataset in self._alone:
            return
        found = self._plans.checked(self._service.recent(), dataset)
        if self._canary.percent(found) == percent:
            return
        needed = self._canary.replicas(percent, self._until.count(found, "stable"))
        self._service.change(lambda it: self._plans.grown(it, dataset, needed))
        if percent:
            self._until.pods(needed, percent)
        self._service.change(lambda it: self._plans.shared(it, dataset, percent))
        self._until.seen(f"KServe does not send {percent} % to the candidate")

    def ask(self, dataset: str, jpeg: bytes, side: Side) -> DetectAnswer | None:
        """Return what one side answers about a JPEG, not logged; None if it has no package.

        Raises:
            Refusal: If it declines, fails or stays busy.
            Unreachable: If nobody answers.
        """
        side = self._asked(dataset, side)
        service = self._service.recent()
        predictor = self._plans.predictor(service, side)
        model = models_of(predictor).get(dataset)
        if service is None or predictor is None or model is None:
            return None
        url = self._reach.url(service, predictor, side)
        return self._server.ask(self._http, url, side, dataset, model, jpeg)

    def tally(self, dataset: str, side: Side) -> Tally:
        """Return what the pods of one side met so far, probes included; Triton counts nothing."""
        side = self._asked(dataset, side)
        service = self._service.recent()
        predictor = self._plans.predictor(service, side)
        model = models_of(predictor).get(dataset)
        if service is None or predictor is None or model is None or not self._server.counts:
            return Tally()
        return self._reach.tally(self._reach.pods(service, predictor, side), dataset, model)

    def serve(self, dataset: str, model: str | None) -> None:
        """Let one package answer every request, and end any trial; None: nothing answers.

        A candidate that is on trial with it is promoted as it is, and no pod starts anew. What
        serves it already is exchanged in place if the settings or its signature are new.

        Raises:
            ConflictError: If another dataset was promoted while this one was on trial.
            Refusal: If it does not come up.
        """
        if model is None:
            self._remove(dataset)
            return
        if self._service.get() is None:
            self.begin(dataset, model)
        self._alone.pop(dataset, None)
        service = self._service.get()
        if self._plans.on_trial(service).get(dataset) == model:
            self._service.change(lambda it: self._plans.promoted(it, dataset, model))
        else:
            before = self._plans.models(service, "stable")
            if before.get(dataset) == model:
                self.abandon(dataset)
            if not self.current(dataset, model):
                self._exchange(before, before | {dataset: model})
        self._until_answers(dataset, model, "stable")

    def abandon(self, dataset: str) -> None:
        """End a trial: the candidate gets no request any more, then it goes."""
        if self._alone.pop(dataset, None):
            return self._remove(dataset)
        service = self._service.get()
        if service is None or dataset not in self._plans.on_trial(service):
            return None
        what = "the candidate still gets requests"
        if isinstance(self._canary, StandardCanary):
            self._service.change(self._canary.ended)
            return self._until.seen(what)
        # While the candidate is the latest revision, KServe knows what was before it.
        self._service.change(lambda it: self._canary.shared(it, 0))
        self._until.seen(what)
        with suppress(Exception):  # requests go to the stable revision, whatever fails here
            self._restore(self._canary, self._plans.models(service, "stable"))
        return None

    def close(self) -> None:
        """Let go of connections, and of the copies that were proved."""
        self._http.close()
        self._server.close()

    def _asked(self, dataset: str, side: Side) -> Side:
        """Return where a side is: what nothing serves beside is stable as far as KServe knows."""
        return "stable" if dataset in self._alone else side

    def _restore(self, canary: KnativeCanary, models: dict[str, str]) -> None:
        predictor = self._server.predictor(self._server.release(models))
        self._service.change(lambda it: canary.restored(it, predictor))
        self._until.settled()
        self._service.change(canary.promoted)

    def _exchange(self, before: dict[str, str], after: dict[str, str]) -> None:
        predictor = self._server.predictor(self._server.release(after))
        self._service.change(lambda it: self._plans.exchanged(it, predictor, before))

    def _remove(self, dataset: str) -> None:
        self.abandon(dataset)
        before = self._plans.models(self._service.get(), "stable")
        after = {name: model for name, model in before.items() if name != dataset}
        if not after:
            self._service.delete()
        elif after != before:
            self._exchange(before, after)

    def _until_answers(self, dataset: str, model: str, side: Side) -> None:
        package = PackageLayout(self._server.hold(dataset, model))
        jpeg = (package.root / read_lines(GoldenAnswer, package.golden)[0].file).read_bytes()
        self._until.answers(model, side, lambda asked: self.ask(dataset, jpeg, asked))
