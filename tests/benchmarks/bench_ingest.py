"""CPU of reading, checking and storing events, against COPY of the unread messages.

The reference is what any sink must do at least: it takes the same messages from memory and
copies topic, offset and value into one table with one key. Both sides count this process and its
PostgreSQL backend. Kafka Connect's JDBC sink, which does not read its messages, takes about 7.5
times the reference without its reading from Kafka; `make prove-kafka` compares with it.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

import psutil
from psycopg2.extensions import connection as Connection  # noqa: N812

from components.data.ingest_events.copy import encode_rows
from components.data.ingest_events.parse import StreamMessage, parse
from components.data.ingest_events.service import relax_garbage_collection
from components.data.ingest_events.write import write
from components.shared.contracts.annotation import Box
from components.shared.contracts.events import EventData, FrameLabelled, FrameRefused
from components.shared.contracts.messages import event_of
from components.shared.store.objects import digest_bytes
from components.shared.store.postgres import connect, migrate
from pipelines.local.database import EmbeddedDatabase
from tests.benchmarks.table import Row, at_most

TIME = datetime(2024, 5, 1, tzinfo=UTC)
EVENTS, BATCH, ROUNDS = 10_000, 2_000, 5
AT = ("frames", 0)
TABLES = "bronze.events, bronze.offsets, silver.labels, quarantine.items, unread"
UNREAD = "CREATE TABLE unread (topic text, place bigint, body text, PRIMARY KEY (topic, place))"


def labelled(number: int) -> EventData:
    """Return data whose message has 590 bytes, about."""
    random = Random(number)
    x, y = random.uniform(0, 300), random.uniform(0, 200)
    box = Box(x_min=x, y_min=y, x_max=x + 99.5, y_max=y + 49.25, label="car")
    return FrameLabelled(
        dataset="highway", sha256=digest_bytes(str(number).encode()), width=640, height=480,
        boxes=(box,), labelled_by="an-annotator-of-highway", tool="a-tool-with-a-name",
        labelled_at=TIME + timedelta(milliseconds=number),
    )  # fmt: skip


def refused(number: int) -> EventData:
    """Return data whose message becomes one that PostgreSQL cannot hold."""
    return FrameRefused(dataset="highway", source_name=f"{number}@", reason="a", detail="b")


def messages(poison: float = 0.0) -> list[StreamMessage]:
    """Return messages in their order, a share of them unstorable."""
    random = Random(0)
    kinds = [refused if random.random() < poison else labelled for _ in range(EVENTS)]
    bodies = (event_of(kind(n), "/bench", TIME).body for n, kind in enumerate(kinds))
    bodies = (body.replace(b"@", b"\\u0000") for body in bodies)
    return [StreamMessage(*AT, n, body) for n, body in enumerate(bodies)]


def ours(connection: Connection, batch: list[StreamMessage]) -> None:
    """Read, check and store a batch."""
    write(connection, "bench", {AT: [parse(one) for one in batch]}, {AT: batch[0].offset})


def copied(connection: Connection, batch: list[StreamMessage]) -> None:
    """Copy a batch as it came."""
    rows = [(one.topic, one.offset, one.body.decode()) for one in batch]
    with connection, connection.cursor() as cursor:
        cursor.copy_expert("COPY unread FROM STDIN", StringIO(encode_rows(rows)))


Side = tuple[Callable[[Connection, list[StreamMessage]], None], list[StreamMessage]]


def cpu_seconds(connection: Connection, sides: list[Side]) -> list[float]:
    """Return the median CPU seconds of each side, taken in turns, each time with empty tables."""
    taken: list[list[float]] = [[] for _ in sides]
    for _ in range(ROUNDS):
        for (store, sent), seconds in zip(sides, taken, strict=True):
            with connection, connection.cursor() as cursor:
                cursor.execute(f"TRUNCATE {TABLES}")
            start = _clock(connection)
            for first in range(0, EVENTS, BATCH):
                store(connection, sent[first : first + BATCH])
            seconds.append(_clock(connection) - start)
    return [median(seconds) for seconds in taken]


def _clock(connection: Connection) -> float:
    backend = psutil.Process(connection.info.backend_pid).cpu_times()
    return process_time() + backend.user + backend.system


def rows() -> Iterator[Row]:
    """Measure events of 590 bytes, and what unstorable ones among them cost."""
    good = messages()
    sides: list[Side] = [(ours, good), (copied, good), (ours, messages(0.1)), (ours, messages(0.5))]
    with (
        TemporaryDirectory() as folder,
        EmbeddedDatabase(Path(folder)) as server,
        closing(connect(server.url())) as connection,
    ):
        migrate(connection)
        with connection, connection.cursor() as cursor:
            cursor.execute("ALTER TABLE bronze.events DISABLE TRIGGER append_only")
            cursor.execute(UNREAD)
        relax_garbage_collection()
        seconds = cpu_seconds(connection, sides)
    stored, unread, tenth, half = (value / EVENTS * 1e6 for value in seconds)
    what = f"Events of {len(good[0].body)} bytes read, checked and stored, CPU of one"
    yield at_most(
        what, f"{stored:.0f} us", f"COPY of it unread {unread:.0f} us", stored / unread, 6
    )
    for share, value in ((10, tenth), (50, half)):
        what = f"  the same with {share} % that cannot be stored"
        yield at_most(what, f"{value:.0f} us", f"with none {stored:.0f} us", value / stored, 1.5)
