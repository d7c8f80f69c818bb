"""The scenario of an ingester that is paused in the middle of its work, as a laptop's lid does."""

import random
import time
from collections.abc import Iterator

from tests.proofs.hardening.place import Place
from tests.proofs.kafka.events import labels, send
from tests.proofs.table import Check, equal, holds
from tests.support.waiting import await_true

EVENTS, PAUSES = 60_000, 5
START_S = 30.0
HELD_S = 150.0  # at most: a session idles 30 s, or a lock is waited for 60 s and its holder ended


def paused_ingester(place: Place) -> Iterator[Check]:
    """While one ingester stands still with its locks, another one stores all the rest, once."""
    moments = random.Random(0)
    paused = place.ingester()
    sent = 0
    longest = 0.0
    for _ in range(PAUSES):
        send(place.servers, labels(EVENTS // PAUSES, start=sent))
        sent += EVENTS // PAUSES
        place.lake.await_events(sent - EVENTS // PAUSES + 1)
        time.sleep(moments.uniform(0, 0.5))
        paused.process.suspend()
        began = time.monotonic()
        healthy = place.ingester()
        await_true(lambda: place.lake.events() == sent, HELD_S)  # noqa: B023
        longest = max(longest, time.monotonic() - began)
        yield equal(f"stored while one of two is paused, of {sent:,}", place.lake.events(), sent)
        await_true(lambda: healthy.status("livenessProbe") == 200, START_S)  # noqa: B023
        yield equal("the healthy one is alive", healthy.status("livenessProbe"), 200)
        paused.process.resume()
        yield equal("the paused one goes on and ends when it is told", paused.terminate(), 0)
        paused = healthy
    held = f"<= {HELD_S:g}"
    yield holds("longest standstill, s", f"{longest:.0f}", held, longest <= HELD_S)
    yield equal("the last one ends when it is told", paused.terminate(), 0)
    yield equal("in quarantine", place.lake.quarantined(), {})
