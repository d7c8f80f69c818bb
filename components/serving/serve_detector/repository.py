"""Model repository: load, verify and swap the package that serves each dataset.

The package in service stays until the new one is verified and has answered its golden images.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from threading import Thread

from kserve import ModelRepository

from components.serving.serve_detector.metrics import LOADED
from components.serving.serve_detector.model import DatasetModel
from components.shared.contracts.errors import ApplicationError, JobError, UserError
from components.shared.contracts.model import PackageLayout
from components.shared.contracts.policy import GoldenPolicy
from components.shared.inference.detector import Detector
from components.shared.inference.golden import TOLERANCE, check_golden
from components.shared.inference.memory import trim_memory
from components.shared.inference.package_store import PackageStore, Slot
from components.shared.inference.signature import check_signature
from components.shared.traffic.http_errors import MAX_ERROR_CHARS, unknown_model

MAX_LOAD_SECONDS = 50.0  # a deployment waits 60 s
MAX_HANGING = 4  # loads that never ended, before no other is tried


class Repository(ModelRepository):  # type: ignore[misc]
    """The models in service, loaded from a package store.

    Args:
        package_store: The packages, with a pointer to the current one of each dataset.
        key: Public key to verify signatures with; None does not verify.
        slot: `current` for the packages in service, `candidate` for those on trial.
        load_seconds: Timeout to load one package, in seconds.
        tolerance: Tolerance of the answers to golden images.
    """

    def __init__(
        self,
        package_store: PackageStore,
        key: Path | None = None,
        slot: Slot = "current",
        load_seconds: float = MAX_LOAD_SECONDS,
        tolerance: GoldenPolicy = TOLERANCE,
    ) -> None:
        super().__init__(str(package_store.root))
        self._package_store = package_store
        self._key = key
        self._slot = slot
        self._load_seconds = load_seconds
        self._tolerance = tolerance
        self._loading = asyncio.Lock()
        self._hanging: list[Future[Detector]] = []

    def model_named(self, name: str) -> DatasetModel:
        """Return the model of a request.

        Raises:
            HttpError: 404, with the names of the loaded models.
        """
        model: DatasetModel | None = self.get_model(name)
        if model is None:
            raise unknown_model(name, self.get_models())
        return model

    def absent(self) -> list[str]:
        """Return the names of models that are in the store and not loaded."""
        return sorted(set(self._package_store.datasets(self._slot)) - set(self.get_models()))

    async def load(self, name: str) -> bool:
        """Load the current package of a dataset, verify it, and swap it in.

        If it fails, the package in service stays. Requests that have begun are answered by the
        old package.

        Raises:
            HttpError: 404, if the dataset has no current package.
            UserError: If the package is damaged, not signed, answers its golden images wrongly,
                or takes too long to load.
        """
        async with self._loading:
            opening = self._opening(name)
            await asyncio.to_thread(wait, [opening], self._load_seconds)
            self._put(name, opening)
        return True

    def load_models(self) -> list[str]:
        """Load the current package of every dataset.

        Returns:
            A sentence for each dataset that is not served.
        """
        refused = []
        for name in self._package_store.datasets(self._slot):
            try:
                opening = self._opening(name)
                wait([opening], self._load_seconds)
                self._put(name, opening)
            except ApplicationError as error:
                refused.append(f"{name} is not served: {error}")
        return refused

    def _opening(self, name: str) -> Future[Detector]:
        """Open a package in a thread of its own, so that one that hangs blocks no other."""
        self._hanging = [opening for opening in self._hanging if not opening.done()]
        if len(self._hanging) >= MAX_HANGING:
            raise JobError(
                f"{len(self._hanging)} packages hang while they load: restart the server"
            )
        return _in_thread(lambda: self._open(name))

    def _put(self, name: str, opening: Future[Detector]) -> None:
        """Swap an opened package in.

        Raises:
            UserError: If it failed to open, or is not open yet; then it is never served.
        """
        if not opening.done():
            self._hanging.append(opening)
            raise JobError(
                f"the package of {name} takes more than {self._load_seconds:g} s to load"
            )
        failure = opening.exception()
        if failure is not None and not isinstance(failure, ApplicationError):
            reason = f"{type(failure).__name__}: {failure}"
            raise UserError(
                f"the package of {name} cannot be loaded: {reason[:MAX_ERROR_CHARS]}"
            ) from failure
        self.update(DatasetModel(name, opening.result()))
        LOADED.labels(dataset=name).inc()

    def _open(self, name: str) -> Detector:
        digest = self._package_store.current(name, self._slot)
        if digest is None:
            raise unknown_model(name, self._package_store.datasets(self._slot))
        package = self._package_store.package(name, digest)
        info = PackageLayout(package).verify()
        if info.digest != digest:
            raise UserError(f"the package at {digest[:12]} is {info.digest[:12]}")
        if info.dataset != name:
            raise UserError(f"model {digest[:12]} is of {info.dataset}, expected {name}")
        if self._key:
            check_signature(package, self._package_store.signature(name, digest), self._key)
        detector = Detector.open(package)
        if detector.digest != digest:  # another package took its place meanwhile
            raise UserError(f"the package at {digest[:12]} is {detector.digest[:12]} by now")
        least = detector.info.postprocessing.score_threshold
        check_golden(package, detector.detect_jpeg, least, self._tolerance)
        trim_memory()
        return detector


def _in_thread(open_package: Callable[[], Detector]) -> "Future[Detector]":
    """Call a function in a thread that does not keep the process from ending."""
    future: Future[Detector] = Future()

    def run() -> None:
        try:
            future.set_result(open_package())
        except BaseException as failure:
            future.set_exception(failure)

    Thread(target=run, name="load", daemon=True).start()
    return future
