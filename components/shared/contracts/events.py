"""Define the event types, and the digest of an event's content that makes ingestion idempotent.

The sender's `source` and `id` identify an event, as CloudEvents has it. The reader computes
the digest: equal content is stored once, whatever the ids; our own senders use it as the id.
"""

import hashlib
from datetime import datetime
from typing import ClassVar, Literal, NamedTuple, TypeVar

from pydantic import Field, ValidationError, model_validator

from components.shared.contracts.annotation import Box, ScoredBox, check_inside
from components.shared.contracts.cloud_events import Envelope, Headers, read_event
from components.shared.contracts.cloud_events import Event as Event
from components.shared.contracts.cloud_events import EventError as EventError
from components.shared.contracts.record import Record, canonical, complaint, make
from components.shared.contracts.values import (
    MAX_BOXES,
    MAX_CLASSES,
    Bytes,
    Instant,
    Key,
    Name,
    Pixels,
    Sha256,
    ShortText,
    Text,
    Uri,
    composed,
    is_composed,
)

FRAMES_TOPIC = "frames"
PREDICTIONS_TOPIC = "predictions"
TOPICS = (FRAMES_TOPIC, PREDICTIONS_TOPIC)
BEFORE_DATA, AFTER_DATA = b'{"data":', b',"datacontenttype":'  # in `Event.body`

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class EventData(Record):
    """Content of an event.

    `TYPE` is its CloudEvents type, `TOPIC` the Kafka topic that it is sent to, and `KEY` the
    field whose value is the message's key.
    """

    TYPE: ClassVar[str]
    TOPIC: ClassVar[str]
    KEY: ClassVar[str] = "dataset"

    dataset: Name = Field(description="name of the dataset: lower-case letters, digits and hyphens")

    @property
    def key(self) -> str:
        """Key of the Kafka message: events with one key stay in order."""
        return str(getattr(self, self.KEY))


class _FrameEvent(EventData):
    TOPIC: ClassVar[str] = FRAMES_TOPIC
    KEY: ClassVar[str] = "sha256"

    sha256: Sha256 = Field(description="SHA-256 of the JPEG, 64 hexadecimal digits")


class DatasetDeclared(EventData):
    """Declares a dataset and its classes, in this order; a later declaration may add classes."""

    TYPE: ClassVar[str] = "dataset.declared"
    TOPIC: ClassVar[str] = FRAMES_TOPIC

    classes: tuple[ShortText, ...] = Field(
        min_length=1, max_length=MAX_CLASSES, description="names of the classes"
    )


class FrameCaptured(_FrameEvent):
    """Announces one JPEG, which is stored in the object store under its SHA-256."""

    TYPE: ClassVar[str] = "frame.captured"

    uri: Uri = Field(description="address of the JPEG in the object store; stored before the event")
    width: Pixels = Field(description="width of the JPEG, pixels")
    height: Pixels = Field(description="height of the JPEG, pixels")
    size_bytes: Bytes = Field(description="size of the JPEG, bytes")
    camera: Key = Field(description="camera or person that the JPEG is from")
    captured_at: Instant = Field(description="when it was taken, RFC 3339 with a time zone")
    source_name: Text = Field(description="what the sender calls it, such as a file's name")
    group: Key = Field(description="frames that must share a split, such as a camera and day")
    split: Split | None = Field(default=None, description="the split its owner chose")


class FrameLabelled(_FrameEvent):
    """Labels of a frame; no boxes mean that the frame contains no object."""

    TYPE: ClassVar[str] = "frame.labelled"

    width: Pixels = Field(description="width of the JPEG, pixels")
    height: Pixels = Field(description="height of the JPEG, pixels")
    boxes: tuple[Box, ...] = Field(
        max_length=MAX_BOXES, description="all objects in the frame; empty if there are none"
    )
    labelled_by: ShortText = Field(description="person or program that labelled it")
    tool: ShortText = Field(description="what the boxes were made with")
    labelled_at: Instant = Field(
        description="when, RFC 3339 with a time zone; the latest label of a frame counts"
    )

    @model_validator(mode="after")
    def _boxes_are_inside(self) -> "FrameLabelled":
        check_inside(self.boxes, self.width, self.height, f"frame {self.sha256[:12]}")
        return self


class FrameRefused(EventData):
    """A sender's file that could not become a frame or a label, with the reason."""

    TYPE: ClassVar[str] = "frame.refused"
    TOPIC: ClassVar[str] = FRAMES_TOPIC
    KEY: ClassVar[str] = "source_name"

    source_name: Text = Field(description="the file, or the file and line")
    reason: ShortText = Field(description="a code that can be counted, such as undecodable")
    detail: Text = Field(description="a sentence for people")
    uri: Uri | None = Field(default=None, description="address of the bytes, if there are any")


