"""Define the bodies of requests and answers of the HTTP API."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Base64Bytes, BaseModel, Field

from components.shared.contracts.annotation import Box
from components.shared.contracts.events import FAULTS, Fault
from components.shared.contracts.model import DetectAnswer
from components.shared.contracts.record import Record
from components.shared.contracts.values import (
    MAX_BOXES,
    MAX_CLASSES,
    Instant,
    Key,
    Sha256,
    ShortText,
    Text,
)

MAX_ITEMS = 1_000  # of one request


class ErrorAnswer(BaseModel):
    """Why a request was not answered."""

    error: str


class DatasetAnswer(BaseModel):
    """A dataset and its classes."""

    dataset: str
    classes: tuple[str, ...]


class DatasetsAnswer(BaseModel):
    """All datasets that an API key may use."""

    datasets: list[DatasetAnswer]


class Classes(Record):
    """Names of the classes of a dataset, in their order."""

    classes: tuple[ShortText, ...] = Field(min_length=1, max_length=MAX_CLASSES)


class FrameLine(Record):
    """One frame of an NDJSON request."""

    jpeg: Base64Bytes = Field(description="the JPEG, in base64")
    camera: Key | None = Field(default=None, description="default: that of the request")
    captured_at: Instant | None = Field(default=None, description="RFC 3339; default: now")
    source_name: Text | None = Field(default=None, description="such as a file's name")
    group: Key | None = Field(default=None, description="frames that must share a split")


class FrameAnswer(BaseModel):
    """What became of one frame."""

    source_name: str
    status: Literal["stored", "refused"]
    sha256: str = Field(description="SHA-256 of the JPEG")
    reason: str | None = Field(default=None, description="a code, if it was refused")
    detail: str | None = None


class FramesAnswer(BaseModel):
    """What became of each frame, in the order of the request."""

    frames: list[FrameAnswer]


class Label(Record):
    """All objects of one frame."""

    sha256: Sha256 = Field(description="SHA-256 of the JPEG")
    boxes: tuple[Box, ...] = Field(max_length=MAX_BOXES, description="empty: there is no object")
    labelled_at: Instant | None = Field(default=None, description="RFC 3339; default: now")
    tool: ShortText = Field(default="api", description="what the boxes were made with")


class Labels(Record):
    """Labels of some frames."""

    labels: tuple[Label, ...] = Field(min_length=1, max_length=MAX_ITEMS)


class Correction(Record):
    """The right boxes for one answer."""

    request_id: Key = Field(description="id of the answer")
    boxes: tuple[Box, ...] = Field(max_length=MAX_BOXES, description="all objects of the frame")
    faults: tuple[Fault, ...] | None = Field(
        default=None, max_length=len(FAULTS), description="what was wrong; default: from the boxes"
    )


class Corrections(Record):
    """Corrections of some answers."""

    corrections: tuple[Correction, ...] = Field(min_length=1, max_length=MAX_ITEMS)


class Accepted(BaseModel):
    """What was stored of a request with labels."""

    accepted: int


class CorrectionAnswer(BaseModel):
    """What became of one correction."""

    request_id: str
    sha256: str
    faults: tuple[Fault, ...] = Field(description="what was wrong with the answer")
    frame_kept: bool = Field(description="whether the picture was kept, so that training sees it")


class CorrectionsAnswer(BaseModel):
    """What became of each correction, in the order of the request."""

    corrections: list[CorrectionAnswer]


class ImageAnswer(BaseModel):
    """The boxes in one image of a request with several, or why there are none."""

    name: str
    status: int
    answer: DetectAnswer | None = None
    error: str | None = None


class ImagesAnswer(BaseModel):
    """The answer of each image, in the order of the request."""

    images: list[ImageAnswer]


class Prediction(BaseModel):
    """One served answer."""

    sequence: int = Field(description="order of ingestion")
    request_id: str
    sha256: str
    camera: str
    model: str = Field(description="digest of the package that answered")
    width: int
    height: int
    boxes: list[dict[str, Any]]
    max_score: float | None = Field(description="of the boxes; null: there are none")
    latency_ms: float
    predicted_at: datetime


class FrameRow(BaseModel):
    """One stored frame."""

    sha256: str
    uri: str
    width: int
    height: int
    size_bytes: int
    camera: str
    captured_at: datetime
    source_name: str
    group_name: str
    split: str | None


class PredictionsPage(BaseModel):
    """A page of predictions, the newest first."""

    items: list[Prediction]
    next: str | None = Field(description="cursor of the next page; null: this is the last")


class FramesPage(BaseModel):
    """A page of frames, the newest first."""

    items: list[FrameRow]
    next: str | None = Field(description="cursor of the next page; null: this is the last")
