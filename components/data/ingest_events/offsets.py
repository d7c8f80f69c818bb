"""Read, lock and advance the next offset of each partition in PostgreSQL."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from psycopg2.extras import execute_values

from components.data.ingest_events.parse import StreamMessage
from components.shared.store.stream import Partition


class Anchor(NamedTuple):
    """Digest of a stored message; if its offset holds another message, the log was replaced."""

    offset: int
    digest: bytes  # SHA-256 of its value


NO_ANCHORS: Mapping[Partition, Anchor] = {}


def anchor_of(message: StreamMessage) -> Anchor:
    """Return the anchor of a message."""
    return Anchor(message.offset, hashlib.sha256(message.body).digest())


class Start(NamedTuple):
    """Offset at which reading of a partition begins.

    Attributes:
        offset: The next one to store.
        lost: How many messages the broker had deleted before they were read.
        anchor: One that was stored before, if any is known.
    """

    offset: int
    lost: int = 0
    anchor: Anchor | None = None


def lock_offsets(
    cursor: Cursor, stream: str, begins: Mapping[Partition, int]
) -> dict[Partition, int]:
    """Lock the offsets of some partitions, making those that are missing, and return them.

    Args:
        cursor: In a transaction, which holds the locks.
        stream: Name of the stream.
        begins: First offset of each partition, for those that are missing.
    """
    new = [(stream, *at, begins[at]) for at in sorted(begins)]
    execute_values(
        cursor,
        "INSERT INTO bronze.offsets (stream, topic, partition, next_offset) VALUES %s "
        "ON CONFLICT DO NOTHING",
        new,
    )
    cursor.execute(
        "SELECT topic, partition, next_offset FROM bronze.offsets "
        "WHERE stream = %s AND (topic, partition) IN %s ORDER BY topic, partition FOR UPDATE",
        (stream, tuple(begins)),
    )
    return {(topic, number): offset for topic, number, offset in cursor.fetchall()}


def move_offsets(
    cursor: Cursor,
    stream: str,
    offsets: Mapping[Partition, int],
    anchors: Mapping[Partition, Anchor] = NO_ANCHORS,
) -> None:
    """Move the offsets of partitions, which must be locked.

    Args:
        cursor: In the transaction that locked them.
        stream: Name of the stream.
        offsets: The next offset of each partition.
        anchors: The last message that was stored of a partition, where there is one.
    """
    for (topic, number), offset in offsets.items():
        last = anchors.get((topic, number), (None, None))
        cursor.execute(
            "UPDATE bronze.offsets SET next_offset = %s, "
            "last_offset = coalesce(%s, last_offset), last_digest = coalesce(%s, last_digest) "
            "WHERE stream = %s AND topic = %s AND partition = %s",
            (offset, *last, stream, topic, number),
        )


def advance(
    connection: Connection,
    stream: str,
    begins: Mapping[Partition, int],
    ends: Mapping[Partition, int],
) -> dict[Partition, int]:
    """Move offsets past markers and aborted parts of transactions, which hold no message.

    Args:
        connection: No transaction may be open.
        stream: Name of the stream.
        begins: Where each partition was; one that has been moved by another stays.
        ends: Where each of the same partitions goes on.

    Returns:
        Where they go on now.
    """
    with connection, connection.cursor() as cursor:
        locked = lock_offsets(cursor, stream, begins)
        moved = {at: ends[at] for at in begins if locked[at] == begins[at]}
        move_offsets(cursor, stream, moved)
    return locked | moved


def read_offsets(connection: Connection, stream: str) -> dict[Partition, int]:
    """Return the next offset of each partition that was ingested before.

    Of a topic that was created again it is where its last generation goes on.

    Args:
        connection: Connection without an open transaction.
        stream: Name of the stream.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT topic, partition, next_offset FROM bronze.offsets "
            "WHERE stream = coalesce((SELECT name FROM bronze.generations "
            "WHERE generations.stream = %(stream)s AND generations.topic = offsets.topic "
            "ORDER BY number DESC LIMIT 1), %(stream)s)",
            {"stream": stream},
        )
        return {(topic, number): offset for topic, number, offset in cursor.fetchall()}


def skip_lost(connection: Connection, stream: str, at: Partition, oldest: int) -> Start:
    """Return the offset to continue from: at least that of the oldest message in Kafka.

    What is skipped was lost; a record of it goes to quarantine.

    Args:
        connection: Connection without an open transaction.
        stream: Name of the stream.
        at: The partition.
        oldest: Offset of its oldest message in Kafka.
    """
    topic, number = at
    with connection, connection.cursor() as cursor:
        begin = lock_offsets(cursor, stream, {at: oldest})[at]
        if begin >= oldest:
            return Start(begin, 0, _anchor(cursor, stream, at))
        detail = f"{oldest - begin:,} messages were deleted before they were ingested"
        place = f"{topic}/{number}/{begin}"
        cursor.execute(
            "INSERT INTO quarantine.items (dedupe_key, source_name, reason, detail) "
            "VALUES (%s, %s, 'lost_by_retention', %s) ON CONFLICT DO NOTHING",
            (f"{stream}/{place}/lost", place, detail),
        )
        move_offsets(cursor, stream, {at: oldest})
    return Start(oldest, oldest - begin)


def _anchor(cursor: Cursor, stream: str, at: Partition) -> Anchor | None:
    cursor.execute(
        "SELECT last_offset, last_digest FROM bronze.offsets "
        "WHERE stream = %s AND topic = %s AND partition = %s AND last_digest IS NOT NULL",
        (stream, *at),
    )
    row = cursor.fetchone()
    return Anchor(row[0], bytes(row[1])) if row else None
