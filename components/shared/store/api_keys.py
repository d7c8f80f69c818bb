"""Store API keys in PostgreSQL: create, list, revoke and find them."""

from datetime import datetime

from psycopg2 import extensions
from psycopg2.extras import RealDictCursor

from components.shared.contracts.api_key import ApiKey
from components.shared.contracts.errors import UserError

COLUMNS = tuple(ApiKey.model_fields)


def add_key(connection: extensions.connection, key: ApiKey) -> None:
    """Store a new key.

    Args:
        connection: Connection to the database, with the rights of its owner.
        key: The key.
    """
    values = [list(v) if isinstance(v, tuple) else v for _, v in key]
    places = ", ".join(["%s"] * len(COLUMNS))
    with connection, connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO gateway.api_keys ({', '.join(COLUMNS)}) VALUES ({places})", values
        )


def find_key(connection: extensions.connection, key_id: str) -> ApiKey | None:
    """Return the key with an id, or None.

    Args:
        connection: Connection to the database.
        key_id: Public part of the key.
    """
    with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute("SELECT * FROM gateway.api_keys WHERE key_id = %s", (key_id,))
        row = cursor.fetchone()
    return ApiKey.model_validate(row) if row else None


def list_keys(connection: extensions.connection) -> list[ApiKey]:
    """Return all keys, the newest first, revoked ones too."""
    with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute("SELECT * FROM gateway.api_keys ORDER BY created_at DESC, key_id")
        return [ApiKey.model_validate(row) for row in cursor.fetchall()]


def revoke_key(connection: extensions.connection, key_id: str, now: datetime) -> ApiKey:
    """Revoke a key and return it; a revoked one keeps its time.

    Args:
        connection: Connection to the database, with the rights of its owner.
        key_id: Public part of the key.
        now: Time of the revocation.

    Raises:
        UserError: If there is no such key.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE gateway.api_keys SET revoked_at = coalesce(revoked_at, %s) WHERE key_id = %s",
            (now, key_id),
        )
        if not cursor.rowcount:
            raise UserError(f"there is no API key {key_id!r}; `python -m pipelines keys list`")
    found = find_key(connection, key_id)
    assert found is not None
    return found
