"""What was asked of KServe is awaited, and believed when the pods themselves answer so."""

from collections.abc import Callable
from typing import Any

from components.cluster.client import Body
from components.contracts.model import DetectAnswer
from components.contracts.refusal import Refusal
from components.deploy_model.kserve.canary import Canary
from components.deploy_model.kserve.inference_service import InferenceService, conditions
from components.deploy_model.kserve.plans import Plans
from components.deploy_model.kserve.predictor import MADE, MODELS, Mode
from components.deploy_model.kserve.reach import Reach, is_ready, trouble
from components.deploy_model.target import Side

FOLLOW_S = 60.0  # for KServe to follow the object, where no pod must start
SETTLE_S = 20.0  # for the stable spec to be the latest again, after a rollback (Knative)
OLD_NAMES = {"RawDeployment": "Standard", "Serverless": "Knative"}

Ask = Callable[[Side], DetectAnswer | None]


class Awaiting:
    """Waits for one InferenceService.

    Args:
        service: The object.
        plans: Who is who in it.
        canary: KServe's way.
        reach: The ways to its pods.
        mode: How KServe should run it.
        ready_seconds: For pods to come up.
    """

    def __init__(
        self,
        service: InferenceService,
        plans: Plans,
        canary: Canary,
        reach: Reach,
        mode: Mode,
        ready_seconds: float,
    ) -> None:
        """Keep them."""
        self._service = service
        self._plans = plans
        self._canary = canary
        self._reach = reach
        self._mode = mode
        self._ready_seconds = ready_seconds

    def answers(self, model: str, side: Side, ask: Ask) -> None:
        """Wait until a side answers with a model.

        Args:
            model: Its digest.
            side: Which.
            ask: Asks that side about a picture.

        Raises:
            Refusal: If it does not in time, or its pods say why they never will.
        """

        def missing(service: Body) -> str | None:
            self._check_mode(service)
            return self._missing(service, side) or _other(model, side, ask)

        self._service.until(missing, self._ready_seconds, f"the {side} one is not ready")

    def pods(self, count: int, percent: int) -> None:
        """Wait until the candidate has as many ready pods as its share needs."""

        def missing(service: Body) -> str | None:
            ready = self.count(service, "candidate")
            return None if ready >= count else f"{ready} of {count} are ready"

        what = f"the candidate has not the pods for {percent} %"
        self._service.until(missing, self._ready_seconds, what)

    def count(self, service: Body, side: Side) -> int:
        """Return how many pods of one side are ready."""
        return len([pod for pod in self._pods(service, side) if is_ready(pod)])

    def seen(self, what: str) -> None:
        """Wait until requests go where the spec says."""

        def missing(service: Body) -> str | None:
            return None if self._canary.seen(service) else conditions(service) or "no word of it"

        self._service.until(missing, FOLLOW_S, what)

    def settled(self) -> None:
        """Wait a little until the spec's own revision is ready; it may come later, too."""

        def missing(service: Body) -> str | None:
            return None if self._canary.ready(service) else "it is not ready"

        self._service.until(missing, SETTLE_S, "the stable spec is not the latest again")

    def _pods(self, service: Body, side: Side) -> list[Any]:
        """Return the pods of one side that were made for what it serves now."""
        predictor = self._plans.predictor(service, side)
        if predictor is None:
            return []
        noted = predictor["annotations"]
        wanted = {name: noted[name] for name in (MODELS, MADE) if name in noted}
        pods = self._reach.pods(service, predictor, side)
        return [pod for pod in pods if wanted.items() <= (pod.metadata.annotations or {}).items()]

    def _missing(self, service: Body, side: Side) -> str | None:
        pods = self._pods(service, side)
        if words := trouble(pods):
            raise Refusal(f"the {side} one does not come up: {words}")
        if not self._canary.seen(service):
            return f"KServe has not taken it up: {conditions(service) or 'no word of it'}"
        if side == "candidate" and not self._canary.ready(service):
            return (
                f"KServe does not call it ready: {conditions(service) or 'no condition says why'}"
            )
        predictor = self._plans.predictor(service, side) or {}
        all_pods = self._reach.pods(service, predictor, side)
        old = len([pod for pod in all_pods if pod not in pods and is_ready(pod)])
        return f"{old} pods still serve what was before" if old else None

    def _check_mode(self, service: Body) -> None:
        runs = service.get("status", {}).get("deploymentMode")
        if runs and OLD_NAMES.get(runs, runs) != self._mode:
            raise Refusal(
                f"KServe runs {self._service.name} in {runs} mode, expected {self._mode}: it is "
                "too old to know the annotation, install KServe 0.16 or later"
            )


def _other(model: str, side: Side, ask: Ask) -> str | None:
    """Return who answers instead of a model, or None if it does."""
    try:
        answer = ask(side)
    except Refusal as cause:
        return str(cause)
    if answer is None:
        return "nothing answers for the dataset"
    return None if answer.model == model else f"{answer.model[:12]} answers, not {model[:12]}"
