"""Convert a parsed event to table rows: one in bronze, and its content in silver or quarantine."""

import json
from base64 import b64encode
from collections.abc import Iterator
from functools import singledispatch

from components.data.ingest_events.parse import ParseResult, Rejected, StreamMessage
from components.shared.contracts.events import (
    EventData,
    FrameCaptured,
    FrameLabelled,
    FrameRefused,
    PredictionCorrected,
    PredictionMade,
)
from components.shared.contracts.record import canonical
from components.shared.contracts.values import storable
from components.shared.store.objects import digest_bytes

# The columns of each table, in the order of its rows. A row whose key is there already
# changes nothing: that is what makes a replay harmless.
COLUMNS = {
    "bronze.events": 'stream, topic, partition, "offset", event_id, sender_id, type, source, '
    "time, data, extensions",
    "silver.frames": "dataset, sha256, uri, width, height, size_bytes, camera, captured_at, "
    "source_name, group_name, split, event_id",
    "silver.labels": "event_id, dataset, sha256, boxes, labelled_by, tool, labelled_at",
    "silver.predictions": "event_id, dataset, sha256, request_id, camera, model, width, height, "
    "boxes, latency_ms, predicted_at",
    "silver.corrections": "event_id, dataset, sha256, request_id, model, faults, boxes, "
    "corrected_by, corrected_at",
    "quarantine.items": "dedupe_key, dataset, source_name, reason, detail, uri, message, headers",
}

REVIEW = "review"  # the tool of labels that are corrections

Row = tuple[object, ...]


def rows_of(stream: str, reading: ParseResult) -> Iterator[tuple[str, Row]]:
    """Yield table and row for each row of a message.

    Args:
        stream: Name of the stream that it came through.
        reading: A parse result.
    """
    if isinstance(reading, Rejected):
        yield "quarantine.items", _quarantined(reading)
        return
    message, event, event_id = reading.message, reading.event, reading.event_id
    place = (stream, message.topic, message.partition, message.offset)
    sender_id = None if event.id == event_id else event.id
    envelope = (event_id, sender_id, event.type, event.source, event.time)
    extensions = canonical(event.extensions) if event.model_extra else None
    yield "bronze.events", (*place, *envelope, reading.content, extensions)
    yield from meaning(reading.data, event_id)


def _quarantined(reading: Rejected) -> Row:
    message = reading.message
    # Place and content, so that a topic that is read again adds nothing, and one that was
    # created again and uses its places again loses nothing.
    key = reading.event_id or f"{message.place}/{digest_bytes(message.body)[:16]}"
    why = (message.place, reading.reason, storable(reading.detail))
    return key, reading.dataset, *why, None, message.body, _headers(message)


def _headers(message: StreamMessage) -> str | None:
    values = [[name, b64encode(value or b"").decode()] for name, value in message.headers]
    return json.dumps(values) if values else None


@singledispatch
def meaning(data: EventData, event_id: str) -> Iterator[tuple[str, Row]]:
    """Yield table and row for the content of an event, besides its row in `bronze.events`.

    Args:
        data: Content of the event.
        event_id: Digest of type and content.
    """
    yield from ()


@meaning.register
def _(data: FrameCaptured, event_id: str) -> Iterator[tuple[str, Row]]:
    size = (data.width, data.height, data.size_bytes)
    origin = (data.camera, data.captured_at, data.source_name, data.group, data.split)
    yield "silver.frames", (data.dataset, data.sha256, data.uri, *size, *origin, event_id)


@meaning.register
def _(data: FrameLabelled, event_id: str) -> Iterator[tuple[str, Row]]:
    origin = (data.labelled_by, data.tool, data.labelled_at)
    yield "silver.labels", (event_id, data.dataset, data.sha256, _boxes(data), *origin)


@meaning.register
def _(data: PredictionMade, event_id: str) -> Iterator[tuple[str, Row]]:
    asked = (data.request_id, data.camera, data.model, data.width, data.height)
    answer = (_boxes(data), data.latency_ms, data.predicted_at)
    yield "silver.predictions", (event_id, data.dataset, data.sha256, *asked, *answer)


@meaning.register
def _(data: PredictionCorrected, event_id: str) -> Iterator[tuple[str, Row]]:
    boxes, faults = _boxes(data), f"{{{','.join(data.faults)}}}"
    by, at = data.corrected_by, data.corrected_at
    answer = (data.request_id, data.model, faults)
    yield "silver.corrections", (event_id, data.dataset, data.sha256, *answer, boxes, by, at)
    yield "silver.labels", (event_id, data.dataset, data.sha256, boxes, by, REVIEW, at)


@meaning.register
def _(data: FrameRefused, event_id: str) -> Iterator[tuple[str, Row]]:
    why = (data.source_name, data.reason, data.detail, data.uri)
    yield "quarantine.items", (event_id, data.dataset, *why, None, None)


def _boxes(data: FrameLabelled | PredictionMade | PredictionCorrected) -> str:
    return data.model_dump_json(include={"boxes"})[len('{"boxes":') : -1]
