"""Retry quarantined frames whose JPEG was missing and is in the object store by now."""

import json
from base64 import b64decode
from typing import NamedTuple

from psycopg2.extensions import connection as Connection  # noqa: N812

from components.data.ingest_events.parse import Parsed, ParseResult, StreamMessage, parse
from components.data.ingest_events.presence import require_frames
from components.data.ingest_events.write import store
from components.shared.contracts.cloud_events import Headers
from components.shared.store.objects import Objects

BATCH = 500
STREAM = "quarantine"  # in the column `stream` of bronze.events: not read from Kafka

MISSING = """
SELECT id, source_name, message, headers::text FROM quarantine.items
WHERE reason = 'bytes_missing' AND message IS NOT NULL AND id > %s ORDER BY id LIMIT %s
"""
TAKE_OUT = "DELETE FROM quarantine.items WHERE id = ANY(%s) RETURNING id"


class Retried(NamedTuple):
    """Counts of a retry: frames stored, and frames still without JPEG."""

    stored: int = 0
    missing: int = 0

    def __str__(self) -> str:
        """Return both counts as a sentence."""
        return f"{self.stored:,} frames are stored now, the bytes of {self.missing:,} are missing"


def retry_missing(connection: Connection, objects: Objects) -> Retried:
    """Retry each frame whose JPEG was missing; stored ones leave quarantine.

    Whoever else does the same, or reads the same message again, changes nothing: an event is
    stored once.

    Args:
        connection: No transaction may be open.
        objects: The object store.

    Raises:
        StoreFaultError: If the store holds nothing of what it must hold.
        StoreError: If it does not answer.
    """
    total, last = Retried(), 0
    while items := _read(connection, last):
        last = max(items)
        checked = require_frames(connection, objects, list(items.values()))
        there = {
            item: reading
            for item, reading in zip(items, checked, strict=True)
            if isinstance(reading, Parsed)
        }
        with connection, connection.cursor() as cursor:
            cursor.execute(TAKE_OUT, (list(there),))
            taken = [there[item] for (item,) in cursor.fetchall()]
            store(cursor, STREAM, taken)
        total = Retried(total.stored + len(taken), total.missing + len(items) - len(there))
    return total


def _read(connection: Connection, after: int) -> dict[int, ParseResult]:
    with connection, connection.cursor() as cursor:
        cursor.execute(MISSING, (after, BATCH))
        return {
            item: parse(_message(place, bytes(body), headers))
            for item, place, body, headers in cursor.fetchall()
        }


def _message(place: str, body: bytes, headers: str | None) -> StreamMessage:
    topic, partition, offset = place.rsplit("/", 2)
    return StreamMessage(topic, int(partition), int(offset), body, _headers(headers))


def _headers(spelled: str | None) -> Headers:
    return [(name, b64decode(value)) for name, value in json.loads(spelled or "[]")]
