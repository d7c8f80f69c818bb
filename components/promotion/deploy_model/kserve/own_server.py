"""Rollout backend for our own server (`serve_detector`): releases, predictor and probes."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import httpx

from components.promotion.deploy_model.detect_client import DETECT_TIMEOUT_S, detect_on_server
from components.promotion.deploy_model.kserve.predictor import own_server
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.promotion.deploy_model.kserve.release import Release, shelved
from components.promotion.deploy_model.packages import keep, registered
from components.promotion.deploy_model.target import Fetch, Track
from components.shared.cluster.client import Body
from components.shared.contracts.model import DetectAnswer
from components.shared.inference.package_store import PackageStore
from components.shared.store.objects import Objects


class OwnServer:
    """Releases for our own server, which verifies packages and counts requests.

    Args:
        objects: The object store with the registered packages and the releases.
        settings: Settings of the pods.
        package_store: Local store, where packages are verified before they are released.
    """

    counts = True
    note = "Clients see the requests that the candidate fails, until it is rolled back."

    def __init__(
        self, objects: Objects, settings: PredictorSettings, package_store: PackageStore
    ) -> None:
        self._objects = objects
        self._settings = settings
        self._package_store = package_store

    def fetch_package(self, dataset: str, model: str, fetch: Fetch | None = None) -> Path:
        """Return a verified copy of a package.

        Args:
            dataset: Name of the dataset.
            model: Digest of the package.
            fetch: Fills a folder; None fetches the registered package.

        Raises:
            PackageError: If the fetched package has another digest.
        """
        return keep(self._package_store, dataset, model, fetch or registered(self._objects, model))

    def release(self, models: Mapping[str, str]) -> Release:
        """Verify packages, and write a release with them."""
        for dataset, model in models.items():
            self.fetch_package(dataset, model)
        return shelved(self._objects, self._package_store, models)

    def predictor(self, release: Release) -> Body:
        """Return the predictor that serves a release."""
        return own_server(self._settings, release)

    def detect(
        self, http: httpx.Client, url: str, track: Track, dataset: str, model: str, jpeg: bytes
    ) -> DetectAnswer | None:
        """Return the answer of one track to a JPEG; it names the model.

        Args:
            http: HTTP client.
            url: Address of the server.
            track: `stable` or `candidate`, for messages.
            dataset: Name of the dataset.
            model: Digest of the package, 64 hexadecimal digits.
            jpeg: The picture.
        """
        del model
        return detect_on_server(http, url, track, dataset, jpeg, DETECT_TIMEOUT_S)

    def close(self) -> None:
        """Delete the local copies."""
        shutil.rmtree(self._package_store.root, ignore_errors=True)
