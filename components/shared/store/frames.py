"""Send frames: store the JPEG first, then publish the event, so no event names missing bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

import httpx
import tenacity

from components.shared.contracts.annotation import Box, check_inside
from components.shared.contracts.errors import JobError, OutageError
from components.shared.contracts.events import (
    DatasetDeclared,
    FrameCaptured,
    FrameLabelled,
    FrameRefused,
    Split,
)
from components.shared.contracts.record import make
from components.shared.contracts.values import storable
from components.shared.store.objects import Objects, digest_bytes, frame_key
from components.shared.store.stream import (
    Sink,
    message_of,
    producer,
    publish,
    send_message,
)

TIMEOUT_S = 60.0
TRIES = 6
AFTER_ERROR_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One JPEG and its metadata.

    Attributes:
        jpeg: The file's bytes, as they came.
        width: Width in pixels.
        height: Height in pixels.
        camera: Who saw it.
        captured_at: When, with a time zone.
        source_name: What the sender calls it, such as a file's name.
        group: Frames that must share a split.
        split: The split its owner chose, if any.
        boxes: What is in it; empty says that nothing is, None that nobody looked.
        labelled_at: When somebody looked; `captured_at` if not given.
    """

    jpeg: bytes
    width: int
    height: int
    camera: str
    captured_at: datetime
    source_name: str
    group: str
    split: Split | None = None
    boxes: tuple[Box, ...] | None = None
    labelled_at: datetime | None = None


class FrameSender:
    """Sends the frames of one dataset; leaving its context waits for all deliveries.

    Args:
        objects: Where the bytes go.
        producer: Where the events go; it is closed with the sender.
        dataset: The dataset's name.
        source: Who sends, as a URI reference such as `/simulate_cameras`.
        labelled_by: Who the boxes are from.
        tool: Name of the annotation tool.
        endpoint: The detector's server, if each frame is also to be answered by it.
    """

    def __init__(
        self,
        objects: Objects,
        producer: Sink,
        *,
        dataset: str,
        source: str,
        labelled_by: str,
        tool: str,
        endpoint: str = "",
    ) -> None:
        self.objects, self.producer = objects, producer
        self.dataset, self.source = dataset, source
        self.labelled_by, self.tool = labelled_by, tool
        self.endpoint = endpoint.rstrip("/")
        self._client = httpx.Client(timeout=TIMEOUT_S)

    @classmethod
    def connect(cls, objects: Objects, bootstrap_servers: str, **settings: str) -> Self:
        """Return a sender with its own producer.

        Args:
            objects: Where the bytes go.
            bootstrap_servers: Addresses of the stream, as `host:port,host:port`.
            settings: `dataset`, `source`, `labelled_by`, `tool` and `endpoint`, as above.
        """
        return cls(objects, producer(bootstrap_servers), **settings)

    def __enter__(self) -> Self:
        """Return the sender."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for what is on its way, but not for long after an error."""
        self._client.close()
        self.producer.close(None if error is None else AFTER_ERROR_S)

    def declare(self, classes: Sequence[str], time: datetime) -> None:
        """Declare the dataset and its classes, in their order.

        Args:
            classes: Names of the classes.
            time: When; the same each time, if a replay is to be the same event.

        Raises:
            RecordError: If a name cannot be stored, or there are too many.
        """
        data = make(
            DatasetDeclared, DatasetDeclared.TYPE, dataset=self.dataset, classes=tuple(classes)
        )
        publish(self.producer, data, self.source, time)

    def send(self, frame: Frame) -> str:
        """Store a frame, publish its event, and request a prediction if there is a server.

        Returns:
            The SHA-256 of the JPEG, by which everyone else knows it.

        Raises:
            AnnotationError: If a box leaves the frame.
            RecordError: If a value cannot be stored, or the label is larger than brokers
                take; nothing is sent then.
            OutageError: If the server does not answer.
            JobError: If it refuses the frame.
        """
        check_inside(frame.boxes or (), frame.width, frame.height, frame.source_name)
        sha256 = digest_bytes(frame.jpeg)
        messages = [message_of(self._captured(frame, sha256), self.source, frame.captured_at)]
        if labelled := self._labelled(frame, sha256):
            messages.append(message_of(labelled, self.source, labelled.labelled_at))
        self.objects.put_once(frame_key(sha256), frame.jpeg)
        for message in messages:
            send_message(self.producer, message)
        if self.endpoint:
            self._detect(frame, sha256)
        return sha256

    def refuse(
        self, source_name: str, reason: str, detail: str, content: bytes, time: datetime
    ) -> None:
        """Store a file that could not become a frame or a label, with the reason.

        Args:
            source_name: The file, or the file and line, of any characters.
            reason: A code that can be counted, such as `undecodable`.
            detail: A sentence for a person, of any characters.
            content: The bytes; empty if there are none to keep.
            time: When; the same each time, if a replay is to be the same event.
        """
        key = f"quarantine/{digest_bytes(content)}"
        data = FrameRefused(
            dataset=self.dataset,
            source_name=storable(source_name),
            reason=reason,
            detail=storable(detail),
            uri=self.objects.put_once(key, content) if content else None,
        )
        publish(self.producer, data, self.source, time)

    def _captured(self, frame: Frame, sha256: str) -> FrameCaptured:
        return make(
            FrameCaptured,
            FrameCaptured.TYPE,
            dataset=self.dataset,
            sha256=sha256,
            uri=self.objects.uri(frame_key(sha256)),
            width=frame.width,
            height=frame.height,
            size_bytes=len(frame.jpeg),
            camera=frame.camera,
            captured_at=frame.captured_at,
            source_name=frame.source_name,
            group=frame.group,
            split=frame.split,
        )

    def _labelled(self, frame: Frame, sha256: str) -> FrameLabelled | None:
        if frame.boxes is None:
            return None
        return make(
            FrameLabelled,
            FrameLabelled.TYPE,
            dataset=self.dataset,
            sha256=sha256,
            width=frame.width,
            height=frame.height,
            boxes=frame.boxes,
            labelled_by=self.labelled_by,
            tool=self.tool,
            labelled_at=frame.labelled_at or frame.captured_at,
        )

    def _detect(self, frame: Frame, sha256: str) -> None:
        request_id = uuid5(NAMESPACE_URL, f"{sha256}{frame.camera}{self.dataset}")
        headers = {
            "Content-Type": "image/jpeg",
            "X-Camera": quote(frame.camera),
            "X-Request-Id": str(request_id),
        }
        url = f"{self.endpoint}/v1/detect/{self.dataset}"
        try:
            answer = _post(self._client, url, frame.jpeg, headers)
        except httpx.TransportError as cause:
            raise OutageError(f"the detector at {url} does not answer: {cause}") from cause
        if answer.is_error:
            raise JobError(
                f"the detector at {url} refused {frame.source_name}: "
                f"{answer.status_code} {answer.text[:200]}, expected boxes"
            )


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(httpx.TransportError)
    | tenacity.retry_if_result(lambda answer: bool(answer.status_code == 503)),
    wait=tenacity.wait_exponential(multiplier=0.1, max=2),
    stop=tenacity.stop_after_attempt(TRIES),
    retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
)
def _post(client: httpx.Client, url: str, jpeg: bytes, headers: dict[str, str]) -> httpx.Response:
    return client.post(url, content=jpeg, headers=headers)
