"""Where models are served: each place knows how to hold a package and how to exchange it."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import httpx

from components.contracts.model import DetectAnswer, PackageError, PackageLayout
from components.contracts.refusal import Refusal
from components.inference.shelf import Shelf

Fetch = Callable[[Path], None]

SECONDS = 60.0  # to load a large package
BUSY, MISSING = 503, 404
ATTEMPTS = 20


class Unreachable(Refusal):
    """Nobody answers where the models should be served."""


class Target(Protocol):
    """A place that answers for datasets."""

    def hold(self, dataset: str, model: str, fetch: Fetch) -> Path:
        """Return a verified copy of a package, fetched if it is not there yet."""

    def switch(self, dataset: str, model: str | None) -> None:
        """Answer with a package from now on; None: do not answer at all."""

    def ask(self, dataset: str, jpeg: bytes) -> DetectAnswer | None:
        """Return what is answered about a JPEG, or None if nothing serves the dataset."""


class ServerTarget:
    """A running `serve_detector`, and the folder that it loads from.

    Args:
        url: Where the server listens.
        shelf: The folder of packages that it was started with.
    """

    def __init__(self, url: str, shelf: Shelf) -> None:
        """Connect when first asked."""
        self._url = url.rstrip("/")
        self._shelf = shelf
        self._client = httpx.Client(base_url=self._url, timeout=SECONDS)

    def hold(self, dataset: str, model: str, fetch: Fetch) -> Path:
        """Return a verified copy of a package, fetched aside and renamed if it is not there.

        Raises:
            PackageError: If what was fetched is not the package.
        """
        folder = self._shelf.package(dataset, model)
        if not _is_package(folder, model):
            shutil.rmtree(folder, ignore_errors=True)
            fresh = folder.with_suffix(".part")  # what a killed run left is begun again
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True)
            fetch(fresh)
            found = PackageLayout(fresh).verify().digest
            if found != model:
                raise PackageError(f"the package stored for {model[:12]} is {found[:12]}")
            fresh.rename(folder)
        return folder

    def switch(self, dataset: str, model: str | None) -> None:
        """Make a package current and have it loaded.

        Raises:
            Refusal: If the server refuses the package, or does not answer.
        """
        self._shelf.point(dataset, model)
        verb = "load" if model else "unload"
        answer = self._post(f"/v2/repository/models/{dataset}/{verb}")
        if answer.is_error and (model or answer.status_code != MISSING):
            raise Refusal(f"the server does not {verb} {dataset}: {_reason(answer)}")

    def ask(self, dataset: str, jpeg: bytes) -> DetectAnswer | None:
        """Return what the server answers about a JPEG, or None if it does not know the dataset.

        Raises:
            Refusal: If the server declines, stays busy or does not answer.
        """
        for _ in range(ATTEMPTS):
            answer = self._post(f"/v1/detect/{dataset}", jpeg)
            if answer.status_code != BUSY:
                break
            time.sleep(0.2)
        if answer.status_code == MISSING:
            return None
        if answer.is_error:
            raise Refusal(f"the server declines a golden picture: {_reason(answer)}")
        return DetectAnswer.model_validate_json(answer.content)

    def _post(self, path: str, content: bytes = b"") -> httpx.Response:
        headers = {"X-Log": "no", "Content-Type": "image/jpeg"} if content else {}
        try:
            return self._client.post(path, content=content, headers=headers)
        except httpx.HTTPError as cause:
            raise Unreachable(f"no server answers at {self._url}: {cause}") from cause

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()


def target_named(name: str, url: str, model_root: str) -> ServerTarget:
    """Return the place that a parameter names.

    Raises:
        Refusal: If there is no such place.
    """
    if name != "server":
        raise Refusal(f"target is {name!r}, expected 'server'")
    return ServerTarget(url, Shelf(model_root))


def _is_package(folder: Path, model: str) -> bool:
    try:
        return PackageLayout(folder).verify().digest == model
    except PackageError:
        return False


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
