"""The scenario of an object store that is away, refuses, or lacks what it holds, and comes back."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from components.shared.store.objects import digest_bytes, frame_key
from tests.proofs.hardening.place import Place
from tests.proofs.kafka.events import capture, send
from tests.proofs.kafka.lake import Lake
from tests.proofs.kafka.outages import FRAMES, SOON_S, send_frames, waits
from tests.proofs.table import Check, equal, holds
from tests.support.s3_store import BUCKET, Store
from tests.support.waiting import await_true

URL = f"s3://{BUCKET}"
BACK_S = 45.0  # a request that is tried again, and the longest wait before the next attempt
LATE = 1_000_000  # number of the first frame that comes late
Fault = Callable[[Store], AbstractContextManager[None]]


def _with(**attributes: object) -> Fault:
    @contextmanager
    def fault(store: Store) -> Iterator[None]:
        before = {name: getattr(store, name) for name in attributes}
        vars(store).update(attributes)
        yield
        vars(store).update(before)

    return fault


@contextmanager
def _closed(store: Store) -> Iterator[None]:
    store.close()
    yield
    store.open()


LACKS = "holds none of .* nor any of .* stored last"
# What is wrong, what the ingester says of it, and how it becomes wrong and right again.
FAULTS: tuple[tuple[str, str, Fault], ...] = (
    ("holds nothing yet", "it is empty", _with(bare=True)),
    ("has no bucket", LACKS, _with(has_bucket=False)),
    ("refuses connections", "does not answer: .*error sending", _closed),
    ("answers 503", "503 Service", _with(status=503)),
    ("answers 403", "privileges", _with(status=403)),
    ("answers 404", LACKS, _with(status=404)),
    ("lacks all that it holds", LACKS, _with(bare=True)),
)


def object_store_away(place: Place) -> Iterator[Check]:
    """One ingester waits through every fault and says why; each frame is stored once.

    With the frames of every fault comes one whose bytes nobody stores before the end.
    """
    store, late = Store().open(), {}
    try:
        ingester = place.ingester(environment=store.environment)
        for number, (what, why, fault) in enumerate(FAULTS):
            jpeg = f"late {number}".encode()
            late[frame_key(digest_bytes(jpeg))] = jpeg
            known = len(ingester.lines(why))
            with fault(store):
                send_frames(place.servers, URL, store.objects, first=number * FRAMES)
                _send_late(place.servers, number, jpeg)
                yield from waits(place.lake, ingester, f"store {what}", why, known, number)
            yield from _goes_on(place.lake, f"store {what}, and is right again", number + 1)
        yield equal("alive", ingester.status("livenessProbe"), 200)
        yield equal("one process throughout, exit code", ingester.terminate(), 0)
        store.objects.update(late)
        retried = place.ingester("--retry-missing", environment=store.environment)
        yield equal("--retry-missing, exit code", retried.ends_within(SOON_S), 0)
        yield from _stored_once(place.lake, len(FAULTS) * (FRAMES + 1))
    finally:
        store.close()


def _send_late(servers: str, number: int, jpeg: bytes) -> None:
    digest = digest_bytes(jpeg)
    event = capture(LATE + number, f"{URL}/{frame_key(digest)}", len(jpeg), digest)
    send(servers, [event])


def _goes_on(lake: Lake, what: str, faults: int) -> Iterator[Check]:
    count, began = faults * FRAMES, time.monotonic()
    yield equal(f"{what}, of {count} frames stored", lake.await_events(count, SOON_S), count)
    seconds = time.monotonic() - began
    limit = f"<= {BACK_S:g}"
    yield holds(f"{what}, s until stored", f"{seconds:.0f}", limit, seconds <= BACK_S)
    await_true(lambda: sum(lake.quarantined().values()) >= faults, SOON_S)
    yield equal(f"{what}, in quarantine", lake.quarantined(), {"bytes_missing": faults})


def _stored_once(lake: Lake, count: int) -> Iterator[Check]:
    for table in ("bronze.events", "silver.frames"):
        yield equal(
            f"in the end, rows of {table}", lake.ask(f"SELECT count(*) FROM {table}")[0][0], count
        )
    yield equal("in the end, in quarantine", lake.quarantined(), {})
