"""An event means rows: one in bronze, and what it says in silver or quarantine."""

from collections.abc import Iterator
from functools import singledispatch
from typing import Any

from components.contracts.events import (
    Event,
    EventData,
    FrameCaptured,
    FrameLabelled,
    FrameRefused,
    PredictionMade,
)
from components.contracts.record import canonical
from components.ingest_events.understand import Misread, Reading

# The columns of each table, in the order of its rows. A row whose key is there already
# changes nothing: that is what makes a replay harmless.
COLUMNS = {
    "bronze.events": 'stream, topic, partition, "offset", event_id, type, source, time, data',
    "silver.frames": "dataset, sha256, uri, width, height, size_bytes, camera, captured_at, "
    "source_name, group_name, split, event_id",
    "silver.labels": "event_id, dataset, sha256, boxes, labelled_by, tool, labelled_at",
    "silver.predictions": "event_id, dataset, sha256, request_id, camera, model, width, height, "
    "boxes, latency_ms, predicted_at",
    "quarantine.items": "dedupe_key, dataset, source_name, reason, detail, uri, message",
}

Row = tuple[Any, ...]


def rows_of(stream: str, reading: Reading) -> Iterator[tuple[str, Row]]:
    """Yield table and row for all that a message means.

    Args:
        stream: Name of the stream that it came through.
        reading: What was read.
    """
    message = reading.message
    if isinstance(reading, Misread):
        key = reading.event_id or f"{stream}/{message.place}"
        detail = reading.detail.encode(errors="replace").decode().replace("\0", "�")
        name, body = message.place, message.body
        yield (
            "quarantine.items",
            (key, reading.dataset, name, reading.reason, detail, None, body),
        )
        return
    event = reading.event
    place = (stream, message.topic, message.partition, message.offset)
    data = canonical(event.data)
    yield "bronze.events", (*place, event.id, event.type, event.source, event.time, data)
    yield from meaning(reading.data, event)


@singledispatch
def meaning(data: EventData, event: Event) -> Iterator[tuple[str, Row]]:
    """Yield table and row for what an event says beyond having come."""
    yield from ()


@meaning.register
def _(data: FrameCaptured, event: Event) -> Iterator[tuple[str, Row]]:
    size = (data.width, data.height, data.size_bytes)
    origin = (data.camera, data.captured_at, data.source_name, data.group, data.split)
    yield "silver.frames", (data.dataset, data.sha256, data.uri, *size, *origin, event.id)


@meaning.register
def _(data: FrameLabelled, event: Event) -> Iterator[tuple[str, Row]]:
    origin = (data.labelled_by, data.tool, data.labelled_at)
    yield "silver.labels", (event.id, data.dataset, data.sha256, _boxes(data), *origin)


@meaning.register
def _(data: PredictionMade, event: Event) -> Iterator[tuple[str, Row]]:
    asked = (data.request_id, data.camera, data.model, data.width, data.height)
    answer = (_boxes(data), data.latency_ms, data.predicted_at)
    yield "silver.predictions", (event.id, data.dataset, data.sha256, *asked, *answer)


@meaning.register
def _(data: FrameRefused, event: Event) -> Iterator[tuple[str, Row]]:
    why = (data.source_name, data.reason, data.detail, data.uri)
    yield "quarantine.items", (event.id, data.dataset, *why, None)


def _boxes(data: FrameLabelled | PredictionMade) -> str:
    return canonical([box.model_dump(mode="json") for box in data.boxes])
