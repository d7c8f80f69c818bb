"""Messages of every kind, and a database that ingests them: what it must hold in the end."""

import random
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime

from components.data.ingest_events.offsets import read_offsets
from components.shared.contracts.annotation import Box
from components.shared.contracts.events import (
    TOPICS,
    DatasetDeclared,
    FrameCaptured,
    FrameLabelled,
    FrameRefused,
    PredictionMade,
)
from components.shared.contracts.messages import event_of
from components.shared.store.objects import Objects, digest_bytes, frame_key
from components.shared.store.postgres import connect
from components.shared.store.stream import producer

TIME = datetime(2024, 5, 1, tzinfo=UTC)
STREAM = "one-life"
WRITING = """
SELECT 1 FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
AND query ~ '^(COPY|INSERT INTO silver|INSERT INTO quarantine|UPDATE bronze.offsets)'
"""
BOX = {"x_min": 1, "y_min": 2, "x_max": 3, "y_max": 4, "label": "car"}


def message(data, topic=None) -> tuple[str, bytes, bytes]:
    return topic or data.TOPIC, data.key.encode(), event_of(data, "/tests", TIME).body


def captured(number: int, objects: Objects, stored: bool = True) -> tuple[str, bytes, bytes]:
    jpeg = f"jpeg {number}".encode()
    key = frame_key(digest_bytes(jpeg))
    uri = objects.put(key, jpeg) if stored else objects.uri(key)
    return message(
        FrameCaptured(
            dataset="highway", sha256=digest_bytes(jpeg), uri=uri, width=64, height=48,
            size_bytes=len(jpeg), camera="north", captured_at=TIME, source_name=f"{number}.jpg",
            group=f"clip {number // 10}", split="train",
        )
    )  # fmt: skip


def labelled(number: int) -> tuple[str, bytes, bytes]:
    return message(
        FrameLabelled(
            dataset="highway", sha256=digest_bytes(f"jpeg {number}".encode()), width=64, height=48,
            boxes=(Box(**BOX),), labelled_by="me", tool="test", labelled_at=TIME,
        )
    )  # fmt: skip


def predicted(number: int) -> tuple[str, bytes, bytes]:
    return message(
        PredictionMade(
            dataset="highway", sha256=digest_bytes(f"jpeg {number}".encode()), camera="north",
            request_id=str(number), model="0" * 64, width=64, height=48, boxes=(),
            latency_ms=9.5, predicted_at=TIME,
        )
    )  # fmt: skip


def refused(number: int) -> tuple[str, bytes, bytes]:
    name = f"{number}.png"
    return message(
        FrameRefused(dataset="highway", source_name=name, reason="undecodable", detail="broken")
    )


def unreadable(number: int) -> tuple[str, bytes, bytes]:
    topic = random.Random(number).choice(TOPICS)
    return topic, b"k%d" % number, b"not an event %d" % number


class Traffic:
    """Messages of every kind, good ones, bad ones and replays, and what they must become."""

    def __init__(self, objects: Objects, size: int) -> None:
        self.messages = [message(DatasetDeclared(dataset="highway", classes=("car", "bus")))]
        for number in range(size):
            self.messages += [captured(number, objects), labelled(number), predicted(number)]
        for number in range(size // 20):
            self.messages += [unreadable(number), refused(number)]
            self.messages.append(captured(10_000 + number, objects, stored=False))
        self.messages += self.messages[1 :: size // 10]
        random.Random(0).shuffle(self.messages)
        self.rows = {
            "bronze.events": 3 * size + size // 20 + 1,
            "silver.frames": size,
            "silver.labels": size,
            "silver.predictions": size,
            "silver.classes": 2,
        }

    def reasons(self) -> dict[str, int]:
        replayed = Counter(body for _, _, body in self.messages)
        unread = sum(n for body, n in replayed.items() if body.startswith(b"not an event"))
        once = sum(body.find(b"frame.refused") >= 0 for body in replayed)
        return {"not_json": unread, "undecodable": once, "bytes_missing": once}

    def send(self, servers: str, pause_s: float = 0.0) -> None:
        with producer(servers) as out:
            for number, (topic, key, body) in enumerate(self.messages):
                out.send(topic, body, key)
                if number % 50 == 0:
                    time.sleep(pause_s)


class Lake:
    """What the tests ask of the database."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: str) -> list:
        with closing(connect(self.url)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def wait_for_a_transaction(self, seconds: float) -> None:
        """Wait until someone else writes, or for so long."""
        deadline = time.monotonic() + seconds
        with closing(connect(self.url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while time.monotonic() < deadline:
                cursor.execute(WRITING)
                if cursor.fetchone():
                    return
                time.sleep(0.002)

    def counts(self, tables) -> dict[str, int]:
        return {table: self.ask(f"SELECT count(*) FROM {table}")[0][0] for table in tables}

    def reasons(self) -> dict[str, int]:
        return dict(self.ask("SELECT reason, count(*) FROM quarantine.items GROUP BY reason"))

    def offsets(self) -> dict:
        with closing(connect(self.url)) as connection:
            return read_offsets(connection, STREAM)
