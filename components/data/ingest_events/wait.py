"""Wait until the events of a stream are ingested."""

import time
from collections.abc import Callable
from contextlib import closing

from components.data.ingest_events.offsets import read_offsets
from components.shared.contracts.errors import OutageError
from components.shared.store.postgres import connect
from components.shared.store.stream import Partition
from components.shared.store.topics import high_watermarks

PAUSE_S = 0.1


def wait_until_ingested(
    database_url: str,
    bootstrap_servers: str,
    stream: str,
    timeout_s: float = 300.0,
    meanwhile: Callable[[], object] = lambda: None,
) -> int:
    """Wait until a running service has ingested all messages that the stream holds now.

    Args:
        database_url: As DATABASE_URL holds it.
        bootstrap_servers: As KAFKA_BOOTSTRAP_SERVERS holds them.
        stream: The stream's name, as the service knows it.
        timeout_s: How long to wait without any progress, in seconds.
        meanwhile: Called several times a second; may raise, if waiting has become vain.

    Returns:
        How many messages the stream had taken.

    Raises:
        OutageError: If nothing moved for `timeout_s`.
    """
    ends = high_watermarks(bootstrap_servers)
    with closing(connect(database_url)) as connection:
        _wait(lambda: read_offsets(connection, stream), ends, timeout_s, meanwhile)
    return sum(ends.values())


def _wait(
    read: Callable[[], dict[Partition, int]],
    ends: dict[Partition, int],
    timeout_s: float,
    meanwhile: Callable[[], object],
) -> None:
    known: dict[Partition, int] = {}
    moved_at = time.monotonic()
    while behind := _behind(offsets := read(), ends):
        if offsets != known:
            known, moved_at = offsets, time.monotonic()
        if time.monotonic() - moved_at > timeout_s:
            raise OutageError(
                f"ingestion stands still: {behind:,} messages wait, "
                f"expected progress within {timeout_s:g} s"
            )
        meanwhile()
        time.sleep(PAUSE_S)


def _behind(offsets: dict[Partition, int], ends: dict[Partition, int]) -> int:
    return sum(max(0, end - offsets.get(at, 0)) for at, end in ends.items())
