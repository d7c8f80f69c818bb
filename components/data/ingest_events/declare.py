"""Add the declared classes of a dataset; each class keeps its position."""

from collections.abc import Iterable

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from components.data.ingest_events.parse import Parsed, ParseResult
from components.shared.contracts.events import DatasetDeclared
from components.shared.contracts.values import MAX_CLASSES


def declare(cursor: Cursor, readings: Iterable[ParseResult]) -> None:
    """Add the missing classes of each declaration, in its order.

    A declaration by which its dataset would have more than `MAX_CLASSES` adds none; that is
    noted in quarantine.

    Args:
        cursor: In the transaction that stores the declarations.
        readings: Parse results of any kind.
    """
    for reading in readings:
        if isinstance(reading, Parsed) and isinstance(reading.data, DatasetDeclared):
            dataset, classes = reading.data.dataset, list(reading.data.classes)
            declared = {"dataset": dataset, "classes": classes, "most": MAX_CLASSES}
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (dataset,))
            cursor.execute(NOTE_TOO_MANY, declared | {"event_id": reading.event_id})
            if not cursor.rowcount:
                cursor.execute(ADD_CLASSES, declared)


NOTE_TOO_MANY = """
WITH known AS (
    SELECT label FROM silver.classes WHERE dataset = %(dataset)s UNION SELECT unnest(%(classes)s)
)
INSERT INTO quarantine.items (dedupe_key, dataset, source_name, reason, detail)
SELECT %(event_id)s, %(dataset)s, %(dataset)s, 'too_many_classes',
    format('with these the dataset would have %%s classes, expected at most %%s: none was added',
        count(*), %(most)s)
FROM known HAVING count(*) > %(most)s
"""

# A class keeps its position for ever; new ones come after all that are there.
ADD_CLASSES = """
INSERT INTO silver.classes (dataset, label, position)
SELECT %(dataset)s, label,
    (SELECT coalesce(max(position) + 1, 0) FROM silver.classes WHERE dataset = %(dataset)s)
    + row_number() OVER (ORDER BY min(place)) - 1
FROM unnest(%(classes)s) WITH ORDINALITY AS declared (label, place)
WHERE label NOT IN (SELECT label FROM silver.classes WHERE dataset = %(dataset)s)
GROUP BY label
"""
