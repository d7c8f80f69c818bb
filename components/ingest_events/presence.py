"""Checks that the bytes of frames are in the object store, and that it is the right store.

A frame whose bytes are missing goes to quarantine. A store that lacks everything is a fault
of the installation: ingestion waits, for what is in quarantine would stay there.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from psycopg2.extensions import connection as Connection  # noqa: N812

from components.contracts.events import FrameCaptured
from components.contracts.refusal import Refusal
from components.ingest_events.understand import Reading, Understood, misread
from components.store.objects import Objects, StoreError, frame_key

LOOKUPS = 16  # asked of the object store at once
SAMPLE = 20  # of the frames that were taken last
PROBE = frame_key("0" * 64)
LATEST = "SELECT uri FROM silver.frames ORDER BY captured_at DESC LIMIT %s"


class StoreFaultError(Refusal):
    """The object store answers, but holds nothing of what it must hold."""


def require_frames(
    connection: Connection, objects: Objects, readings: Sequence[Reading]
) -> list[Reading]:
    """Send to quarantine each frame whose JPEG is not where its event says.

    Args:
        connection: To the database, which knows where frames are. No transaction may be open.
        objects: The object store.
        readings: Of any kind.

    Raises:
        StoreFaultError: If none is there, and nothing else that should be.
        StoreError: If the store does not answer.
    """
    uris = {uri for uri in map(_uri, readings) if uri is not None}
    if not uris:
        return list(readings)
    missing = _absent(objects, list(uris))
    if missing == uris:
        _require_store(connection, objects, len(missing))
    return [
        misread(reading, "bytes_missing", f"nothing is stored at {_uri(reading)}")
        if isinstance(reading, Understood) and _uri(reading) in missing
        else reading
        for reading in readings
    ]


def is_there(objects: Objects, uri: str) -> bool:
    """Say whether there are bytes at a URI. One that lies in another store is not there.

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


def _uri(reading: Reading) -> str | None:
    if isinstance(reading, Understood) and isinstance(reading.data, FrameCaptured):
        return reading.data.uri
    return None


def _absent(objects: Objects, uris: Sequence[str]) -> set[str]:
    parts = [uris[first::LOOKUPS] for first in range(min(LOOKUPS, len(uris)))]
    with ThreadPoolExecutor(LOOKUPS) as pool:
        found = pool.map(lambda part: [uri for uri in part if not is_there(objects, uri)], parts)
        return set(chain.from_iterable(found))


def _require_store(connection: Connection, objects: Objects, missing: int) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(LATEST, (SAMPLE,))
        known = [uri for (uri,) in cursor.fetchall()]
    if any(is_there(objects, uri) for uri in known):
        return
    if not known and not objects.is_empty():
        return
    stored = f", nor any of the {len(known)} stored last" if known else ", it is empty"
    raise StoreFaultError(
        f"OBJECT_STORE_URL: {objects.url} holds none of {missing} new frames{stored}: "
        "is it the right bucket, and is the folder mounted?"
    )
