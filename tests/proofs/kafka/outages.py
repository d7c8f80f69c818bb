"""Scenarios of outages: object store, database and broker go away, and come back."""

import time
from collections.abc import Iterator
from math import isnan

from components.shared.store.objects import Objects, digest_bytes, frame_key
from tests.proofs.kafka.events import capture, labels, send
from tests.proofs.kafka.lake import Lake
from tests.proofs.kafka.place import Place
from tests.proofs.table import Check, equal, holds
from tests.support.ingester_process import Ingester
from tests.support.s3_store import BUCKET, Store
from tests.support.waiting import await_true

FRAMES = 20
SOON_S = 120.0
AWAY_S = 12.0
LAG = r"^ingest_events_lag"


def object_store_away(place: Place) -> Iterator[Check]:
    """Frames wait while no object store answers."""
    store = Store()
    send_frames(place.servers, f"s3://{BUCKET}", store.objects)
    ingester = place.ingester(environment=store.environment)
    yield from waits(place.lake, ingester, "object store away")
    store.open()
    try:
        yield from _comes_back(place, ingester, "object store back")
    finally:
        store.close()


def bucket_missing(place: Place) -> Iterator[Check]:
    """Frames wait while the bucket does not exist, rather than lie in quarantine for good."""
    store = Store().open()
    store.has_bucket = False
    try:
        send_frames(place.servers, f"s3://{BUCKET}", store.objects)
        ingester = place.ingester(environment=store.environment)
        yield from waits(place.lake, ingester, "bucket missing")
        store.has_bucket = True
        yield from _comes_back(place, ingester, "bucket there")
    finally:
        store.close()


def folder_not_mounted(place: Place) -> Iterator[Check]:
    """Frames wait while the folder of the object store is empty, as one that is not mounted."""
    send_frames(place.servers, place.objects.as_uri(), None)
    aside = place.objects.with_name("aside")
    place.objects.rename(aside)
    place.objects.mkdir()
    ingester = place.ingester()
    yield from waits(place.lake, ingester, "folder not mounted")
    place.objects.rename(place.objects.with_name("empty"))
    aside.rename(place.objects)
    yield from _comes_back(place, ingester, "folder mounted")


def send_frames(
    servers: str, url: str, objects: dict[str, bytes] | None, first: int = 0
) -> list[tuple[str, bytes]]:
    """Store frames and send their events.

    Args:
        servers: Of the stream.
        url: Of the object store.
        objects: Of an S3 of the proof's own; None puts them where the URL says.
        first: Number of the first of `FRAMES`.

    Returns:
        Key and bytes of each.
    """
    jpegs = [f"jpeg {number}".encode() for number in range(first, first + FRAMES)]
    frames = [(frame_key(digest_bytes(jpeg)), jpeg) for jpeg in jpegs]
    for key, jpeg in frames:
        if objects is None:
            Objects(url).put(key, jpeg)
        else:
            objects[key] = jpeg
    send(
        servers,
        (
            capture(number, f"{url}/{key}", len(jpeg), digest_bytes(jpeg))
            for number, (key, jpeg) in enumerate(frames, first)
        ),
    )
    return frames


def waits(
    lake: Lake,
    ingester: Ingester,
    what: str,
    why: str = "trying again|waiting",
    known: int = 0,
    quarantined: int = 0,
) -> Iterator[Check]:
    """Wait until an ingester says why it waits; nothing more is in quarantine then.

    Args:
        lake: That it writes to.
        ingester: Which waits.
        what: For the rows.
        why: Pattern of what it says.
        known: How many lines of that pattern it said before.
        quarantined: How many messages were in quarantine before.
    """
    line = ingester.await_line(why, SOON_S, known)
    time.sleep(AWAY_S)
    yield holds(f"{what}, said", line[:110] or "nothing", "a line", bool(line))
    yield equal(f"{what}, in quarantine", sum(lake.quarantined().values()), quarantined)
    traced = bool(ingester.lines("Traceback"))
    yield equal(f"{what}, still runs, without a traceback", (ingester.runs, traced), (True, False))


def _comes_back(place: Place, ingester: Ingester, what: str) -> Iterator[Check]:
    stored = place.lake.await_events(FRAMES, SOON_S)
    yield equal(f"{what}, of {FRAMES} frames stored", stored, FRAMES)
    yield equal(f"{what}, in quarantine", sum(place.lake.quarantined().values()), 0)
    yield equal(f"{what}, exit code", ingester.terminate(), 0)


def database_read_only(place: Place) -> Iterator[Check]:
    """A database that refuses to write, as after a failover, is waited for, with a true lag."""
    ingester = place.ingester()
    send(place.servers, labels(100))
    yield equal("before the failover, stored", place.lake.await_events(100, SOON_S), 100)
    place.lake.read_only(True)
    send(place.servers, labels(2_200, start=100))
    line = ingester.await_line("read.only", SOON_S)
    yield holds("database read-only, said", line[:110] or "nothing", "a line", bool(line))
    time.sleep(AWAY_S)
    yield _lag(ingester, "2,200 events wait for a read-only database")
    place.lake.read_only(False)
    stored = place.lake.await_events(2_300, SOON_S)
    yield equal("database writes again, of 2,300 stored", stored, 2_300)
    zero = await_true(lambda: ingester.metric(LAG) == 0, SOON_S)
    yield equal("lag afterwards is 0", zero, True)
    yield equal("exit code", ingester.terminate(), 0)


def broker_away(place: Place) -> Iterator[Check]:
    """A broker that was killed is waited for; the lag is unknown meanwhile."""
    ingester = place.ingester()
    send(place.servers, labels(100))
    place.lake.await_events(100, SOON_S)
    place.own.kill()
    line = ingester.await_line("no Kafka answers", SOON_S)
    said = line or next(iter(ingester.lines("Kafka")), "nothing")
    yield holds("broker killed, said", said[:110], "'no Kafka answers'", bool(line))
    time.sleep(AWAY_S)
    yield _lag(ingester, "broker away", known=False)
    yield equal("broker away, alive", ingester.status("livenessProbe"), 200)
    place.own.start()
    send(place.servers, labels(100, start=100))
    yield equal("broker back, of 200 stored", place.lake.await_events(200, SOON_S), 200)
    yield equal("exit code", ingester.terminate(), 0)


def _lag(ingester: Ingester, what: str, known: bool = True) -> Check:
    lag = ingester.metric(LAG)
    unknown = lag is None or isnan(lag)
    expected = "NaN, none, or at least 2,200" if known else "NaN or none"
    good = unknown or (known and lag is not None and lag >= 2_200)
    return holds(f"{what}, lag", lag, expected, good)
