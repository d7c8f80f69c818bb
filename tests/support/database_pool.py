"""Databases for tests: migrated, empty, and used again after their rows are deleted.

Deleting the rows of a test takes about 2 ms of CPU, creating a database from a template 50 to 300.
"""

import itertools
import os
from contextlib import closing

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812

from pipelines.local.database import EmbeddedDatabase

TEMPLATE = "cars"

END_OTHER_SESSIONS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

# Without triggers: neither foreign keys nor "append only" may stop the deletion.
DELETE_ALL_ROWS = """
SET session_replication_role = replica;
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT relid::regclass FROM pg_stat_user_tables WHERE schemaname <> 'public'
    LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
    PERFORM setval(seqrelid, seqstart, false) FROM pg_sequence;
END $$;
"""

# Changes with every change of a table, column, function, trigger, constraint, right or migration.
SCHEMA_FINGERPRINT = """
SELECT sum(hashtextextended(entry, 0)) FROM (
    SELECT format('%s/%s/%s', tableoid, oid, xmin) FROM pg_class
    UNION ALL SELECT format('%s/%s/%s', tableoid, oid, xmin) FROM pg_proc
    UNION ALL SELECT format('%s/%s/%s', tableoid, oid, xmin) FROM pg_namespace
    UNION ALL SELECT format('%s/%s/%s', tableoid, oid, xmin) FROM pg_trigger
    UNION ALL SELECT format('%s/%s/%s', tableoid, oid, xmin) FROM pg_constraint
    UNION ALL SELECT format('%s/%s/%s/%s', tableoid, attrelid, attnum, xmin) FROM pg_attribute
    UNION ALL SELECT format('migration/%s', name) FROM public.migrations
) AS entries (entry)
"""


class DatabasePool:
    """Lends the databases of one server, one test at a time each.

    Args:
        server: Its database `cars` is the template: migrated and empty.
    """

    def __init__(self, server: EmbeddedDatabase) -> None:
        self._server = server
        self._numbers = itertools.count()
        self._fingerprints: dict[str, int] = {}
        self._free: list[str] = []

    def take(self) -> str:
        """Return the name of a migrated database without rows."""
        return self._free.pop() if self._free else self._create()

    def give_back(self, name: str) -> None:
        """Delete the rows of a database, or the database if its schema was changed."""
        with closing(self._connect(name)) as connection, connection.cursor() as cursor:
            cursor.execute(END_OTHER_SESSIONS)
            unchanged = _fingerprint(connection) == self._fingerprints[name]
            if unchanged:
                cursor.execute(DELETE_ALL_ROWS)
        if unchanged:
            self._free.append(name)
        else:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _create(self) -> str:
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        with closing(self._connect(name)) as connection:
            self._fingerprints[name] = _fingerprint(connection)
        return name

    def _execute(self, statement: str) -> None:
        with closing(self._connect("postgres")) as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def _connect(self, name: str) -> Connection:
        connection = psycopg2.connect(self._server.url(name))
        connection.autocommit = True
        return connection


def _fingerprint(connection: Connection) -> int:
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA_FINGERPRINT)
        ((fingerprint,),) = cursor.fetchall()
        return int(fingerprint)
