"""Events that the proof sends: small, of about 590 bytes, or of hundreds of kilobytes."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Producer

from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.contracts.events import (
    EventData,
    FrameCaptured,
    FrameLabelled,
    PredictionMade,
)
from components.shared.contracts.messages import event_of as envelope

TIME = datetime(2026, 11, 1, tzinfo=UTC)
WIDTH, HEIGHT = 640, 480
BOXES = 2  # make about 590 bytes
SOURCE = "/proofs/kafka"
DELIVER_S = 120


def label(number: int, dataset: str = "proof", boxes: int = BOXES) -> FrameLabelled:
    """Return what someone said of frame `number`."""
    return FrameLabelled(
        dataset=dataset, sha256=_digest(number), width=WIDTH, height=HEIGHT,
        boxes=tuple(Box(**_place(i), label="car") for i in range(boxes)),
        labelled_by="proofs/kafka", tool="labelling tool, version 1.2.3", labelled_at=TIME,
    )  # fmt: skip


def prediction(number: int, dataset: str = "proof") -> PredictionMade:
    """Return what a server answered for frame `number`."""
    return PredictionMade(
        dataset=dataset, sha256=_digest(number), camera="north", request_id=str(number),
        model="0" * 64, width=WIDTH, height=HEIGHT,
        boxes=(ScoredBox(**_place(number), label="car", score=0.5),),
        latency_ms=9.5, predicted_at=TIME,
    )  # fmt: skip


def capture(number: int, uri: str, size_bytes: int, sha256: str) -> FrameCaptured:
    """Return the event of a frame that lies in an object store."""
    return FrameCaptured(
        dataset="proof", sha256=sha256, uri=uri, width=WIDTH, height=HEIGHT,
        size_bytes=size_bytes, camera="north", captured_at=TIME, source_name=f"{number}.jpg",
        group=f"clip {number // 10}", split="train",
    )  # fmt: skip


def labels(count: int, dataset: str = "proof", start: int = 0) -> Iterator[FrameLabelled]:
    """Yield `count` labels of different frames."""
    return (label(number, dataset) for number in range(start, start + count))


def send(servers: str, events: Iterable[EventData], **settings: Any) -> int:
    """Send events with librdkafka and wait until all are acknowledged; return how many."""
    producer = Producer({"bootstrap.servers": servers, "log_level": 0, **NAMES, **settings})
    number = 0
    for data in events:
        produce(producer, data)
        number += 1
    drain(producer)
    return number


NAMES = {"acks": "all", "enable.idempotence": True, "linger.ms": 20}


def produce(producer: Producer, data: EventData, timestamp_ms: int = 0) -> None:
    """Hand one event to a producer, waiting where its queue is full."""
    body = envelope(data, SOURCE, TIME).body
    while True:
        try:
            producer.produce(data.TOPIC, body, data.key.encode(), timestamp=timestamp_ms)
        except BufferError:
            producer.poll(0.1)
        else:
            producer.poll(0)
            return


def drain(producer: Producer) -> None:
    """Wait until all is acknowledged."""
    if left := producer.flush(DELIVER_S):
        raise TimeoutError(f"{left} messages were not acknowledged in {DELIVER_S} s")


def _place(number: int) -> dict[str, float]:
    x, y = number % 500, number % 300
    return {"x_min": x, "y_min": y, "x_max": x + 100.5, "y_max": y + 80.25}


def _digest(number: int) -> str:
    return hashlib.sha256(f"frame {number}".encode()).hexdigest()
