"""Example CloudEvents, one of each type, as a producer outside this project would send them."""

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.contracts.events import (
    DatasetDeclared,
    EventData,
    FrameCaptured,
    FrameLabelled,
    FrameRefused,
    PredictionCorrected,
    PredictionMade,
)

TIME = datetime(2026, 5, 1, 7, 30, tzinfo=UTC)
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SOURCE = "/cameras/north-gate"
CAR = {"x_min": 12.0, "y_min": 40.5, "x_max": 210.0, "y_max": 160.0, "label": "car"}

EXAMPLES: dict[str, EventData] = {
    data.TYPE: data
    for data in (
        DatasetDeclared(dataset="car-parks", classes=("car", "bus")),
        FrameCaptured(
            dataset="car-parks",
            sha256=SHA256,
            uri=f"s3://car-detection/frames/{SHA256[:2]}/{SHA256}.jpg",
            width=640,
            height=480,
            size_bytes=57_344,
            camera="north-gate",
            captured_at=TIME,
            source_name="north-gate/2026-05-01T07-30-00.jpg",
            group="north-gate/2026-05-01",
        ),
        FrameLabelled(
            dataset="car-parks",
            sha256=SHA256,
            width=640,
            height=480,
            boxes=(Box.model_validate(CAR),),
            labelled_by="anna",
            tool="cvat",
            labelled_at=TIME,
        ),
        FrameRefused(
            dataset="car-parks",
            source_name="north-gate/2026-05-01T07-31-00.jpg",
            reason="undecodable",
            detail="the file ends after 4,096 bytes, expected a whole JPEG",
        ),
        PredictionMade(
            dataset="car-parks",
            sha256=SHA256,
            request_id="0c2ae17d-0b0a-4c56-9c3b-0a6f0d6a8f37",
            camera="north-gate",
            model="2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
            width=640,
            height=480,
            boxes=(ScoredBox.model_validate(CAR | {"score": 0.93}),),
            latency_ms=11.5,
            predicted_at=TIME,
        ),
        PredictionCorrected(
            dataset="car-parks",
            sha256=SHA256,
            request_id="0c2ae17d-0b0a-4c56-9c3b-0a6f0d6a8f37",
            model="2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
            width=640,
            height=480,
            faults=("wrong_label",),
            boxes=(Box.model_validate(CAR | {"label": "bus"}),),
            corrected_by="anna",
            corrected_at=TIME,
        ),
    )
}


def example(name: str) -> dict[str, Any]:
    """Return the example of one type as the JSON object of the structured content mode.

    >>> example("dataset.declared")["id"]
    'd927f035-5b83-549d-bde0-79f0879783e3'
    """
    return {
        "specversion": "1.0",
        "id": str(uuid5(NAMESPACE_URL, name)),
        "source": SOURCE,
        "type": name,
        "time": "2026-05-01T07:30:00.000Z",
        "datacontenttype": "application/json",
        "data": EXAMPLES[name].model_dump(mode="json", exclude_none=True),
    }
