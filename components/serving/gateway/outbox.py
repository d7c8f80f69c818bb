"""Store images and send events, and wait until both are safe."""

from datetime import datetime

from components.serving.gateway.images import SentImage
from components.serving.gateway.schemas import FrameAnswer
from components.shared.contracts.errors import UserError
from components.shared.contracts.events import EventData
from components.shared.contracts.values import storable
from components.shared.store.frames import Frame, FrameSender
from components.shared.store.objects import Objects, StoreError, digest_bytes
from components.shared.store.stream import Delivery, Producer, StreamError, publish
from components.shared.traffic.http_errors import HttpError
from components.shared.vision.jpeg import JpegError, decode_small, jpeg_size

DELIVERED_S = 30.0
CHECKED_PX = 64  # an image is decoded at this size, which shows whether its file is whole
RETRY = {"Retry-After": "2"}


class Outbox:
    """Stores and sends what clients bring; a method returns when nothing of it can be lost.

    Args:
        objects: Object store of the images.
        producer: Producer of the events; several threads use it.
    """

    def __init__(self, objects: Objects, producer: Producer) -> None:
        self._objects = objects
        self._producer = producer

    def send_frames(self, dataset: str, source: str, images: list[SentImage]) -> list[FrameAnswer]:
        """Store images and announce them; what is no JPEG goes to quarantine with a reason.

        Args:
            dataset: Name of the dataset.
            source: Who sends, as a URI reference.
            images: The images.

        Raises:
            HttpError: 503, if the object store or Kafka does not answer.
        """
        delivery = Delivery(self._producer)
        sender = FrameSender(
            self._objects, delivery, dataset=dataset, source=source, labelled_by="", tool=""
        )
        try:
            answers = [_sent(sender, image) for image in images]
            delivery.close(DELIVERED_S)
        except StoreError as cause:
            raise HttpError(503, "the object store does not answer: try again", RETRY) from cause
        except StreamError as cause:
            raise HttpError(503, "Kafka does not take events: try again", RETRY) from cause
        return answers

    def publish(self, source: str, time: datetime, events: list[EventData]) -> None:
        """Send events.

        Args:
            source: Who sends, as a URI reference.
            time: When it happened.
            events: Content of the events.

        Raises:
            HttpError: 503, if Kafka does not answer.
        """
        delivery = Delivery(self._producer)
        try:
            for data in events:
                publish(delivery, data, source, time)
            delivery.close(DELIVERED_S)
        except StreamError as cause:
            raise HttpError(503, "Kafka does not take events: try again", RETRY) from cause


def _sent(sender: FrameSender, image: SentImage) -> FrameAnswer:
    sha256 = digest_bytes(image.jpeg)
    reason = "unstorable"
    try:
        width, height = jpeg_size(image.jpeg)
        decode_small(image.jpeg, CHECKED_PX)
        sender.send(
            Frame(
                jpeg=image.jpeg, width=width, height=height, camera=image.camera,
                captured_at=image.captured_at, source_name=image.source_name, group=image.group,
            )
        )  # fmt: skip
    except JpegError as refusal:
        reason, detail = refusal.reason, str(refusal)
    except UserError as refusal:
        detail = str(refusal)
    else:
        return FrameAnswer(source_name=image.source_name, status="stored", sha256=sha256)
    sender.refuse(image.source_name, reason, storable(detail), image.jpeg, image.captured_at)
    return FrameAnswer(
        source_name=image.source_name, status="refused", sha256=sha256, reason=reason,
        detail=detail,
    )  # fmt: skip
