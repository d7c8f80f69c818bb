"""Types of the events, and the digest of an event's content, by which it is stored once.

The sender's `source` and `id` identify an event, as CloudEvents has it. The digest is computed
by who reads: equal content is stored once, whatever the ids; our own senders use it as the id.
"""

import hashlib
from datetime import datetime
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import (
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from components.contracts.annotation import Box, ScoredBox, check_inside
from components.contracts.cloud_events import Envelope, Headers, Instant, read_event
from components.contracts.cloud_events import Event as Event
from components.contracts.cloud_events import EventError as EventError
from components.contracts.record import Record, canonical, complaint

FRAMES_TOPIC = "frames"
PREDICTIONS_TOPIC = "predictions"
TOPICS = (FRAMES_TOPIC, PREDICTIONS_TOPIC)

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]

# What is larger cannot be stored. The message that has it is quarantined where it is read; a
# sender does not fail, for one file with a long name must not end an import.
MAX_KEY_CHARACTERS = 600
MAX_URI_CHARACTERS = 1024
MAX_INTEGER = 2**31 - 1
MAX_LARGE_INTEGER = 2**63 - 1


def _text(longest: int, shortest: int = 0) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "minLength": shortest, "maxLength": longest})


def _integer(largest: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "integer", "minimum": 1, "maximum": largest})


Pixels = Annotated[int, Field(gt=0), _integer(MAX_INTEGER)]
Bytes = Annotated[int, Field(gt=0), _integer(MAX_LARGE_INTEGER)]
Key = Annotated[str, Field(min_length=1), _text(MAX_KEY_CHARACTERS, 1)]
ClassName = Annotated[str, _text(MAX_KEY_CHARACTERS)]
Reason = Annotated[str, _text(MAX_KEY_CHARACTERS)]
Uri = Annotated[str, _text(MAX_URI_CHARACTERS)]
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class EventData(Record):
    """What an event says.

    `TYPE` is its CloudEvents type, `TOPIC` the Kafka topic that it is sent to, and `KEY` the
    field whose value is the message's key.
    """

    TYPE: ClassVar[str]
    TOPIC: ClassVar[str]
    KEY: ClassVar[str] = "dataset"

    dataset: Name = Field(description="name of the dataset: lower-case letters, digits and hyphens")

    @property
    def key(self) -> str:
        """The key of the message: events with one key stay in order."""
        return str(getattr(self, self.KEY))


class _FrameEvent(EventData):
    TOPIC: ClassVar[str] = FRAMES_TOPIC
    KEY: ClassVar[str] = "sha256"

    sha256: Sha256 = Field(description="SHA-256 of the JPEG, 64 hexadecimal digits")


class DatasetDeclared(EventData):
    """A dataset exists and knows these classes, in this order; a later one may add some."""

    TYPE: ClassVar[str] = "dataset.declared"
    TOPIC: ClassVar[str] = FRAMES_TOPIC

    classes: tuple[ClassName, ...] = Field(min_length=1, description="names of the classes")


class FrameCaptured(_FrameEvent):
    """A camera or a person sent one JPEG, which lies in the object store under its SHA-256."""

    TYPE: ClassVar[str] = "frame.captured"

    uri: Uri = Field(description="address of the JPEG in the object store; stored before the event")
    width: Pixels = Field(description="width of the JPEG, pixels")
    height: Pixels = Field(description="height of the JPEG, pixels")
    size_bytes: Bytes = Field(description="size of the JPEG, bytes")
    camera: str = Field(min_length=1, description="camera or person that the JPEG is from")
    captured_at: Instant = Field(description="when it was taken, RFC 3339 with a time zone")
    source_name: str = Field(description="what the sender calls it, such as a file's name")
    group: Key = Field(description="frames that must share a split, such as a camera and day")
    split: Split | None = Field(default=None, description="the split its owner chose")


class FrameLabelled(_FrameEvent):
    """Someone said what is in a frame; no boxes mean that there is no object in it."""

    TYPE: ClassVar[str] = "frame.labelled"

    width: Pixels = Field(description="width of the JPEG, pixels")
    height: Pixels = Field(description="height of the JPEG, pixels")
    boxes: tuple[Box, ...] = Field(description="all objects in the frame; empty if there are none")
    labelled_by: str = Field(description="person or program that labelled it")
    tool: str = Field(description="what the boxes were made with")
    labelled_at: Instant = Field(
        description="when, RFC 3339 with a time zone; the latest label of a frame counts"
    )

    @model_validator(mode="after")
    def _boxes_are_inside(self) -> "FrameLabelled":
        check_inside(self.boxes, self.width, self.height, f"frame {self.sha256[:12]}")
        return self


