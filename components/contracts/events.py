"""An event is a CloudEvent whose id follows from its content, so a replay is the same event.

Source: CloudEvents 1.0.2, JSON event format (structured mode).
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AwareDatetime, Field, StringConstraints, ValidationError, model_validator

from components.contracts.annotation import Box, ScoredBox, check_inside
from components.contracts.record import Record, canonical, complaint, digest_of

FRAMES_TOPIC = "frames"
PREDICTIONS_TOPIC = "predictions"
TOPICS = (FRAMES_TOPIC, PREDICTIONS_TOPIC)

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class EventError(ValueError):
    """A message is no event that we know; `reason` is a code that can be counted."""

    def __init__(self, reason: str, detail: str) -> None:
        """Keep the reason beside the sentence."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class EventData(Record):
    """What an event says. `TYPE` is its CloudEvents type, `TOPIC` the stream it travels on."""

    TYPE: ClassVar[str]
    TOPIC: ClassVar[str]

    dataset: Name

    @property
    def key(self) -> str:
        """The Kafka key: events with one key stay in order."""
        return self.dataset


class _FrameEvent(EventData):
    TOPIC: ClassVar[str] = FRAMES_TOPIC

    sha256: Sha256

    @property
    def key(self) -> str:
        """The Kafka key: all about one frame stays in order."""
        return self.sha256


class DatasetDeclared(EventData):
    """A dataset exists and knows these classes, in this order; a later one may add some."""

    TYPE: ClassVar[str] = "dataset.declared"
    TOPIC: ClassVar[str] = FRAMES_TOPIC

    classes: tuple[str, ...] = Field(min_length=1)


class FrameCaptured(_FrameEvent):
    """A camera or a person sent one JPEG, which lies in the object store under its SHA-256."""

    TYPE: ClassVar[str] = "frame.captured"

    uri: str
    width: int = Field(gt=0, description="pixels")
    height: int = Field(gt=0, description="pixels")
    size_bytes: int = Field(gt=0)
    camera: str = Field(min_length=1)
    captured_at: AwareDatetime
    source_name: str = Field(description="what the sender calls it, such as a file's name")
    group: str = Field(min_length=1, description="frames that must share a split")
    split: Split | None = Field(default=None, description="the split its owner chose")


class FrameLabelled(_FrameEvent):
    """Someone said what is in a frame; an empty tuple says that nothing is."""

    TYPE: ClassVar[str] = "frame.labelled"

    width: int = Field(gt=0, description="pixels")
    height: int = Field(gt=0, description="pixels")
    boxes: tuple[Box, ...]
    labelled_by: str
    tool: str
    labelled_at: AwareDatetime

    @model_validator(mode="after")
    def _boxes_are_inside(self) -> "FrameLabelled":
        check_inside(self.boxes, self.width, self.height, f"frame {self.sha256[:12]}")
        return self


class FrameRefused(EventData):
    """A sender's file could not become a frame or a label; it is kept, with the reason."""

    TYPE: ClassVar[str] = "frame.refused"
    TOPIC: ClassVar[str] = FRAMES_TOPIC

    source_name: str = Field(description="the file, or the file and line")
    reason: str = Field(description="a code that can be counted, such as undecodable")
    detail: str
    uri: str | None = Field(default=None, description="the bytes, if there are any")

    @property
    def key(self) -> str:
        """The Kafka key: all about one file stays in order."""
        return self.source_name


class PredictionMade(_FrameEvent):
    """The server answered: these boxes, by this model, in this time."""

    TYPE: ClassVar[str] = "prediction.made"
    TOPIC: ClassVar[str] = PREDICTIONS_TOPIC

    request_id: str
    camera: str
    model: Sha256 = Field(description="digest of the package that answered")
    width: int = Field(gt=0, description="pixels")
    height: int = Field(gt=0, description="pixels")
    boxes: tuple[ScoredBox, ...]
    latency_ms: float = Field(ge=0)
    predicted_at: AwareDatetime


KINDS: dict[str, type[EventData]] = {
    kind.TYPE: kind
    for kind in (DatasetDeclared, FrameCaptured, FrameLabelled, FrameRefused, PredictionMade)
}


class Event(Record):
    """A CloudEvents envelope around one `EventData`."""

    specversion: Literal["1.0"] = "1.0"
    id: Sha256
    type: str
    source: str = Field(min_length=1)
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any]

    @property
    def body(self) -> bytes:
        """The message as it travels."""
        return canonical(self.model_dump(mode="json")).encode()


D = TypeVar("D", bound=EventData)


def event_of(data: EventData, source: str, time: datetime) -> Event:
    """Wrap data in an envelope whose id is the digest of its type and content.

    Args:
        data: What is said.
        source: Who says it, as a URI reference such as `/cameras/north-gate`.
        time: When it happened; not part of the id.
    """
    content = data.model_dump(mode="json")
    return Event(
        id=digest_of([data.TYPE, content]), type=data.TYPE, source=source, time=time, data=content
    )


def parse_event(message: bytes) -> tuple[Event, EventData]:
    """Read one message, or refuse it with a reason.

    Raises:
        EventError: `not_json`, `not_an_event`, `unknown_type`, `bad_data` or `wrong_id`.
    """
    event = _envelope(message)
    kind = KINDS.get(event.type)
    if kind is None:
        raise EventError("unknown_type", f"type is {event.type!r}, expected one of {list(KINDS)}")
    try:
        data = kind.model_validate_json(canonical(event.data))
    except ValidationError as cause:
        raise EventError("bad_data", f"{event.type}: {complaint(cause)}") from cause
    expected = digest_of([kind.TYPE, data.model_dump(mode="json")])
    if event.id != expected:
        raise EventError("wrong_id", f"id is {event.id}, the content gives {expected}")
    return event, data


def _envelope(message: bytes) -> Event:
    try:
        return Event.model_validate_json(message)
    except ValidationError as cause:
        invalid = cause.errors(include_url=False)[0]["type"] == "json_invalid"
        reason = "not_json" if invalid else "not_an_event"
        raise EventError(reason, complaint(cause)) from cause
