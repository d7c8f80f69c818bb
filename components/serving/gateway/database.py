"""Pool of PostgreSQL connections for the threads of one process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import Any

from psycopg2 import InterfaceError, OperationalError
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extras import RealDictCursor

from components.shared.store.postgres import connect, limit_waits
from components.shared.traffic.http_errors import HttpError

MAX_CONNECTIONS = 8
WAIT_S = 5.0
IDLE_S = 30.0  # a transaction that waits longer for its next statement is ended
RETRY = {"Retry-After": "1"}


class Database:
    """Opens connections as they are needed, keeps them, and replaces broken ones.

    Args:
        url: DATABASE_URL.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._free: LifoQueue[Connection | None] = LifoQueue()
        for _ in range(MAX_CONNECTIONS):
            self._free.put(None)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection without an open transaction.

        Raises:
            HttpError: 503, if the database does not answer, or all connections are in use.
        """
        try:
            lent = self._free.get(timeout=WAIT_S)
        except Empty:
            raise HttpError(503, "too many queries run at once: try again", RETRY) from None
        try:
            if lent is None or lent.closed:
                lent = connect(self._url)
                limit_waits(lent, IDLE_S)
            yield lent
        except (OperationalError, InterfaceError) as cause:
            _close(lent)
            raise HttpError(503, "the database does not answer: try again", RETRY) from cause
        finally:
            self._free.put(lent)

    def select(self, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows of a query, by column.

        Args:
            query: SQL with placeholders.
            values: Values of the placeholders.

        Raises:
            HttpError: As `connection` does.
        """
        with (
            self.connection() as connection,
            connection,
            connection.cursor(cursor_factory=RealDictCursor) as cursor,
        ):
            cursor.execute(query, values)
            return [dict(row) for row in cursor.fetchall()]

    def close(self) -> None:
        """Close the connections that are not lent."""
        while not self._free.empty():
            _close(self._free.get_nowait())


def _close(connection: Connection | None) -> None:
    if connection is not None and not connection.closed:
        connection.close()
