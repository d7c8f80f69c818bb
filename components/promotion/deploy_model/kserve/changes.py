"""Start a candidate in an InferenceService, or exchange its stable predictor.

All datasets share the object, and one candidate may be on trial at a time: a change for
another dataset waits for its turn.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from components.promotion.deploy_model.kserve.inference_service import LOOK_S
from components.promotion.deploy_model.kserve.parts import Parts
from components.shared.cluster.client import Body, ConflictError
from components.shared.contracts.progress import log_progress

T = TypeVar("T")


class Changes:
    """Changes of one InferenceService.

    Args:
        parts: Collaborators of the target.
        turn_seconds: Maximum wait for the rollout of another dataset, in seconds.
    """

    def __init__(self, parts: Parts, turn_seconds: float) -> None:
        self._service = parts.service
        self._plans = parts.plans
        self._server = parts.server
        self._turn_seconds = turn_seconds

    def start(self, dataset: str, model: str) -> bool:
        """Start a candidate; return False if there is no stable predictor beside it.

        Raises:
            ConflictError: If another dataset is on trial for too long.
        """
        return self._in_turn(lambda: self._begun(dataset, model))

    def exchange(self, dataset: str, model: str | None) -> None:
        """Replace the stable model of a dataset, or remove it, without a rollout.

        Args:
            dataset: Name of the dataset.
            model: Digest of the new package; None removes the dataset.

        Raises:
            ConflictError: If another dataset is on trial for too long.
        """
        self._in_turn(lambda: self._exchanged(dataset, model))

    def _begun(self, dataset: str, model: str) -> bool:
        service = self._service.get()
        stable = self._plans.models(service, "stable")
        if stable.get(dataset) == model:
            return False
        self._plans.check_alone(service, dataset)  # before packages are read and sent
        release = self._server.release(stable | {dataset: model})
        predictor = self._server.predictor(release)
        if service is None:
            self._service.create(self._plans.new(self._service.name, predictor))
            return False
        self._service.change(lambda it: self._plans.begun(it, dataset, predictor, release))
        return True

    def _exchanged(self, dataset: str, model: str | None) -> None:
        service = self._service.get()
        self._plans.check_alone(service, dataset)  # before packages are read and sent
        before = self._plans.models(service, "stable")
        after = {name: digest for name, digest in before.items() if name != dataset}
        after |= {dataset: model} if model else {}
        predictor = self._server.predictor(self._server.release(after))

        def plan(service: Body) -> Body:
            self._plans.check_alone(service, dataset)
            return self._plans.exchanged(service, predictor, before)

        self._service.change(plan)

    def _in_turn(self, act: Callable[[], T]) -> T:
        """Call a function, and retry after conflicts with a rollout of another dataset."""
        deadline, logged = time.monotonic() + self._turn_seconds, ""
        while True:
            try:
                return act()
            except ConflictError as conflict:
                if time.monotonic() > deadline:
                    raise
                if logged != str(conflict):
                    log_progress(f"waiting: {conflict}")
                logged = str(conflict)
            time.sleep(LOOK_S)