class PredictionMade(_FrameEvent):
    """Boxes that the server detected in a frame, with the model and the latency."""

    TYPE: ClassVar[str] = "prediction.made"
    TOPIC: ClassVar[str] = PREDICTIONS_TOPIC

    request_id: ShortText = Field(description="id of the request, such as a UUID")
    camera: ShortText = Field(description="camera that asked")
    model: Sha256 = Field(description="digest of the package that answered")
    width: Pixels = Field(description="width of the JPEG, pixels")
    height: Pixels = Field(description="height of the JPEG, pixels")
    boxes: tuple[ScoredBox, ...] = Field(
        max_length=MAX_BOXES, description="all objects that were found"
    )
    latency_ms: float = Field(ge=0, description="time from request to answer, milliseconds")
    predicted_at: Instant = Field(description="when, RFC 3339 with a time zone")


D = TypeVar("D", bound=EventData)

KINDS: dict[str, type[EventData]] = {
    kind.TYPE: kind
    for kind in (DatasetDeclared, FrameCaptured, FrameLabelled, FrameRefused, PredictionMade)
}


class ParsedEvent(NamedTuple):
    """One parsed message.

    Attributes:
        envelope: Its attributes, as the sender wrote them.
        data: Content of the event.
        content: `data` as canonical JSON; of our own senders as it stands in the message.
        digest: SHA-256 of type and content; equal for equal content.
    """

    envelope: Envelope
    data: EventData
    content: str
    digest: str


def event_of(data: EventData, source: str, time: datetime) -> Event:
    """Wrap data in an envelope whose id is the digest of its type and content.

    Args:
        data: Content of the event.
        source: Who says it, as a URI reference such as `/cameras/north-gate`.
        time: When it happened; not part of the id.

    Raises:
        RecordError: If source or time cannot be stored.
    """
    stored, content = _spell(data)
    digest = _digest(data.TYPE, content.encode())
    fields = stored.model_dump(mode="json")
    return make(Event, data.TYPE, id=digest, type=data.TYPE, source=source, time=time, data=fields)


def parse_event(message: bytes, headers: Headers = ()) -> ParsedEvent:
    """Parse one message, or raise an error with a reason.

    Args:
        message: The message's value.
        headers: The message's headers; they hold the attributes in binary content mode.

    Raises:
        EventError: `not_json`, `not_an_event`, `unknown_type` or `bad_data`.
    """
    own = None if headers else _parse_own(message)
    return own or _parse_any(message, headers)


def _parse_own(message: bytes) -> ParsedEvent | None:
    """Read a message of our own senders, or return None.

    Its id is the digest of its data as they are spelled there: they need not be spelled again.
    """
    begin, found, rest = message.rpartition(AFTER_DATA)
    if not found or not begin.startswith(BEFORE_DATA):
        return None
    spelled = begin[len(BEFORE_DATA) :]
    content = spelled.decode(errors="replace")
    if "\\u" in content or not is_composed(content):
        return None
    try:
        envelope = Envelope.model_validate_json(b"{" + AFTER_DATA[1:] + rest)
        kind = KINDS[envelope.type]
        if envelope.id != _digest(kind.TYPE, spelled) or "data" in (envelope.model_extra or ()):
            return None
        data = kind.model_validate_json(spelled)
    except (ValidationError, KeyError):
        return None  # the full parse gives the reason
    return ParsedEvent(envelope, data, content, envelope.id)


def _parse_any(message: bytes, headers: Headers) -> ParsedEvent:
    event = read_event(message, headers)
    kind = KINDS.get(event.type)
    if kind is None:
        raise EventError("unknown_type", f"type is {event.type!r}, expected one of {list(KINDS)}")
    try:
        data, content = _spell(kind.model_validate(event.data))
    except ValidationError as cause:
        raise EventError("bad_data", f"{event.type}: {complaint(cause)}") from cause
    return ParsedEvent(event, data, content, _digest(kind.TYPE, content.encode()))


def _spell(data: D) -> tuple[D, str]:
    """Return data whose texts are in normal form C, and their canonical JSON."""
    content = canonical(data.model_dump(mode="json"))
    if is_composed(content):
        return data, content
    content = composed(content)
    return data.model_validate_json(content), content


def _digest(kind: str, content: bytes) -> str:
    # The SHA-256 of canonical([kind, data]), without spelling the data again.
    return hashlib.sha256(b'["%b",%b]' % (kind.encode(), content)).hexdigest()
