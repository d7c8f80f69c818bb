"""HTTP client of the server under test, for the detect route and the Open Inference Protocol."""

import json
from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import NamedTuple, Self

import httpx
import numpy as np
from numpy.typing import NDArray

from components.promotion.check_model.faults import PackageRejectedError
from components.shared.contracts.model import INPUT, DetectAnswer
from components.shared.inference.picture import Floats

Tensors = dict[str, NDArray[np.number]]
KINDS = {"FP32": "<f4", "INT64": "<i8"}  # as the protocol calls what a package may give
LENGTH = "inference-header-content-length"  # bytes of JSON, then come tensors
MAX_ANSWER_BYTES = 64_000_000  # of an answer


class Answered(NamedTuple):
    """The server's boxes for a picture, and how long it took over HTTP, in ms."""

    answer: DetectAnswer
    ms: float


class Client:
    """HTTP client of one server, without timeouts: the caller has a watchdog.

    Args:
        url: Address of the server.
    """

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=None, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._http.close()

    def load(self, dataset: str) -> None:
        """Make the server load the current package of a dataset.

        Raises:
            PackageRejectedError: If the server refuses, with its reason.
            ConnectionError: If the connection breaks.
        """
        self._post(f"/v2/repository/models/{dataset}/load", b"", {}, "does not load it")

    def detect(self, dataset: str, jpeg: bytes) -> Answered:
        """Return the boxes in a JPEG, and the latency.

        Args:
            dataset: Name of the dataset.
            jpeg: The image.

        Raises:
            PackageRejectedError: If the server declines, or the answer cannot be parsed.
            ConnectionError: If the connection breaks.
        """
        headers = {"content-type": "image/jpeg", "x-log": "no"}
        began = perf_counter()
        content, _ = self._post(f"/v1/detect/{dataset}", jpeg, headers, "refuses an image")
        ms = (perf_counter() - began) * 1000
        try:
            return Answered(DetectAnswer.model_validate_json(content), ms)
        except ValueError as cause:
            raise PackageRejectedError(
                f"the answer for an image cannot be parsed: {content[:80]!r}"
            ) from cause

    def infer(self, dataset: str, images: Floats) -> Tensors:
        """Return the outputs of the graph by name, over the Open Inference Protocol in binary.

        Args:
            dataset: Name of the dataset.
            images: `[n, 3, h, w]`, 0 to 1.

        Raises:
            PackageRejectedError: If the server declines, or the answer cannot be parsed.
            ConnectionError: If the connection breaks.
        """
        tensor = images.astype("<f4").tobytes()
        described = json.dumps({
            "inputs": [{"name": INPUT, "shape": images.shape, "datatype": "FP32",
                        "parameters": {"binary_data_size": len(tensor)}}],
            "parameters": {"binary_data_output": True},
        }).encode()  # fmt: skip
        headers = {LENGTH: str(len(described)), "content-type": "application/octet-stream"}
        content, lengths = self._post(
            f"/v2/models/{dataset}/infer", described + tensor, headers, "refuses an image"
        )
        try:
            return dict(_tensors(content, int(lengths[LENGTH])))
        except (ValueError, KeyError, TypeError) as cause:
            raise PackageRejectedError(
                f"the tensors for an image cannot be parsed: {content[:80]!r}"
            ) from cause

    def _post(
        self, path: str, content: bytes, headers: Mapping[str, str], otherwise: str
    ) -> tuple[bytes, Mapping[str, str]]:
        """Return body and headers of an answer; any status but 200 rejects the package."""
        try:
            with self._http.stream("POST", path, content=content, headers=dict(headers)) as answer:
                got = bytearray()
                for chunk in answer.iter_bytes():
                    got += chunk
                    if len(got) > MAX_ANSWER_BYTES:
                        raise PackageRejectedError(
                            f"its answer is too long, expected at most {MAX_ANSWER_BYTES:,} B"
                        )
        except httpx.TransportError as cause:
            raise ConnectionError(str(cause)) from cause
        if answer.status_code != httpx.codes.OK:
            raise PackageRejectedError(
                f"the server {otherwise}: {_reason(bytes(got), answer.status_code)}"
            )
        return bytes(got), answer.headers


def _tensors(content: bytes, length: int) -> Iterator[tuple[str, NDArray[np.number]]]:
    """Yield name and values of each binary tensor, which follow the JSON of an answer."""
    place = length
    for output in json.loads(content[:length])["outputs"]:
        size = output["parameters"]["binary_data_size"]
        values = np.frombuffer(content[place : place + size], KINDS[output["datatype"]])
        yield output["name"], values.reshape(output["shape"])
        place += size


def _reason(content: bytes, status: int) -> str:
    """Return the error of the server, or its HTTP status if the body has none."""
    try:
        return str(json.loads(content)["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {status}"
