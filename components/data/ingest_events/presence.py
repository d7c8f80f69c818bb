"""Check that the JPEGs of frames are in the object store, and that it is the right store.

A frame whose bytes are missing goes to quarantine. A store that lacks everything is a wrong
configuration: ingestion waits, because quarantined frames stay there until a command retries
them. It waits at most `EMPTY_STORE_S` for an empty store while no frame was ever stored:
otherwise one event without bytes, from any sender, would stop a new installation.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from psycopg2.extensions import connection as Connection  # noqa: N812

from components.data.ingest_events.parse import Parsed, ParseResult, reject
from components.shared.contracts.errors import OutageError
from components.shared.contracts.events import FrameCaptured
from components.shared.contracts.progress import log_progress
from components.shared.store.objects import Objects, StoreError, frame_key

LOOKUPS = 16  # asked of the object store at once
SAMPLE = 20  # of the frames that were taken last
EMPTY_STORE_S = 600.0  # how long a store that is there and empty may be the wrong one
ASKED = "is it the right bucket, and is the folder mounted?"
PROBE = frame_key("0" * 64)
LATEST = "SELECT uri FROM silver.frames ORDER BY captured_at DESC LIMIT %s"


class StoreFaultError(OutageError):
    """The object store answers, but lacks all frames that it must have."""


class Patience:
    """Time limit for waiting on an object store in which no frame was ever stored.

    Attributes:
        began: When it was first seen.
        over: Whether it was said that it is waited for no longer.
    """

    began: float | None = None
    over = False

    def left_s(self) -> float:
        """Return for how many seconds it is still waited for."""
        now = time.monotonic()
        self.began = now if self.began is None else self.began
        return max(0.0, self.began + EMPTY_STORE_S - now)

    def end(self, url: str) -> None:
        """Log once that the wait is over."""
        if not self.over:
            log_progress(
                f"OBJECT_STORE_URL: {url} is still empty: frames without bytes go to quarantine; "
                "ingest_events --retry-missing stores them when their bytes are there"
            )
        self.over = True


def require_frames(
    connection: Connection,
    objects: Objects,
    readings: Sequence[ParseResult],
    patience: Patience | None = None,
) -> list[ParseResult]:
    """Quarantine each frame whose JPEG is not at its URI.

    Args:
        connection: To the database, which knows where frames are. No transaction may be open.
        objects: The object store.
        readings: Parse results of any kind.
        patience: With a store in which nothing was ever stored; None has no end.

    Raises:
        StoreFaultError: If none is there, and nothing else that should be.
        StoreError: If the store does not answer, or its bucket does not exist.
    """
    uris = {uri for uri in map(_uri, readings) if uri is not None}
    if not uris:
        return list(readings)
    missing = _absent(objects, list(uris))
    if missing == uris:
        _require_store(connection, objects, len(missing), patience)
    return [
        reject(reading, "bytes_missing", f"nothing is stored at {_uri(reading)}")
        if isinstance(reading, Parsed) and _uri(reading) in missing
        else reading
        for reading in readings
    ]


def is_there(objects: Objects, uri: str) -> bool:
    """Return whether there is an object at a URI. A URI of another store counts as absent.

    Args:
        objects: The object store.
        uri: URI of an event.

    Raises:
        StoreError: If the store answers for no URI.
    """
    try:
        key = objects.key(uri)
        return objects.exists(key)
    except ValueError:
        return False
    except StoreError:
        objects.exists(PROBE)  # if this fails too, it is not about this one URI
    try:
        return objects.exists(key)
    except StoreError:
        return False


def _uri(reading: ParseResult) -> str | None:
    if isinstance(reading, Parsed) and isinstance(reading.data, FrameCaptured):
        return reading.data.uri
    return None


def _absent(objects: Objects, uris: Sequence[str]) -> set[str]:
    parts = [uris[first::LOOKUPS] for first in range(min(LOOKUPS, len(uris)))]
    with ThreadPoolExecutor(LOOKUPS) as pool:
        found = pool.map(lambda part: [uri for uri in part if not is_there(objects, uri)], parts)
        return set(chain.from_iterable(found))


def _require_store(
    connection: Connection, objects: Objects, missing: int, patience: Patience | None
) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(LATEST, (SAMPLE,))
        known = [uri for (uri,) in cursor.fetchall()]
    if any(is_there(objects, uri) for uri in known):
        return
    holds_none = f"OBJECT_STORE_URL: {objects.url} holds none of {missing} new frames"
    if known:
        raise StoreFaultError(f"{holds_none}, nor any of the {len(known)} stored last: {ASKED}")
    if not objects.is_empty():
        return
    if not patience:
        raise StoreFaultError(f"{holds_none}, it is empty: {ASKED}")
    if left_s := patience.left_s():
        until = f"in {left_s:.0f} s frames go to quarantine"
        raise StoreFaultError(f"{holds_none}, it is empty: {ASKED} {until}")
    patience.end(objects.url)
