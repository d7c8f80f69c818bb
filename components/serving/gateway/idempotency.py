"""Answer a request with an `Idempotency-Key` once: the same request again gets the same answer.

Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from psycopg2 import extensions
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from components.serving.gateway.database import Database
from components.shared.contracts.api_key import ApiKey
from components.shared.traffic.http_errors import HttpError

HEADER = "idempotency-key"
REPLAYED = "Idempotency-Replayed"
MAX_CHARACTERS = 200
JSON = "application/json"

FORGET = "DELETE FROM gateway.responses WHERE created_at < now() - interval '24 hours'"
# A request that was never answered, because the process ended, may be tried again after a minute.
BEGIN = """
INSERT INTO gateway.responses AS kept (key_id, idempotency_key, request_sha256)
VALUES (%s, %s, %s) ON CONFLICT (key_id, idempotency_key) DO UPDATE SET created_at = now()
WHERE kept.status IS NULL AND kept.request_sha256 = excluded.request_sha256
    AND kept.created_at < now() - interval '1 minute'
"""
FIND = """
SELECT request_sha256, status, content FROM gateway.responses
WHERE key_id = %s AND idempotency_key = %s
"""
KEEP = (
    "UPDATE gateway.responses SET status = %s, content = %s WHERE key_id = %s "
    "AND idempotency_key = %s"
)
DROP = "DELETE FROM gateway.responses WHERE key_id = %s AND idempotency_key = %s"

Handler = Callable[[Request], Awaitable[Response]]


async def answer_once(
    database: Database, key: ApiKey, request: Request, handler: Handler
) -> Response:
    """Answer a request, or repeat the answer that it had in the last 24 hours.

    Only successful answers are kept.

    Args:
        database: Holds the answers.
        key: API key of the caller; keys do not share answers.
        request: The request.
        handler: Answers it.

    Raises:
        HttpError: 409 while the same request is being answered, 422 if the idempotency key was
            used for another request.
    """
    given = request.headers.get(HEADER)
    if given is None:
        return await handler(request)
    if not 1 <= len(given) <= MAX_CHARACTERS or not given.isascii() or not given.isprintable():
        raise HttpError(422, f"{HEADER}: expected 1 to {MAX_CHARACTERS} printable ASCII characters")
    entry = (key.key_id, given)
    kept = await run_in_threadpool(_begin, database, entry, await _digest(request))
    if kept is not None:
        return kept
    try:
        response = await handler(request)
    except BaseException:
        await run_in_threadpool(_execute, database, DROP, *entry)
        raise
    if response.status_code < 300:
        content = bytes(response.body)
        await run_in_threadpool(_execute, database, KEEP, response.status_code, content, *entry)
    else:
        await run_in_threadpool(_execute, database, DROP, *entry)
    return response


async def _digest(request: Request) -> str:
    kind = request.headers.get("content-type", "")
    head = f"{request.method} {request.url.path}?{request.url.query} {kind}\n".encode()
    return hashlib.sha256(head + await request.body()).hexdigest()


def _begin(database: Database, entry: tuple[str, str], digest: str) -> Response | None:
    """Note that a request is being answered; return the kept answer if it was before."""
    with database.connection() as connection, connection, connection.cursor() as cursor:
        cursor.execute(FORGET)
        cursor.execute(BEGIN, (*entry, digest))
        return None if cursor.rowcount else _kept(cursor, entry, digest)


def _kept(cursor: extensions.cursor, entry: tuple[str, str], digest: str) -> Response:
    cursor.execute(FIND, entry)
    known, status, content = cursor.fetchone() or ("", None, None)
    if known and known != digest:
        raise HttpError(422, f"{HEADER}: it was used for another request")
    if status is None:
        told = f"{HEADER}: the request is being answered: try again"
        raise HttpError(409, told, {"Retry-After": "1"})
    return Response(bytes(content), status, {REPLAYED: "true"}, JSON)


def _execute(database: Database, query: str, *values: Any) -> None:
    with database.connection() as connection, connection, connection.cursor() as cursor:
        cursor.execute(query, values)
