"""SQL queries for the predictions after a watermark.

Rows are read in the order of their sequence numbers once all transactions that wrote one have
ended, so that no row is committed below a watermark that was already passed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2 import extensions
from psycopg2.errors import LockNotAvailable

from components.shared.contracts.errors import OutageError
from components.shared.contracts.snapshot import WindowFrame

# A number of `sequence` is assigned when a row is written and visible when its transaction
# commits: 7 can be visible before 6, and a watermark at 7 would skip 6. This waits for every
# transaction that has written a prediction, so the visible numbers have no gaps.
SETTLE = "SET LOCAL lock_timeout = '30s'; SELECT silver.settle_predictions()"

# A frame that was answered twice counts once, as answered last.
NEWEST = """
SELECT max(sequence) FROM gold.served_frames
WHERE dataset = %(dataset)s AND model = %(model)s AND sequence > %(since)s
GROUP BY sha256 ORDER BY 1
"""
ANSWERS = """
SELECT count(*) FROM gold.served_frames
WHERE dataset = %(dataset)s AND model = %(model)s AND sequence > %(since)s
"""
UNKNOWN = """
SELECT count(*) FROM silver.predictions AS made
WHERE dataset = %(dataset)s AND model = %(model)s AND sequence > %(since)s AND NOT EXISTS
    (SELECT FROM silver.frames WHERE (dataset, sha256) = (made.dataset, made.sha256))
"""
FRAMES = """
SELECT served.sha256, served.width, served.height, served.camera, served.captured_at,
    served.model, served.boxes, served.latency_ms, frames.size_bytes
FROM gold.served_frames AS served JOIN silver.frames USING (dataset, sha256)
WHERE served.sequence = ANY(%s) ORDER BY served.sequence
"""


@dataclass(frozen=True, slots=True)
class Served:
    """Predictions of one model after a watermark.

    Attributes:
        sequences: Sequence number of each frame's last prediction, ascending.
        answers: Number of predictions about these frames.
        unknown: Number of predictions about frames that are not in the database.
    """

    sequences: list[int]
    answers: int
    unknown: int


def served(connection: extensions.connection, dataset: str, model: str, since: int) -> Served:
    """Return the predictions of a model after a watermark.

    Args:
        connection: An open connection to a migrated database.
        dataset: Name of the dataset.
        model: Digest of the package that predicted.
        since: The watermark, exclusive: a sequence number.

    Raises:
        OutageError: If another transaction keeps writing predictions for half a minute.
    """
    values = {"dataset": dataset, "model": model, "since": since}
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(SETTLE)
            cursor.execute(NEWEST, values)
            sequences = [sequence for (sequence,) in cursor.fetchall()]
            cursor.execute(ANSWERS, values)
            ((answers,),) = cursor.fetchall()
            cursor.execute(UNKNOWN, values)
            ((unknown,),) = cursor.fetchall()
    except LockNotAvailable as cause:
        raise OutageError(
            "one transaction has been writing predictions for 30 s, expected it to end: "
            "check the ingester, then try again"
        ) from cause
    return Served(sequences, answers, unknown)


def frames(
    connection: extensions.connection, sequences: Sequence[int]
) -> list[tuple[WindowFrame, int]]:
    """Return the frames of some predictions, in their order, each with its size in bytes.

    Args:
        connection: An open connection to a migrated database.
        sequences: Sequence numbers of the predictions.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(FRAMES, (list(sequences),))
        rows = cursor.fetchall()
    names = list(WindowFrame.model_fields)
    return [
        (WindowFrame.model_validate(dict(zip(names, row[:-1], strict=True))), row[-1])
        for row in rows
    ]
