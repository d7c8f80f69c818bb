"""Connect to PostgreSQL with timeouts, and migrate its schema forward."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import psycopg2
from psycopg2 import extensions
from psycopg2.errors import InsufficientPrivilege, RaiseException

from components.shared.contracts.errors import OutageError

MIGRATIONS = files("components.shared.store") / "migrations"
APPLICATION = "car-detection"
MIGRATION_LOCK = 7_206_158  # any number, the same in every process
CREATE_MIGRATIONS_TABLE = (
    "CREATE TABLE public.migrations ("
    "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
)
# Seconds and probes until a connection whose other end is gone counts as ended: a minute.
KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
UNANSWERED_MS = 60_000  # what was sent and is not acknowledged for so long ends a connection
LOCK_S = 60  # a longer wait is a fault of the session that holds the lock

END_STALLED = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = %s
    AND pid <> pg_backend_pid() AND state = 'active' AND wait_event = 'ClientRead'
    AND query_start < now() - make_interval(secs => %s)
"""


class DatabaseUnreachableError(OutageError, psycopg2.OperationalError):
    """The database is unreachable; a retry may succeed."""


class SchemaError(OutageError):
    """The schema is older than this code, and cannot be migrated here."""


def connect(url: str) -> extensions.connection:
    """Open a connection whose transactions are ended by the caller.

    Args:
        url: A libpq URL or DSN, such as DATABASE_URL holds; it may have its own keepalives.

    Raises:
        DatabaseUnreachableError: If no database answers there, or not to this user.
    """
    try:
        settings = KEEPALIVES | {"tcp_user_timeout": UNANSWERED_MS} | extensions.parse_dsn(url)
        connection: extensions.connection = psycopg2.connect(
            **settings | {"application_name": APPLICATION}
        )
    except psycopg2.OperationalError as cause:
        raise DatabaseUnreachableError(f"DATABASE_URL: {_first_line(cause)}") from cause
    return connection


def limit_waits(connection: extensions.connection, idle_s: float) -> None:
    """Set server timeouts for idle transactions and locks of a paused or disconnected client.

    Args:
        connection: No transaction may be open; the limits hold for its session.
        idle_s: How long a transaction may wait for its next statement.
    """
    limits = {"lock_timeout": LOCK_S, "idle_in_transaction_session_timeout": idle_s}
    with connection, connection.cursor() as cursor:
        probe_client(cursor)
        cursor.execute("SELECT set_config('tcp_user_timeout', %s, false)", (str(UNANSWERED_MS),))
        for name, seconds in limits.items():
            cursor.execute("SELECT set_config(%s, %s, false)", (name, f"{seconds * 1000:.0f}"))


def end_stalled_copies(connection: extensions.connection, idle_s: float) -> int:
    """Terminate sessions of this user whose COPY waits for its client, and return how many.

    No timeout of the server ends them.

    Args:
        connection: No transaction may be open.
        idle_s: How long a COPY must have taken.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(END_STALLED, (APPLICATION, idle_s))
        return cursor.rowcount


def probe_client(cursor: extensions.cursor) -> None:
    """Set TCP keepalives, so that the server ends a disconnected session.

    By default it waits for two hours; the keepalives of a client only find a lost server.
    """
    for name, value in KEEPALIVES.items():
        cursor.execute("SELECT set_config(%s, %s, false)", (f"tcp_{name}", str(value)))


@contextmanager
def outages(sentence: str) -> Iterator[None]:
    """Convert database errors to an outage, whose sentence begins with `sentence`."""
    try:
        yield
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as cause:
        raise OutageError(f"{sentence}: {_first_line(cause)}") from cause


def _first_line(cause: Exception) -> str:
    return next(iter(str(cause).splitlines()), "no answer")


def migrate(connection: extensions.connection) -> list[str]:
    """Apply missing migrations under a lock, and return them.

    Where nothing is missing, reading which migrations were applied is all that it takes.

    Raises:
        SchemaError: If one is missing and this user may not apply it.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        done = _done(cursor)
        files = (file for file in MIGRATIONS.iterdir() if file.name.endswith(".sql"))
        missing = sorted(
            (file for file in files if file.name not in (done or ())), key=lambda file: file.name
        )
        try:
            if done is None:
                cursor.execute(CREATE_MIGRATIONS_TABLE)
            for file in missing:
                cursor.execute(file.read_text())
                cursor.execute("INSERT INTO public.migrations (name) VALUES (%s)", (file.name,))
        except (InsufficientPrivilege, RaiseException) as cause:
            raise SchemaError(
                f"the database lacks migrations ({', '.join(file.name for file in missing)}) that "
                f"this user may not apply: {cause.diag.message_primary}; let its owner run "
                "python -m components.shared.store.migrate"
            ) from cause
    return [file.name for file in missing]


def _done(cursor: extensions.cursor) -> set[str] | None:
    cursor.execute("SELECT to_regclass('public.migrations')")
    if cursor.fetchone() == (None,):
        return None
    cursor.execute("SELECT name FROM public.migrations")
    return {name for (name,) in cursor.fetchall()}