class FrameRefused(EventData):
    """A sender's file could not become a frame or a label; it is kept, with the reason."""

    TYPE: ClassVar[str] = "frame.refused"
    TOPIC: ClassVar[str] = FRAMES_TOPIC
    KEY: ClassVar[str] = "source_name"

    source_name: str = Field(description="the file, or the file and line")
    reason: Reason = Field(description="a code that can be counted, such as undecodable")
    detail: str = Field(description="a sentence for people")
    uri: str | None = Field(default=None, description="address of the bytes, if there are any")


class PredictionMade(_FrameEvent):
    """The server answered: these boxes, by this model, in this time."""

    TYPE: ClassVar[str] = "prediction.made"
    TOPIC: ClassVar[str] = PREDICTIONS_TOPIC

    request_id: str = Field(description="id of the request, such as a UUID")
    camera: str = Field(description="camera that asked")
    model: Sha256 = Field(description="digest of the package that answered")
    width: Pixels = Field(description="width of the JPEG, pixels")
    height: Pixels = Field(description="height of the JPEG, pixels")
    boxes: tuple[ScoredBox, ...] = Field(description="all objects that were found")
    latency_ms: float = Field(ge=0, description="time from request to answer, milliseconds")
    predicted_at: Instant = Field(description="when, RFC 3339 with a time zone")


KINDS: dict[str, type[EventData]] = {
    kind.TYPE: kind
    for kind in (DatasetDeclared, FrameCaptured, FrameLabelled, FrameRefused, PredictionMade)
}


class ParsedEvent(NamedTuple):
    """One message, read.

    Attributes:
        envelope: Its attributes, as the sender wrote them.
        data: What it says.
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
        data: What is said.
        source: Who says it, as a URI reference such as `/cameras/north-gate`.
        time: When it happened; not part of the id.
    """
    content = data.model_dump(mode="json")
    digest = _digest(data.TYPE, canonical(content).encode())
    return Event(id=digest, type=data.TYPE, source=source, time=time, data=content)


def parse_event(message: bytes, headers: Headers = ()) -> ParsedEvent:
    """Read one message, or refuse it with a reason.

    Args:
        message: The message's value.
        headers: The message's headers; they hold the attributes in binary content mode.

    Raises:
        EventError: `not_json`, `not_an_event`, `unknown_type` or `bad_data`.
    """
    own = None if headers else _parse_own(message)
    return own or _parse_any(message, headers)


# How `Event.body` begins, and what comes after its data.
BEFORE_DATA, AFTER_DATA = b'{"data":', b',"datacontenttype":'


def _parse_own(message: bytes) -> ParsedEvent | None:
    """Read a message of our own senders, or return None.

    Its id is the digest of its data as they are spelled there: they need not be spelled again.
    """
    begin, found, rest = message.rpartition(AFTER_DATA)
    if not found or not begin.startswith(BEFORE_DATA):
        return None
    spelled = begin[len(BEFORE_DATA) :]
    try:
        envelope = Envelope.model_validate_json(b"{" + AFTER_DATA[1:] + rest)
        kind = KINDS[envelope.type]
        if envelope.id != _digest(kind.TYPE, spelled) or "data" in (envelope.model_extra or ()):
            return None
        data = kind.model_validate_json(spelled)
    except (ValidationError, KeyError):
        return None  # whoever reads it in full finds the reason
    return ParsedEvent(envelope, data, spelled.decode(), envelope.id)


def _parse_any(message: bytes, headers: Headers) -> ParsedEvent:
    event = read_event(message, headers)
    kind = KINDS.get(event.type)
    if kind is None:
        raise EventError("unknown_type", f"type is {event.type!r}, expected one of {list(KINDS)}")
    try:
        data = kind.model_validate(event.data)
    except ValidationError as cause:
        raise EventError("bad_data", f"{event.type}: {complaint(cause)}") from cause
    content = canonical(data.model_dump(mode="json"))
    return ParsedEvent(event, data, content, _digest(kind.TYPE, content.encode()))


def _digest(kind: str, content: bytes) -> str:
    # The SHA-256 of canonical([kind, data]), without spelling the data again.
    return hashlib.sha256(b'["%b",%b]' % (kind.encode(), content)).hexdigest()
