"""Models are datasets: what answers for one is a verified package, exchanged in one step."""

import asyncio
import ctypes
from pathlib import Path

from kserve import ModelRepository  # type: ignore[import-untyped]
from kserve.errors import ModelNotFound  # type: ignore[import-untyped]
from kserve.protocol.model_repository_extension import (  # type: ignore[import-untyped]
    ModelRepositoryExtension,
)

from components.contracts.model import PackageLayout
from components.contracts.refusal import Refusal
from components.inference.detector import Detector
from components.inference.golden import check_golden
from components.inference.shelf import Shelf, Slot
from components.inference.signature import check_signature
from components.serve_detector.metrics import LOADED
from components.serve_detector.model import DatasetModel
from components.serve_detector.pool import Pool


class Repository(ModelRepository):  # type: ignore[misc]
    """The models in service, loaded from a shelf.

    Args:
        shelf: The packages, and which of them are current.
        pool: Where inference runs.
        key: The public key that every package must be signed for; None: signatures are
            not asked for.
        slot: Which packages of the shelf: those in service, or the candidates of rollouts.
    """

    def __init__(
        self, shelf: Shelf, pool: Pool, key: Path | None = None, slot: Slot = "current"
    ) -> None:
        """Load nothing yet."""
        super().__init__(str(shelf.root))
        self._shelf = shelf
        self._pool = pool
        self._key = key
        self._slot = slot
        self._loading = asyncio.Lock()

    async def load(self, name: str) -> bool:
        """Put a dataset's current package in service, if it proves itself.

        Until then, and if it does not, the package in service stays. Requests that an old
        package has begun, it ends.

        Raises:
            ModelNotFound: If the dataset has no current package.
            Refusal: If the package is not what it says, is not signed or answers otherwise.
        """
        async with self._loading:
            self._put(name, await asyncio.to_thread(self._open, name))
        return True

    def load_models(self) -> list[str]:
        """Put every dataset's current package in service.

        Returns:
            Why some are not served, a sentence for each.
        """
        refused = []
        for name in self._shelf.datasets(self._slot):
            try:
                self._put(name, self._open(name))
            except Refusal as refusal:
                refused.append(f"{name} is not served: {refusal}")
        return refused

    def _put(self, name: str, detector: Detector) -> None:
        self.update(DatasetModel(name, detector, self._pool))
        LOADED.labels(dataset=name).inc()

    def _open(self, name: str) -> Detector:
        digest = self._shelf.current(name, self._slot)
        if digest is None:
            raise ModelNotFound(name)
        package = self._shelf.package(name, digest)
        info = PackageLayout(package).verify()
        if info.digest != digest:
            raise Refusal(f"the package at {digest[:12]} is {info.digest[:12]}")
        if info.dataset != name:
            raise Refusal(f"model {digest[:12]} is of {info.dataset}, expected {name}")
        if self._key:
            check_signature(package, self._shelf.signature(name, digest), self._key)
        detector = Detector.open(package)
        if detector.digest != digest:  # another package took its place meanwhile
            raise Refusal(f"the package at {digest[:12]} is {detector.digest[:12]} by now")
        check_golden(package, detector.detect_jpeg, detector.info.postprocessing.score_threshold)
        _give_back()
        return detector


def _give_back() -> None:
    """Return to the system the memory that opening a package took and nobody uses any longer."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
    if trim:
        trim(0)


class RepositoryApi(ModelRepositoryExtension):  # type: ignore[misc]
    """KServe's load and unload, with the reason of a refusal left as it is."""

    async def load(self, model_name: str) -> None:
        """Load a model, or let its refusal through instead of a 503."""
        await self._model_registry.load(model_name)
