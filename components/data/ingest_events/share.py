"""Assign the partitions of a stream to the running ingesters.

This affects speed only: a partition's row in `bronze.offsets` is locked while messages are
stored, so two ingesters of one partition store each message once.
"""

import socket
import uuid
from collections.abc import Iterable, Sequence

from psycopg2.extensions import connection as Connection  # noqa: N812

from components.shared.store.stream import Partition

LEASE_S = 15  # an ingester that has not been seen for so long is not counted

# Whose session has ended has gone, however it ended; where sessions are pooled, or the
# database has moved, the lease says it.
SEEN = """
INSERT INTO bronze.ingesters (stream, ingester, backend, seen_at)
VALUES (%(stream)s, %(ingester)s, pg_backend_pid(), clock_timestamp())
ON CONFLICT (stream, ingester)
DO UPDATE SET backend = excluded.backend, seen_at = excluded.seen_at
"""
GONE = """
DELETE FROM bronze.ingesters WHERE stream = %(stream)s AND ingester <> %(ingester)s AND (
    seen_at < clock_timestamp() - make_interval(secs => %(lease)s)
    OR backend NOT IN (SELECT pid FROM pg_stat_activity)
)
"""
RUNNING = "SELECT ingester FROM bronze.ingesters WHERE stream = %(stream)s"


def ingester_name() -> str:
    """Return a name for this run of the service, unique among all."""
    return f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"


def running_ingesters(connection: Connection, stream: str, ingester: str) -> list[str]:
    """Register an ingester as running, and return the names of all running ones, in order.

    Args:
        connection: No transaction may be open.
        stream: Name of the stream.
        ingester: From `ingester_name`.
    """
    with connection, connection.cursor() as cursor:
        values = {"stream": stream, "ingester": ingester, "lease": LEASE_S}
        cursor.execute(SEEN, values)
        cursor.execute(GONE, values)
        cursor.execute(RUNNING, values)
        return sorted(name for (name,) in cursor.fetchall())


def leave(connection: Connection, stream: str, ingester: str) -> None:
    """Deregister an ingester, so that the others take its partitions at once.

    Args:
        connection: Connection without an open transaction.
        stream: Name of the stream.
        ingester: Name of one ingester.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM bronze.ingesters WHERE stream = %s AND ingester = %s", (stream, ingester)
        )


def share_of(
    ingester: str, ingesters: Sequence[str], partitions: Iterable[Partition]
) -> list[Partition]:
    """Return the partitions that one of several ingesters reads: each has one reader.

    Args:
        ingester: Name of one ingester.
        ingesters: Names of all running ones, in order.
        partitions: All partitions of the stream.

    >>> share_of("b", ["a", "b"], [("frames", 0), ("frames", 1), ("predictions", 0)])
    [('frames', 1)]
    """
    place, count = sorted(ingesters).index(ingester), len(ingesters)
    return sorted(partitions)[place::count]
