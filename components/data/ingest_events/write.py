"""Store a batch and its offsets in one transaction, so that each event is stored exactly once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import psycopg2
import psycopg2.errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from components.data.ingest_events.copy import copy_rows, insert_rows
from components.data.ingest_events.declare import declare
from components.data.ingest_events.identity import find_new
from components.data.ingest_events.offsets import anchor_of, lock_offsets, move_offsets
from components.data.ingest_events.parse import Parsed, ParseResult, Rejected, reject
from components.data.ingest_events.rows import Row, rows_of
from components.shared.contracts.events import FrameCaptured
from components.shared.store.stream import Partition

# What the database says of a value it cannot hold: a number out of range, a NUL in a text,
# a key too long for its index.
UNSTORABLE = (psycopg2.DataError, psycopg2.errors.ProgramLimitExceeded, ValueError)

ATTEMPTS = 5
# Keyed by event_id.
ONCE_AN_EVENT = {"bronze.events", "silver.labels", "silver.predictions", "silver.corrections"}


def write(
    connection: Connection,
    stream: str,
    batch: Mapping[Partition, Sequence[ParseResult]],
    begins: Mapping[Partition, int],
) -> dict[Partition, int]:
    """Store the new events of a batch, and the next offset of each partition.

    Whoever else ingests the same partitions waits here and then finds the work done. If
    someone turned an offset back, to have messages read again, nothing of that partition
    is stored, for messages before the batch are wanted first.

    Args:
        connection: No transaction may be open.
        stream: Name of the stream.
        batch: Parse results by partition, in order.
        begins: Where reading began, for at least the partitions of the batch.

    Returns:
        The next offset of each partition of the batch.
    """
    with connection, connection.cursor() as cursor:
        locked = lock_offsets(cursor, stream, {at: begins[at] for at in batch})
        ready = {at: readings for at, readings in batch.items() if begins[at] <= locked[at]}
        fresh = {
            at: [reading for reading in readings if reading.message.offset >= locked[at]]
            for at, readings in ready.items()
        }
        store(cursor, stream, [reading for readings in fresh.values() for reading in readings])
        last = {at: readings[-1].message for at, readings in fresh.items() if readings}
        moved = {at: message.offset + 1 for at, message in last.items()}
        anchors = {at: anchor_of(message) for at, message in last.items()}
        move_offsets(cursor, stream, moved, anchors)
    return locked | moved


def store(
    cursor: Cursor, stream: str, readings: Sequence[ParseResult], attempts: int = ATTEMPTS
) -> None:
    """Store the new events of some readings; events that cannot be stored go to quarantine.

    Args:
        cursor: In a transaction, which is committed by the caller.
        stream: Name of the stream.
        readings: Of any kind, in the order of their messages.
        attempts: How often to look up what is stored, where others store the same meanwhile.
    """
    if not readings:
        return
    try:
        with _savepoint(cursor):
            # Replays are rare: only once a key was violated is every event looked up.
            _store_new(cursor, stream, find_new(cursor, readings, look_up=attempts < ATTEMPTS))
    except psycopg2.errors.UniqueViolation as cause:
        # Some are stored, or another ingester stored them since they were looked up.
        if attempts:
            store(cursor, stream, readings, attempts - 1)
        else:
            _store_parts(cursor, stream, readings, cause)
    except UNSTORABLE as cause:
        _store_parts(cursor, stream, readings, cause)


def _store_new(cursor: Cursor, stream: str, readings: Sequence[ParseResult]) -> None:
    _write_rows(cursor, (row for reading in readings for row in rows_of(stream, reading)))
    declare(cursor, readings)
    _quarantine_changed_frames(cursor, readings)


def _store_parts(
    cursor: Cursor, stream: str, readings: Sequence[ParseResult], cause: Exception
) -> None:
    # Halving finds the one message that cannot be stored and leaves its neighbours alone.
    for part in _smaller(readings, cause):
        store(cursor, stream, part)


@contextmanager
def _savepoint(cursor: Cursor) -> Iterator[None]:
    cursor.execute("SAVEPOINT readings")
    try:
        yield
    except (*UNSTORABLE, psycopg2.IntegrityError):
        cursor.execute("ROLLBACK TO SAVEPOINT readings")
        raise
    cursor.execute("RELEASE SAVEPOINT readings")


def _smaller(readings: Sequence[ParseResult], cause: Exception) -> list[Sequence[ParseResult]]:
    (first, *others) = readings
    if others:
        middle = len(readings) // 2
        return [readings[:middle], readings[middle:]]
    if isinstance(first, Rejected):
        raise cause
    return [[reject(first, "not_storable", str(cause).strip())]]


def _write_rows(cursor: Cursor, rows: Iterable[tuple[str, Row]]) -> None:
    tables: dict[str, list[Row]] = defaultdict(list)
    for table, row in rows:
        tables[table].append(row)
    if "silver.predictions" in tables:  # their sequence is a watermark: none may appear below it
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('silver.predictions'))")
    for table, lines in tables.items():
        (copy_rows if table in ONCE_AN_EVENT else insert_rows)(cursor, table, lines)


def _quarantine_changed_frames(cursor: Cursor, readings: Iterable[ParseResult]) -> None:
    frames = [
        reading.event_id
        for reading in readings
        if isinstance(reading, Parsed) and isinstance(reading.data, FrameCaptured)
    ]
    if frames:
        cursor.execute(QUARANTINE_CHANGED_FRAMES, (f"{{{','.join(frames)}}}",))


# A frame keeps its first group and split, because an image must not move between splits; a
# later event with others is quarantined, so that it is not lost.
QUARANTINE_CHANGED_FRAMES = """
INSERT INTO quarantine.items (dedupe_key, dataset, source_name, reason, detail, uri)
SELECT bronze.events.event_id, dataset, data->>'source_name', 'frame_told_otherwise',
    format('it stays in group %%s, split %%s, as it came first; now told group %%s, split %%s',
        group_name, coalesce(split, 'open'), data->>'group', coalesce(data->>'split', 'open')),
    uri
FROM bronze.events JOIN silver.frames
    ON dataset = data->>'dataset' AND sha256 = data->>'sha256'
WHERE bronze.events.event_id = ANY(%s::text[])
    AND (group_name, split) IS DISTINCT FROM (data->>'group', data->>'split')
ON CONFLICT DO NOTHING
"""
