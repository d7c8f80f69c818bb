"""Case 41 of the shared cases: poison of every kind between 200 good frames, in a real stream."""

import gzip
import hashlib
import json
from datetime import UTC, datetime, timedelta

from confluent_kafka import Producer

from components.data.snapshot_dataset.freeze import freeze
from components.data.validate_dataset.validate import validate
from components.monitoring.extract_window.extract import extract
from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.contracts.events import (
    FRAMES_TOPIC,
    PREDICTIONS_TOPIC,
    DatasetDeclared,
    EventData,
    FrameCaptured,
    FrameLabelled,
    PredictionMade,
)
from components.shared.contracts.messages import event_of
from components.shared.contracts.policy import Policy, ValidationPolicy
from components.shared.contracts.record import canonical
from components.shared.store.objects import Objects, digest_bytes, frame_key
from components.shared.store.topics import high_watermarks
from components.shared.vision.jpeg import encode_jpeg
from pipelines.local.database import as_role
from tests.support.ingested_lake import STREAM, Lake
from tests.support.ingester_process import Ingester
from tests.support.labelled_frames import picture

FRAMES = 200
DATASET, MODEL = "toy", "a" * 64
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
CAR = {"x_min": 1.0, "y_min": 2.5, "x_max": 30.0, "y_max": 20.0, "label": "car"}
LARGE, LARGEST = 1_000_000, 8_000_000  # bytes of a message, for who does not send as we do
ROWS = {
    "bronze.events": 3 * FRAMES + 3,  # and the declaration, and what is odd
    "silver.frames": FRAMES,
    "silver.labels": FRAMES,
    "silver.predictions": FRAMES,
    "silver.classes": 1,
}


def frame(number: int, objects: Objects) -> tuple[FrameCaptured, FrameLabelled, PredictionMade]:
    """Store one picture, and return its events."""
    jpeg = encode_jpeg(picture(number))
    sha256, at = digest_bytes(jpeg), NOON + timedelta(minutes=number)
    about = {"dataset": DATASET, "sha256": sha256, "width": 96, "height": 72}
    return (
        FrameCaptured(
            **about, uri=objects.put(frame_key(sha256), jpeg), size_bytes=len(jpeg),
            camera="north", captured_at=at, source_name=f"{number}.jpg", group=f"g{number % 20}",
        ),
        FrameLabelled(
            **about, boxes=(Box(**CAR),), labelled_by="me", tool="hand", labelled_at=at,
        ),
        PredictionMade(
            **about, boxes=(ScoredBox(**CAR, score=0.9),), request_id=f"{number}", camera="north",
            model=MODEL, latency_ms=9.5, predicted_at=at,
        ),
    )  # fmt: skip


def changed(data: EventData, old: str, new: str) -> bytes:
    """Return an event with another content, whose id fits to it all the same."""
    event = event_of(data, "/tests", NOON)
    content = canonical(event.data)
    other = content.replace(old, new)
    assert other != content
    digest = hashlib.sha256(f'["{data.TYPE}",{other}]'.encode()).hexdigest()
    return event.body.replace(content.encode(), other.encode()).replace(
        event.id.encode(), digest.encode()
    )


def poison(captured: FrameCaptured, labelled: FrameLabelled, made: PredictionMade) -> dict:
    """Return messages and why each lies in quarantine."""
    declared = DatasetDeclared(dataset=DATASET, classes=("car",))
    many = canonical([f"class {number}" for number in range(20_000)])
    at = json.dumps("2024-05-01T12:00:00Z")
    boxes = ",".join([canonical(CAR)] * 20_000)
    raw = event_of(captured, "/tests", NOON).body
    return {
        "NUL in a camera": (changed(captured, '"north"', '"nor\\u0000th"'), "bad_data"),
        "NUL in a group": (changed(captured, '"g0"', '"\\u0000"'), "bad_data"),
        "NUL in a name": (changed(captured, '"0.jpg"', '"0\\u0000.jpg"'), "bad_data"),
        "NUL in a class": (changed(declared, '"car"', '"car","\\u0000"'), "bad_data"),
        "a large width": (changed(captured, '"width":96', '"width":2147483648'), "bad_data"),
        "a large size": (
            changed(captured, f":{captured.size_bytes},", ":9223372036854775808,"), "bad_data",
        ),
        "1e400": (changed(made, ":9.5,", ":1e400,"), "bad_data"),
        "year 1": (changed(captured, at, '"0001-01-01T00:00:00+14:00"'), "bad_data"),
        "year 9999": (changed(captured, at, '"9999-12-31T23:59:59-12:00"'), "bad_data"),
        "29 February 2023": (changed(captured, at, '"2023-02-29T00:00:00Z"'), "bad_data"),
        "a leap second": (changed(captured, at, '"2024-06-30T23:59:60Z"'), "bad_data"),
        "20,000 classes": (changed(declared, '["car"]', many), "bad_data"),
        "20,000 boxes": (changed(labelled, canonical(CAR), boxes), "bad_data"),
        "a lone surrogate": (changed(captured, '"north"', '"\\ud800"'), "not_json"),
        "NaN": (changed(made, ":9.5,", ":NaN,"), "bad_data"),
        "10,000 lists": (b"[" * 10_000 + b"]" * 10_000, "not_json"),
        "UTF-16": (raw.decode().encode("utf-16"), "not_json"),
        "gzip": (gzip.compress(raw), "not_json"),
        "null": (b"null", "not_an_event"),
        "no bytes": (b"", "not_json"),
        "blanks": (b" " * 5_000_000, "not_json"),
    }  # fmt: skip


