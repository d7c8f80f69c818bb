"""Scenarios of what Kafka keeps: retention, timestamps of 1970, and offsets in its own tools."""

import re
import time
from collections.abc import Iterator

import yaml
from confluent_kafka import Producer

from components.shared.contracts.events import FRAMES_TOPIC, TOPICS
from tests.proofs.kafka.events import NAMES, drain, label, labels, produce, send
from tests.proofs.kafka.place import Place
from tests.proofs.table import Check, equal, holds
from tests.support.ingester_process import ROOT
from tests.support.waiting import await_true

TOPIC = ROOT / "manifests/components/kafka-topics/kafkatopic-frames.yaml"
SOON_S = 90.0
CLEANED_S = 10.0  # brokers look for what is too old every two seconds
YEAR_1970_MS = 1_000
OF_REPLICAS = "min.insync.replicas"
LOST = r"^ingest_events_lost_total"


def retention(place: Place) -> Iterator[Check]:
    """Messages that retention deleted before they were read are counted and said."""
    place.admin.fresh(partitions=1)
    send(place.servers, labels(100))
    place.ingester("--until-caught-up").ends_within(SOON_S)
    send(place.servers, labels(200, start=100))
    place.admin.delete_records(FRAMES_TOPIC, 0, before=250)
    ingester = place.ingester()
    stored = place.lake.await_events(150, SOON_S)
    yield equal("150 of 300 deleted unread, stored", stored, 150)
    lines = ingester.lines(rf"{FRAMES_TOPIC}.*150|150.*{FRAMES_TOPIC}")
    yield holds("lost by retention, said", lines[0] if lines else "nothing", "150", bool(lines))
    yield equal("lost by retention, metric", ingester.metric(LOST), 150.0)
    yield equal("lost by retention, kept", sum(place.lake.quarantined().values()), 1)


def clock_of_1970(place: Place) -> Iterator[Check]:
    """The broker does not delete events of a host whose clock was never set."""
    place.admin.fresh(config=_topic_config())
    producer = Producer({"bootstrap.servers": place.servers, "log_level": 0, **NAMES})
    for number in range(100):
        produce(producer, label(number), timestamp_ms=YEAR_1970_MS)
    drain(producer)
    time.sleep(CLEANED_S)
    place.ingester("--until-caught-up").ends_within(SOON_S)
    yield equal("100 events with timestamps of 1970, stored", place.lake.events(), 100)


def _topic_config() -> dict[str, str]:
    config = yaml.safe_load(TOPIC.read_text())["spec"]["config"]
    return {name: str(value) for name, value in config.items() if name != OF_REPLICAS}


def group_offsets(place: Place) -> Iterator[Check]:
    """Kafka's own tool shows how far ingestion is, as a consumer group."""
    send(place.servers, labels(100))
    ingester = place.ingester()
    place.lake.await_events(100, SOON_S)
    await_true(lambda: set(_lags(place)) == {0}, SOON_S)
    yield equal("lags of partitions in kafka-consumer-groups", set(_lags(place)), {0})
    yield equal("exit code", ingester.terminate(), 0)
    send(place.servers, labels(100, start=100))
    yield equal("lag there with 100 more messages, in sum", sum(_lags(place)), 100)


def _lags(place: Place) -> list[int]:
    described = place.own.tool("consumer.group.ConsumerGroupCommand", "--describe", "--all-groups")
    row = re.compile(rf"^\S+\s+(?:{'|'.join(TOPICS)})\s+\d+\s+\d+\s+\d+\s+(\d+)", re.MULTILINE)
    return [int(lag) for lag in row.findall(described)]
