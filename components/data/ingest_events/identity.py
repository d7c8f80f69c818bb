"""Deduplicate the events of a batch: find new ones, replays, and ids used twice.

Stored content is never stored again, whatever its `source` and `id`. New content whose `source`
and `id` are stored with other content violates CloudEvents and is quarantined. So the outcome
depends neither on the borders of batches nor on replays.
"""

from collections.abc import Iterable, Sequence

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from components.data.ingest_events.parse import Parsed, ParseResult, Rejected, reject

SenderId = tuple[str, str]  # `source` and `id`


def find_new(cursor: Cursor, readings: Sequence[ParseResult], look_up: bool) -> list[ParseResult]:
    """Leave out events that are stored already, and quarantine those that reuse an id.

    Args:
        cursor: In the transaction that will store the rest.
        readings: In the order of their messages.
        look_up: Look up every event. Without it, only repetitions within the batch and events
            of senders with ids of their own are found; what else is stored already violates a
            unique key when it is written.
    """
    parsed = [reading for reading in readings if isinstance(reading, Parsed)]
    foreign = [reading for reading in parsed if reading.event.id != reading.event_id]
    asked = parsed if look_up else foreign
    stored = _find_stored(cursor, [reading.event_id for reading in asked])
    return list(_select(readings, stored, _find_senders(cursor, foreign)))


def _select(
    readings: Iterable[ParseResult], stored: set[str], senders: dict[SenderId, str]
) -> Iterable[ParseResult]:
    for reading in readings:
        if isinstance(reading, Rejected):
            yield reading
            continue
        event, event_id = reading.event, reading.event_id
        if event_id in stored:
            continue
        first = senders.setdefault((event.source, event.id), event_id)
        if first == event_id:
            stored.add(event_id)
            yield reading
        else:
            detail = (
                f"id {event.id} of source {event.source} came before with other content, as event "
                f"{first}; expected an id of its own for each event"
            )
            yield reject(reading, "id_used_twice", detail)


def _find_stored(cursor: Cursor, event_ids: Sequence[str]) -> set[str]:
    if not event_ids:
        return set()
    # One literal is parsed much faster than an array of many; digests need no quotes in it.
    cursor.execute(STORED, (f"{{{','.join(event_ids)}}}",))
    return {event_id for (event_id,) in cursor.fetchall()}


def _find_senders(cursor: Cursor, foreign: Sequence[Parsed]) -> dict[SenderId, str]:
    if not foreign:
        return {}
    asked = [(reading.event.source, reading.event.id) for reading in foreign]
    sources, ids = map(list, zip(*asked, strict=True))
    cursor.execute(SENDERS, {"sources": sources, "ids": ids})
    return {(source, sender_id): event_id for source, sender_id, event_id in cursor.fetchall()}


STORED = "SELECT event_id FROM bronze.events WHERE event_id = ANY(%s::text[])"

# Where sender_id is NULL the sender's id is event_id.
SENDERS = """
WITH asked AS (SELECT * FROM unnest(%(sources)s::text[], %(ids)s::text[]) AS _ (source, id))
SELECT source, sender_id, event_id FROM asked JOIN bronze.events USING (source)
WHERE sender_id = id AND sender_id IS NOT NULL
UNION
SELECT source, event_id, event_id FROM asked JOIN bronze.events USING (source)
WHERE event_id = id AND sender_id IS NULL
"""
