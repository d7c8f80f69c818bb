"""Scenarios of size: two ingesters beside each other, and messages of hundreds of kilobytes."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

from confluent_kafka import Producer

from components.shared.contracts.events import FRAMES_TOPIC
from components.shared.contracts.messages import event_of as envelope
from tests.proofs.kafka.events import NAMES, SOURCE, TIME, drain, label, labels, send
from tests.proofs.kafka.lake import Lake
from tests.proofs.kafka.place import Place
from tests.proofs.table import Check, equal, holds, stated

PARTITIONS = 6  # as the manifests have
WAITING = 100_000
LARGE, BOXES = 900, 9_450  # make 684 kB each
FASTER = 1.6
MOST_MB = 384.0  # half of what the pod may have
LONG_S = 900.0


def two_ingesters(place: Place) -> Iterator[Check]:
    """Two ingesters store what waits in less time than one, and both the same."""
    place.admin.fresh(partitions=PARTITIONS)
    waiting = WAITING if place.long else WAITING // 10
    send(place.servers, labels(waiting))
    with ExitStack() as stack:
        seconds, cpu = {}, {}
        for count in (1, 2):
            lake = place.another_lake(stack)
            running = [place.ingester(lake=lake) for _ in range(count)]
            stored = lake.await_events(waiting, LONG_S)
            yield equal(f"{waiting:,} waiting events, {count} ingester, stored", stored, waiting)
            cpu[count] = sum(ingester.cpu_s() for ingester in running)
            seconds[count] = _spread_s(lake)
            for ingester in running:
                ingester.terminate()
    figure = f"{seconds[1]:.1f} s to {seconds[2]:.1f} s: {seconds[1] / seconds[2]:.2f}"
    good = seconds[1] / seconds[2] >= FASTER
    yield holds("one ingester against two, first to last row", figure, f">= {FASTER:g}", good)
    figure = f"{cpu[2]:.1f} s to {cpu[1]:.1f} s: {cpu[2] / cpu[1]:.2f}"
    yield stated("CPU of two ingesters against one", figure)


def _spread_s(lake: Lake) -> float:
    query = "SELECT extract(epoch FROM max(received_at) - min(received_at)) FROM bronze.events"
    return float(lake.ask(query)[0][0])


def large_messages(place: Place) -> Iterator[Check]:
    """Messages of 684 kB are read in batches that are bounded by bytes."""
    count = LARGE if place.long else LARGE // 15
    template = envelope(label(0, boxes=BOXES), SOURCE, TIME).body
    _send_large(place.servers, template, count)
    ingester = place.ingester()
    stored = place.lake.await_events(count, LONG_S)
    what = f"{count} messages of {len(template) / 1e3:.0f} kB, stored"
    yield equal(what, stored, count)
    peak = ingester.peak_mb()
    figure = f"{peak:.0f} MB"
    yield holds("most memory meanwhile", figure, f"<= {MOST_MB:g} MB", peak <= MOST_MB)
    if spread := _spread_s(place.lake):
        yield stated("large messages a second", f"{count / spread:.1f}")
    yield stated("CPU a large message", f"{ingester.cpu_s() / count * 1e3:.0f} ms")


def _send_large(servers: str, template: bytes, count: int) -> None:
    """Send copies of an event that differ in who labelled and in the sender's id."""
    producer = Producer({"bootstrap.servers": servers, "log_level": 0, **NAMES, **BIG})
    event = json.loads(template)["id"].encode()
    for number in range(count):
        body = template.replace(event, f"large {number}".encode())
        body = body.replace(b'proofs/kafka","', b'someone %d","' % number, 1)
        producer.produce(FRAMES_TOPIC, body, str(number).encode())
        producer.poll(0)
    drain(producer)


BIG = {"queue.buffering.max.kbytes": 1_000_000}