def odd(captured: FrameCaptured) -> list[bytes]:
    """Return good messages as few would write them: they are read as RFC 8259 has it."""
    return [
        changed(captured, '"camera":"north"', '"camera":"?","camera":"twice"'),
        b"\xef\xbb\xbf" + changed(captured, '"north"', '"behind a BOM"'),
    ]


def send(servers: str, *bodies: bytes, topic: str = FRAMES_TOPIC, partition: int = 0) -> None:
    out = Producer({"bootstrap.servers": servers, "message.max.bytes": LARGEST, "log_level": 0})
    for body in bodies:
        out.produce(topic, body, key=b"of any partition", partition=partition)
    assert out.flush(60) == 0


def fill(servers: str, frames: list, poisoned: list[bytes]) -> None:
    """Send the events of frames with poison between them; what is very large comes apart."""
    bodies = [event_of(data, "/tests", NOON).body for three in frames for data in three[:2]]
    declared = event_of(DatasetDeclared(dataset=DATASET, classes=("car",)), "/tests", NOON).body
    between = [*(body for body in poisoned if len(body) < LARGE), *odd(frames[0][0])]
    for number, body in enumerate(between):
        bodies.insert(7 * number, body)
    send(servers, declared, *bodies)
    for number, body in enumerate((body for body in poisoned if len(body) >= LARGE), 1):
        send(servers, body, partition=number)
    predictions = [event_of(made, "/tests", NOON).body for *_, made in frames]
    send(servers, *predictions, topic=PREDICTIONS_TOPIC)


def test_poison_is_alone_in_quarantine_and_all_else_is_stored_once_frozen_and_shown(
    database, stream, object_store, registry, connection, tmp_path
):
    objects, lake = Objects(object_store), Lake(database)
    frames = [frame(number, objects) for number in range(FRAMES)]
    poisoned = poison(*frames[0])
    fill(stream, frames, [body for body, _ in poisoned.values()])
    environment = {
        "DATABASE_URL": as_role(database, "car_ingest"), "KAFKA_BOOTSTRAP_SERVERS": stream,
        "OBJECT_STORE_URL": object_store, "KAFKA_STREAM_ID": STREAM,
    }  # fmt: skip
    ingester = Ingester(tmp_path / "log", "--until-caught-up", environment=environment)

    assert ingester.ends_within(60) == 0, ingester.output  # one process, from first to last

    kept = lake.ask("SELECT message, reason FROM quarantine.items")
    assert sorted((bytes(body), reason) for body, reason in kept) == sorted(poisoned.values())
    assert lake.counts(ROWS) == ROWS
    assert lake.offsets() == high_watermarks(stream)

    registry.register(DATASET, MODEL, "file:///m", "5" * 64, {}, {}, "good")
    registry.promote(DATASET, MODEL, None)
    few = Policy(validation=ValidationPolicy(min_images=1))
    snapshot, page = tmp_path / "snapshot", tmp_path / "page.html"
    frozen = freeze(connection, objects, DATASET, snapshot, grow_test=False)
    assert sum(frozen.images.values()) == FRAMES
    assert validate(snapshot, objects, page, few).numbers["images"] == FRAMES
    assert page.exists()
    assert (
        extract(connection, objects, DATASET, tmp_path / "window", max_frames=500).frames == FRAMES
    )
