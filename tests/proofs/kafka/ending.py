"""Scenarios of ends: SIGTERM in the middle of work."""

import random
import threading
import time
from collections.abc import Iterator

from confluent_kafka import Producer

from tests.proofs.kafka.events import NAMES, drain, label, produce
from tests.proofs.kafka.place import Place
from tests.proofs.table import Check, equal, holds

SOON_S = 90.0
GRACE_S = 30.0  # that Kubernetes gives
RATE = 400.0  # messages a second


def terminated(place: Place) -> Iterator[Check]:
    """SIGTERM at any moment of the work ends it with 0, within the grace period."""
    times = 10 if place.long else 3
    moments, codes, slowest = random.Random(5), [], 0.0
    with Load(place.servers) as load:
        for _ in range(times):
            ingester = place.ingester()
            before = place.lake.events()
            place.lake.await_events(before + 1, SOON_S)
            time.sleep(moments.uniform(0, 0.3))
            began = time.monotonic()
            codes.append(ingester.terminate(GRACE_S))
            slowest = max(slowest, time.monotonic() - began)
    yield equal(f"{times} times SIGTERM under load, exit codes", set(codes), {0})
    yield holds("the slowest end", f"{slowest:.1f} s", "<= 10 s", slowest <= 10)
    code = place.ingester("--until-caught-up").ends_within(SOON_S)
    yield equal("the next one until caught up, exit code", code, 0)
    yield equal(f"of {load.sent:,} messages stored", place.lake.events(), load.sent)


class Load:
    """Sends labels at a steady rate from a thread of its own while it is entered.

    Attributes:
        sent: How many were sent.
        most: How many may be sent so far; None for any number.
    """

    def __init__(self, servers: str, rate: float = RATE, most: int | None = None) -> None:
        settings = {"bootstrap.servers": servers, "log_level": 0, **NAMES, **PATIENT}
        self._producer = Producer(settings)
        self._pause_s = 1 / rate
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self.sent, self.most = 0, most

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        drain(self._producer)

    def _send(self) -> None:
        while not self._ended.is_set():
            if self.most is None or self.sent < self.most:
                produce(self._producer, label(self.sent))
                self.sent += 1
            time.sleep(self._pause_s)


PATIENT = {"delivery.timeout.ms": 300_000}
