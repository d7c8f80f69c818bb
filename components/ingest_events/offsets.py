"""Reads, locks and moves the next offset of each partition in PostgreSQL."""

from collections.abc import Mapping

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from psycopg2.extras import execute_values

from components.store.stream import Partition


def lock_offsets(
    cursor: Cursor, stream: str, begins: Mapping[Partition, int]
) -> dict[Partition, int]:
    """Lock the offsets of some partitions, making those that are missing, and return them."""
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


def move_offsets(cursor: Cursor, stream: str, offsets: Mapping[Partition, int]) -> None:
    """Say where partitions go on. Their offsets must be locked."""
    for (topic, number), offset in offsets.items():
        cursor.execute(
            "UPDATE bronze.offsets SET next_offset = %s "
            "WHERE stream = %s AND topic = %s AND partition = %s",
            (offset, stream, topic, number),
        )


def read_offsets(connection: Connection, stream: str) -> dict[Partition, int]:
    """Return the next offset of each partition that was ever ingested."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT topic, partition, next_offset FROM bronze.offsets WHERE stream = %s",
            (stream,),
        )
        return {(topic, number): offset for topic, number, offset in cursor.fetchall()}


def skip_lost(connection: Connection, stream: str, at: Partition, oldest: int) -> None:
    """Go on at the oldest message that Kafka still has, and keep a record of what it lost."""
    topic, number = at
    with connection, connection.cursor() as cursor:
        begin = lock_offsets(cursor, stream, {at: oldest})[at]
        if begin >= oldest:
            return
        detail = f"{oldest - begin:,} messages were gone before they were ingested"
        place = f"{topic}/{number}/{begin}"
        cursor.execute(
            "INSERT INTO quarantine.items (dedupe_key, source_name, reason, detail) "
            "VALUES (%s, %s, 'lost_by_retention', %s) ON CONFLICT DO NOTHING",
            (f"{stream}/{place}/lost", place, detail),
        )
        move_offsets(cursor, stream, {at: oldest})
