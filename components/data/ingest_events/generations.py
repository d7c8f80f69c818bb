"""Find the generation of a topic: a topic that was deleted and recreated is a new generation.

Each generation has its own name in `bronze.offsets` and `bronze.events`, because it has other
messages at the same offsets. The first generation has the name of the stream itself.
"""

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from components.shared.store.topics import Topic

FIRST = "first seen"
RECREATED = "topic_recreated"

Row = tuple[int, str, str | None]  # number, name, topic id


def current_generation(connection: Connection, stream: str, topic: Topic) -> tuple[str, str | None]:
    """Return the name of the generation of a topic's id; a new id makes a new generation.

    Args:
        connection: No transaction may be open.
        stream: Name of the stream.
        topic: As the cluster describes it now.

    Returns:
        The name, and a sentence if the topic is another one than at the last time.
    """
    with connection, connection.cursor() as cursor:
        _lock(cursor, stream, topic.name)
        rows = _rows(cursor, stream, topic.name)
        if not rows:
            _add(cursor, stream, topic, (1, stream, topic.id), FIRST)
            return stream, None
        number, name, known = rows[0]
        if topic.id is None or topic.id == known:
            return name, None
        if known is None:  # from a broker that did not know ids, or had not been asked
            cursor.execute(
                "UPDATE bronze.generations SET topic_id = %s "
                "WHERE stream = %s AND topic = %s AND number = %s",
                (topic.id, stream, topic.name, number),
            )
            return name, None
        earlier = next((name for _, name, old in rows if old == topic.id), None)
        sentence = (
            f"topic {topic.name} was deleted and created again (its id was {known} and is "
            f"{topic.id}): it is read from its beginning"
        )
        if earlier:
            sentence = f"topic {topic.name} has the id {topic.id} again: it is read on from there"
        name = _next(cursor, stream, topic, number, sentence, earlier)
        return name, sentence


def begin_generation(
    connection: Connection, stream: str, topic: Topic, left: str, why: str
) -> tuple[str, str | None]:
    """Begin a new generation of a topic whose id is unchanged but whose messages are others.

    Args:
        connection: No transaction may be open.
        stream: Name of the stream.
        topic: As the cluster describes it now.
        left: Name of the generation to leave. If it has been left already, as another
            ingester does, nothing is changed.
        why: Reason for the new generation, a sentence.

    Returns:
        As `current_generation`.
    """
    with connection, connection.cursor() as cursor:
        _lock(cursor, stream, topic.name)
        number, name, _ = _rows(cursor, stream, topic.name)[0]
        if name != left:
            return name, None
        sentence = f"{why}: topic {topic.name} is read again from its beginning"
        return _next(cursor, stream, topic, number, sentence), sentence


def _next(
    cursor: Cursor, stream: str, topic: Topic, number: int, sentence: str, name: str | None = None
) -> str:
    row = (number + 1, name or f"{stream}#{number + 1}", topic.id)
    _add(cursor, stream, topic, row, sentence)
    cursor.execute(
        "INSERT INTO quarantine.items (dedupe_key, source_name, reason, detail) "
        "VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (f"{stream}#{number + 1}/{topic.name}/recreated", topic.name, RECREATED, sentence),
    )
    return row[1]


def _add(cursor: Cursor, stream: str, topic: Topic, row: Row, reason: str) -> None:
    number, name, topic_id = row
    cursor.execute(
        "INSERT INTO bronze.generations (stream, topic, number, name, topic_id, reason) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        (stream, topic.name, number, name, topic_id, reason),
    )


def _rows(cursor: Cursor, stream: str, topic: str) -> list[Row]:
    cursor.execute(
        "SELECT number, name, topic_id::text FROM bronze.generations "
        "WHERE stream = %s AND topic = %s ORDER BY number DESC",
        (stream, topic),
    )
    return [(number, name, topic_id) for number, name, topic_id in cursor.fetchall()]


def _lock(cursor: Cursor, stream: str, topic: str) -> None:
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"{stream}/{topic}",))
