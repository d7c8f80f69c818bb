"""What the database of one scenario holds."""

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2

from components.shared.store.postgres import connect, migrate
from pipelines.local.database import EmbeddedDatabase, as_role
from tests.support.waiting import PATIENCE_S, await_true

_numbers = itertools.count()


class Lake:
    """One fresh database.

    Args:
        server: That has it; the database `cars` there is its template.
        name: Of the database.
    """

    def __init__(self, server: EmbeddedDatabase, name: str) -> None:
        self._server, self._name = server, name
        self.owner = server.url(name)
        self.url = as_role(self.owner, "car_ingest")

    def ask(self, query: str, *values: object) -> list[tuple]:
        """Return the rows of a query."""
        with closing(connect(self.owner)) as connection, connection.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())

    def events(self, dataset: str | None = None) -> int:
        """Return how many events are stored, of one data set or of all."""
        condition = "" if dataset is None else " WHERE data->>'dataset' = %s"
        values = () if dataset is None else (dataset,)
        return int(self.ask(f"SELECT count(*) FROM bronze.events{condition}", *values)[0][0])

    def quarantined(self) -> dict[str, int]:
        """Return how many messages lie in quarantine, by reason."""
        return dict(self.ask("SELECT reason, count(*) FROM quarantine.items GROUP BY reason"))

    def await_events(
        self, count: int, seconds: float = PATIENCE_S, dataset: str | None = None
    ) -> int:
        """Wait until so many are stored, or time is up; return how many there are."""
        await_true(lambda: self.events(dataset) >= count, seconds)
        return self.events(dataset)

    def read_only(self, on: bool) -> None:
        """Let the database refuse to write, as one does after a failover; cut all connections."""
        self._administer(f"ALTER DATABASE {self._name} SET default_transaction_read_only = {on}")
        self._administer(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{self._name}' AND pid <> pg_backend_pid()"
        )

    def _administer(self, statement: str) -> None:
        connection = psycopg2.connect(self._server.url("postgres"))
        connection.autocommit = True
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(statement)


@contextmanager
def lake(server: EmbeddedDatabase) -> Iterator[Lake]:
    """Make a migrated database for one scenario, and drop it afterwards."""
    name = f"proof_{next(_numbers)}"
    template = Lake(server, "cars")
    with closing(connect(template.owner)) as connection:
        migrate(connection)
    template._administer(f"CREATE DATABASE {name} TEMPLATE cars")
    made = Lake(server, name)
    yield made
    made._administer(f"DROP DATABASE {name} WITH (FORCE)")
