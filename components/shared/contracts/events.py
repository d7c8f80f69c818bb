"""Define the event types and their fields."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from components.shared.contracts.annotation import Box, ScoredBox, check_inside
from components.shared.contracts.record import Record
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
)

FRAMES_TOPIC = "frames"
PREDICTIONS_TOPIC = "predictions"
TOPICS = (FRAMES_TOPIC, PREDICTIONS_TOPIC)

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

Fault = Literal["wrong_box", "wrong_label", "false_positive", "missed_object"]
FAULTS: tuple[Fault, ...] = ("wrong_box", "wrong_label", "false_positive", "missed_object")


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


class PredictionCorrected(_FrameEvent):
    """A reviewer's boxes for a served frame; they are its label, as those of `frame.labelled`."""

    TYPE: ClassVar[str] = "prediction.corrected"

    request_id: ShortText = Field(description="id of the request whose answer was reviewed")
    model: Sha256 | None = Field(
        default=None, description="digest of the package that answered, if it is known"
    )
    width: Pixels = Field(description="width of the JPEG, pixels")
    height: Pixels = Field(description="height of the JPEG, pixels")
    faults: tuple[Fault, ...] = Field(
        max_length=len(FAULTS), description="what was wrong; empty if the answer was right"
    )
    boxes: tuple[Box, ...] = Field(
        max_length=MAX_BOXES, description="all objects in the frame, as they are right"
    )
    corrected_by: Key = Field(description="the reviewer")
    corrected_at: Instant = Field(
        description="when, RFC 3339 with a time zone; the latest label of a frame counts"
    )

    @model_validator(mode="after")
    def _boxes_are_inside(self) -> "PredictionCorrected":
        check_inside(self.boxes, self.width, self.height, f"frame {self.sha256[:12]}")
        return self


KINDS: dict[str, type[EventData]] = {
    kind.TYPE: kind
    for kind in (
        DatasetDeclared,
        FrameCaptured,
        FrameLabelled,
        FrameRefused,
        PredictionMade,
        PredictionCorrected,
    )
}
