"""Rollout backend for Triton: images are decoded and letterboxed here, boxes are made here.

Triton checks neither digests nor signatures, so the packages are verified before they are
released. A version of its repository is the first digits of the model's digest, as a number,
so that every answer names its model. It counts no boxes: the answers to clients are not
known, and a rollout rests on its probes alone.
"""

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

import httpx
import numpy as np
from kserve import InferInput, InferRequest, InferResponse

from components.promotion.deploy_model.detect_client import MISSING, reason
from components.promotion.deploy_model.kserve.own_server import OwnServer
from components.promotion.deploy_model.kserve.predictor import triton_server
from components.promotion.deploy_model.kserve.predictor_settings import PredictorSettings
from components.promotion.deploy_model.kserve.release import (
    Release,
    triton_repository,
    triton_version,
)
from components.promotion.deploy_model.kserve.stream import StreamAccess
from components.promotion.deploy_model.target import Fetch, ServerUnreachableError, Track
from components.shared.cluster.client import Body
from components.shared.contracts.errors import JobError, UserError
from components.shared.contracts.model import (
    BOXES,
    EMBEDDING,
    INPUT,
    SCORES,
    DetectAnswer,
    PackageLayout,
)
from components.shared.inference.package_store import DIGEST, PackageStore
from components.shared.inference.picture import Floats, Raw, find
from components.shared.inference.signature import check_signature, public_key
from components.shared.store.objects import Objects
from components.shared.vision.jpeg import decode_jpeg

MOUNTED_KEY = Path("/var/run/secrets/car-public-key/public.pem")  # in a pod that deploys
LENGTH = "inference-header-content-length"


class Triton(OwnServer):
    """Releases for KServe's Triton runtime.

    Raises:
        UserError: If the settings name a Kafka stream: Triton logs no predictions.
    """

    counts = False
    note = "Triton does not report client requests: the candidate was judged by probes alone."

    def __init__(
        self, objects: Objects, settings: PredictorSettings, package_store: PackageStore
    ) -> None:
        if settings.stream != StreamAccess():
            raise UserError(
                "Triton logs nothing to a stream: leave stream out of DETECTOR_PREDICTOR, or set "
                "DETECTOR_TARGET to kserve"
            )
        super().__init__(objects, settings, package_store)

    def fetch_package(self, dataset: str, model: str, fetch: Fetch | None = None) -> Path:
        """Return a verified copy of a package; with a public key, its signature is verified, too.

        Raises:
            UserError: If the settings name a public key that is not mounted here.
            PackageError: If the fetched package has another digest, or is not signed.
        """
        folder = super().fetch_package(dataset, model, fetch)
        if key := self._key():
            check_signature(folder, self._package_store.signature(dataset, model), key)
        return folder

    def _key(self) -> Path | None:
        """Return the public key to verify with, since Triton does not; None if none is set."""
        wanted, key = self._settings.public_key, public_key(os.environ)
        if key or not wanted:
            return key
        if not MOUNTED_KEY.is_file():
            raise UserError(
                f"public_key is {wanted}, but there is no {MOUNTED_KEY}: make the config map "
                "car-public-key with public.pem, or set SIGNING_PUBLIC_KEY"
            )
        return MOUNTED_KEY

    def release(self, models: Mapping[str, str]) -> Release:
        """Verify packages, and write a Triton release with them."""
        for dataset, model in models.items():
            self.fetch_package(dataset, model)
        return triton_repository(self._objects, self._package_store, models)

    def predictor(self, release: Release) -> Body:
        """Return the predictor that serves a release."""
        return triton_server(self._settings, release)

    def detect(
        self, http: httpx.Client, url: str, track: Track, dataset: str, model: str, jpeg: bytes
    ) -> DetectAnswer | None:
        """Return the answer of one track to a JPEG, which is pre- and postprocessed here."""
        return detect_on_triton(
            http, url, track, PackageLayout(self.fetch_package(dataset, model)), jpeg
        )


def detect_on_triton(
    http: httpx.Client, url: str, who: str, package: PackageLayout, jpeg: bytes
) -> DetectAnswer | None:
    """Return the answer of an Open Inference Protocol server to a JPEG.

    Args:
        http: HTTP client.
        url: Address of the server.
        who: Name of the server in messages.
        package: Package of the model, which describes pre- and postprocessing.
        jpeg: The picture.

    Returns:
        The answer, or None if the server does not know the dataset. `model` is the package's
        digest if its version answered, and else the version's digits.

    Raises:
        JobError: If the server declines.
        ServerUnreachableError: If the server does not answer.
    """
    info = package.verify()
    image = decode_jpeg(jpeg)
    began = perf_counter()
    versions = []

    def network(inputs: Floats) -> Raw:
        answer, version = _infer(http, f"{url}/v2/models/{info.dataset}/infer", who, inputs)
        versions.append(version)
        return Raw(*(_tensor(answer, name) for name in (BOXES, SCORES, EMBEDDING)))

    try:
        boxes = find(info, image, network)
    except _Missing:
        return None
    return DetectAnswer(
        model=_model(versions[-1], info.digest), dataset=info.dataset,
        request_id=uuid.uuid4().hex, width=image.shape[1], height=image.shape[0], boxes=boxes,
        latency_ms=round((perf_counter() - began) * 1000, 3),
    )  # fmt: skip


def _model(version: str, expected: str) -> str:
    """Return the digest of a version, padded with zeros if only its first digits are known."""
    if version in (expected, str(triton_version(expected))):
        return expected
    digits = f"{int(version):012x}" if version.isdecimal() else version
    return digits.ljust(64, "0") if DIGEST.fullmatch(digits.ljust(64, "0")) else "0" * 64


class _Missing(Exception):  # noqa: N818 (no fault, an answer)
    """The server does not know the model."""


def _infer(http: httpx.Client, url: str, who: str, inputs: Floats) -> tuple[InferResponse, str]:
    tensor = InferInput(INPUT, list(inputs.shape), "FP32")
    tensor.set_data_from_numpy(inputs, binary_data=True)
    request = InferRequest(
        model_name="", infer_inputs=[tensor], parameters={"binary_data_output": True}
    )
    body, length = request.to_rest()
    headers = {LENGTH: str(length), "Content-Type": "application/octet-stream"}
    try:
        answer = http.post(url, content=bytes(body), headers=headers)
    except httpx.HTTPError as cause:
        raise ServerUnreachableError(f"no {who} server answers at {url}: {cause}") from cause
    if answer.status_code == MISSING:
        raise _Missing
    if answer.is_error:
        raise JobError(f"the {who} server refuses an image: {reason(answer)}")
    json_bytes = int(answer.headers.get(LENGTH) or len(answer.content))
    # KServe's reader leaves the version out.
    version = str(json.loads(answer.content[:json_bytes]).get("model_version"))
    return InferResponse.from_bytes(answer.content, json_bytes), version


def _tensor(answer: InferResponse, name: str) -> Floats:
    output = answer.get_output_by_name(name)
    if output is None:
        raise JobError(f"the answer has no {name}")
    values: Floats = np.asarray(output.as_numpy(), np.float32)
    return values
