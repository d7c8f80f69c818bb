"""Route `POST /v1/detect/<dataset>`: decode a JPEG, detect objects, answer and log the boxes."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from components.serving.serve_detector.pool import Pool
from components.serving.serve_detector.predictions import PredictionLog
from components.serving.serve_detector.repository import Repository
from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.errors import ApplicationError
from components.shared.contracts.events import PredictionMade
from components.shared.contracts.model import DetectAnswer
from components.shared.inference.detector import Detector
from components.shared.traffic.http_errors import HttpError
from components.shared.traffic.metrics import Outcome, count
from components.shared.vision.jpeg import decode_jpeg

MAX_HEADER_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class DetectedImage:
    """The boxes in a JPEG, with its SHA-256 and size in pixels."""

    sha256: str
    width: int
    height: int
    boxes: tuple[ScoredBox, ...]


class Detect:
    """The route `POST /v1/detect/{dataset}`.

    Args:
        repository: The models in service.
        pool: Thread pool for decoding and inference.
        log: Log of predictions; None for no log.
    """

    def __init__(self, repository: Repository, pool: Pool, log: PredictionLog | None) -> None:
        self._repository = repository
        self._pool = pool
        self._log = log

    async def answer(self, request: Request) -> Response:
        """Answer one JPEG.

        `X-Camera` and `X-Request-Id` are optional; `X-Log: no` keeps a picture that is not from
        a camera, such as a golden one, out of the log.
        """
        dataset = request.path_params["dataset"]
        detector = self._repository.model_named(dataset).detector
        _check_type(request)
        camera = unquote(_header(request, "x-camera") or "unknown")
        request_id = _header(request, "x-request-id") or uuid.uuid4().hex
        jpeg = await request.body()
        seen, seconds = await self._see(dataset, detector, jpeg)
        answer = DetectAnswer(
            model=detector.digest, dataset=dataset, request_id=request_id, width=seen.width,
            height=seen.height, boxes=seen.boxes, latency_ms=round(seconds * 1000, 3),
        )  # fmt: skip
        if self._log and request.headers.get("x-log") != "no":
            self._log.add(_prediction(answer, seen.sha256, camera))
        return Response(answer.model_dump_json(), media_type="application/json")

    async def _see(
        self, dataset: str, detector: Detector, jpeg: bytes
    ) -> tuple[DetectedImage, float]:
        """Return the boxes in a JPEG and the latency in seconds; count the request in any case."""
        outcome: Outcome = "error"
        boxes: tuple[ScoredBox, ...] = ()
        started = perf_counter()
        try:
            seen = await self._pool.run(see, detector, jpeg)
            outcome, boxes = "ok", seen.boxes
        except ApplicationError as error:
            outcome = "error" if isinstance(error, HttpError) else "refused"
            raise
        finally:
            seconds = perf_counter() - started
            scores = sum(box.score for box in boxes)
            count(dataset, detector.digest[:12], outcome, seconds, len(boxes), scores)
        return seen, seconds


def see(detector: Detector, jpeg: bytes) -> DetectedImage:
    """Decode a JPEG and detect the objects in it.

    Args:
        detector: The model.
        jpeg: The file.
    """
    image = decode_jpeg(jpeg)
    height, width = image.shape[:2]
    return DetectedImage(hashlib.sha256(jpeg).hexdigest(), width, height, detector.detect(image))


def _check_type(request: Request) -> None:
    kind = request.headers.get("content-type", "image/jpeg").partition(";")[0].strip().lower()
    if kind != "image/jpeg":
        raise HttpError(415, f"the body is {kind[:80]!r}, expected image/jpeg")


def _header(request: Request, name: str) -> str | None:
    value = request.headers.get(name)
    if value and (len(value) > MAX_HEADER_CHARACTERS or not value.isprintable()):
        raise HttpError(
            400, f"{name} is {value[:20]!r}..., expected {MAX_HEADER_CHARACTERS} characters"
        )
    return value


def _prediction(answer: DetectAnswer, sha256: str, camera: str) -> PredictionMade:
    return PredictionMade(
        **dict(answer), sha256=sha256, camera=camera, predicted_at=datetime.now(UTC)
    )
