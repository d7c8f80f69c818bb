"""PostgreSQL: one connection at a time, and a schema that only ever moves forward."""

from importlib.resources import files

import psycopg2
from psycopg2 import extensions

from components.contracts.refusal import Refusal

MIGRATIONS = files("components.store") / "migrations"
MIGRATION_LOCK = 7_206_158  # any number, the same for all who migrate


class UnreachableError(Refusal, psycopg2.OperationalError):
    """No database answers; who can wait may try again."""


def connect(url: str) -> extensions.connection:
    """Open a connection whose transactions are ended by the caller.

    Args:
        url: A libpq URL or DSN, such as DATABASE_URL holds.

    Raises:
        UnreachableError: If no database answers there, or not to this user.
    """
    try:
        return psycopg2.connect(url, application_name="car-detection")
    except psycopg2.OperationalError as cause:
        (first, *_) = str(cause).splitlines() or ["no answer"]
        raise UnreachableError(f"DATABASE_URL: {first}") from cause


def migrate(connection: extensions.connection) -> list[str]:
    """Bring the schema up to date, once, whoever else tries, and return what was applied."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS public.migrations ("
            "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        cursor.execute("SELECT name FROM public.migrations")
        done = {name for (name,) in cursor.fetchall()}
        waiting = sorted(
            (file for file in MIGRATIONS.iterdir() if file.name.endswith(".sql")),
            key=lambda file: file.name,
        )
        applied = [file for file in waiting if file.name not in done]
        for file in applied:
            cursor.execute(file.read_text())
            cursor.execute("INSERT INTO public.migrations (name) VALUES (%s)", (file.name,))
    return [file.name for file in applied]
