"""Authorize requests by API key: find the key, then check role, dataset, rate and size."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from time import monotonic

from fastapi import Request
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from components.serving.gateway.database import Database
from components.serving.gateway.rate_limit import RateLimit
from components.shared.contracts.api_key import ApiKey, Role, read_credentials
from components.shared.contracts.errors import UserError
from components.shared.store.api_keys import find_key
from components.shared.traffic.http_errors import HttpError

KEPT_S = 5.0  # after a revocation a key may be accepted for so long
MAX_KEPT = 10_000
CHALLENGE = {"WWW-Authenticate": "Bearer"}

BEARER = HTTPBearer(auto_error=False, description="API key: `cars_<id>_<secret>`")


class Authorizer:
    """Finds the API key of a request, and checks what it may do.

    Args:
        database: Holds the keys.
        counter: Returns a monotonic time in seconds.
    """

    def __init__(self, database: Database, counter: Callable[[], float] = monotonic) -> None:
        self._database = database
        self._counter = counter
        self._kept: dict[str, tuple[ApiKey | None, float]] = {}
        self._lock = Lock()
        self._rate_limit = RateLimit(counter)

    async def authorize(self, request: Request, roles: frozenset[Role]) -> ApiKey:
        """Return the key of a request that may be answered.

        Args:
            request: Its header `Authorization` holds the key, its path the dataset.
            roles: One of these is needed; the role admin has them all.

        Raises:
            HttpError: 401 without a valid key, 403 without the role or for another dataset,
                413 if the body is too large, 429 if there are too many requests.
        """
        key = await self._key(request)
        if not roles & {*key.roles} and "admin" not in key.roles:
            have, need = ", ".join(key.roles), " or ".join(sorted(roles))
            raise HttpError(403, f"this API key has the role {have}, expected {need}")
        dataset = request.path_params.get("dataset")
        if dataset and key.datasets and dataset not in key.datasets:
            known = ", ".join(key.datasets)
            raise HttpError(403, f"this API key is not for {dataset!r}, expected one of: {known}")
        self._rate_limit.take(key.key_id, key.requests_per_minute)
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > key.max_body_bytes:
            raise too_large(key)
        return key

    async def _key(self, request: Request) -> ApiKey:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise HttpError(401, "an API key is needed: Authorization: Bearer KEY", CHALLENGE)
        try:
            given = read_credentials(text)
        except UserError as cause:
            raise HttpError(401, str(cause), CHALLENGE) from cause
        kept = self._kept.get(given.key_id)
        if kept is None or self._counter() - kept[1] > KEPT_S:
            kept = await run_in_threadpool(self._find, given.key_id)
        key = kept[0]
        if key is None or not key.accepts(given.secret) or not key.is_valid(datetime.now(UTC)):
            raise HttpError(401, "the API key is unknown, revoked or expired", CHALLENGE)
        return key

    def _find(self, key_id: str) -> tuple[ApiKey | None, float]:
        with self._database.connection() as connection:
            found = find_key(connection, key_id), self._counter()
        with self._lock:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[key_id] = found
        return found


def too_large(key: ApiKey) -> HttpError:
    """Return a 413 with the limit of the key."""
    return HttpError(
        413,
        f"the body is too large, expected at most {key.max_body_bytes:,} bytes for this API key",
    )
