"""Scenarios of what is read: compressed batches, transactions, topics and brokers replaced."""

import shutil
import time
from collections.abc import Iterator

from confluent_kafka import Producer

from components.shared.contracts.events import FRAMES_TOPIC
from tests.proofs.kafka.events import NAMES, drain, label, labels, produce, send
from tests.proofs.kafka.place import Place
from tests.proofs.table import Check, equal, holds
from tests.support.waiting import await_true

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
SOON_S = 90.0
SETTLE_S = 6.0  # longer than the service looks away from the ends of the stream
LAG = r"^ingest_events_lag"


def compression(place: Place) -> Iterator[Check]:
    """Each codec that a producer may choose is read."""
    for codec in CODECS:
        send(place.servers, labels(200, codec), **{"compression.type": codec})
    ingester = place.ingester("--until-caught-up")
    code = ingester.ends_within(SOON_S)
    for codec in CODECS:
        yield equal(f"200 events compressed with {codec}, stored", place.lake.events(codec), 200)
    yield equal("exit code after all codecs", code, 0)


def transactions(place: Place) -> Iterator[Check]:
    """What was aborted, or is not committed yet, is not stored; markers are not waited for."""
    with_ids = {"transactional.id": "proof", "transaction.timeout.ms": 120_000}
    producer = Producer({"bootstrap.servers": place.servers, "log_level": 0, **NAMES, **with_ids})
    producer.init_transactions()
    _transaction(producer, "committed")
    producer.commit_transaction()
    _transaction(producer, "aborted")
    producer.abort_transaction()
    code = place.ingester("--until-caught-up").ends_within(SOON_S)
    yield equal("--until-caught-up behind transactions, exit code", code, 0)
    ingester = place.ingester()
    _transaction(producer, "later")
    producer.commit_transaction()
    place.lake.await_events(100, SOON_S, "later")
    time.sleep(SETTLE_S)
    reached = await_true(lambda: ingester.metric(LAG) == 0, SOON_S)
    yield equal("lag behind transactions reaches 0", reached, True)
    _transaction(producer, "open")
    time.sleep(SETTLE_S)
    for dataset, expected in (("committed", 100), ("aborted", 0), ("open", 0)):
        yield equal(f"100 {dataset} events, stored", place.lake.events(dataset), expected)
    producer.commit_transaction()
    stored = place.lake.await_events(100, SOON_S, "open")
    yield equal("the open ones once they are committed, stored", stored, 100)


def _transaction(producer: Producer, dataset: str) -> None:
    producer.begin_transaction()
    for data in labels(100, dataset):
        produce(producer, data)
    drain(producer)


def made_anew(place: Place) -> Iterator[Check]:
    """A topic of the same name with another id is read from its beginning, and that is said."""
    place.admin.fresh(partitions=1)
    send(place.servers, labels(200, "before"))
    place.ingester("--until-caught-up").ends_within(SOON_S)
    place.admin.fresh(partitions=1)
    send(place.servers, labels(300, "stopped"))
    ingester = place.ingester()
    stored = place.lake.await_events(300, SOON_S, "stopped")
    yield equal("topic made anew while the ingester was down, of 300 stored", stored, 300)
    yield _said(ingester.lines(SAID), "before")
    code, again = ingester.terminate(), place.ingester("--until-caught-up")
    codes = (code, again.ends_within(SOON_S))
    yield equal("exit codes of it and of the next start", codes, (0, 0))
    running = place.ingester()
    place.admin.fresh(partitions=1)
    send(place.servers, labels(300, "running"))
    stored = place.lake.await_events(300, SOON_S, "running")
    yield equal("topic made anew beside a running ingester, of 300 stored", stored, 300)
    yield _said(running.lines(SAID), "beside it")


SAID = rf"{FRAMES_TOPIC}.*(anew|again|another|new topic|topic id)"


def _said(lines: list[str], when: str) -> Check:
    expected = "a line that names the topic"
    return holds(f"topic made anew {when}, said", _first(lines), expected, bool(lines))


def _first(lines: list[str]) -> str:
    return lines[0][:110] if lines else "nothing"


def restored(place: Place) -> Iterator[Check]:
    """A broker that was restored from an older backup loses messages, but none that come later."""
    place.admin.fresh(partitions=1)
    send(place.servers, labels(20, "saved"))
    place.own.shut_down()
    backup = place.folder / "backup"
    shutil.copytree(place.own.data(), backup)
    place.own.start()
    send(place.servers, labels(40, "lost"))
    place.ingester("--until-caught-up").ends_within(SOON_S)
    yield equal("before the broker is restored, of 60 stored", place.lake.events(), 60)
    place.own.shut_down()
    place.own.restore(backup)
    place.own.start()
    send(place.servers, labels(60, "later"))
    ingester = place.ingester()
    stored = place.lake.await_events(60, SOON_S, "later")
    yield equal("after a broker is restored to message 20, of 60 new ones stored", stored, 60)
    lines = ingester.lines(rf"{FRAMES_TOPIC}.*(anew|restored|truncated|shorter|backup|again)")
    yield holds("restored broker, said", _first(lines), "a line that names the topic", bool(lines))


def beside(place: Place) -> Iterator[Check]:
    """Ingesters that start beside a working one, while messages come, end as they should."""
    starts = 12 if place.long else 3
    worker = place.ingester()
    producer = Producer({"bootstrap.servers": place.servers, "log_level": 0, **NAMES})
    sent, codes, wrong = 0, [], []
    for _ in range(starts):
        second = place.ingester("--until-caught-up")
        deadline = time.monotonic() + SOON_S
        while second.runs and time.monotonic() < deadline:
            produce(producer, label(sent))
            sent += 1
            time.sleep(1 / 200)
        codes.append(second.ends_within(1))
        wrong += second.lines("anew|KAFKA_STREAM_ID|Traceback")
    drain(producer)
    stored = place.lake.await_events(sent, SOON_S)
    yield equal(f"{starts} starts beside a working ingester, exit codes", set(codes), {0})
    yield equal("false alarms of these", len(wrong), 0)
    yield equal(f"of {sent:,} messages at 200 a second stored", stored, sent)
    yield equal("exit code of the working one", worker.terminate(), 0)
