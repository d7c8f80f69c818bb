"""Describe Kafka topics: ids, partitions, offsets, and errors that prevent reading them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kafka import IsolationLevel, KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec

from components.shared.contracts.events import TOPICS
from components.shared.store import brokers
from components.shared.store.stream import Partition

# Error codes of Kafka's protocol, as metadata has them for one topic.
NO_SUCH_TOPIC, NOT_AUTHORIZED = 3, 29
READ = "READ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Metadata of a topic.

    Attributes:
        name: Its name.
        id: Kafka's own id of it, which a topic that is created again does not get again;
            None from brokers before 2.8.
        partitions: Each partition of it, in order.
        fault: Why it cannot be read, as the end of a sentence; None if it can.
    """

    name: str
    id: str | None = None
    partitions: tuple[Partition, ...] = ()
    fault: str | None = None


def describe_topics(admin: KafkaAdminClient, names: Iterable[str]) -> list[Topic]:
    """Request the metadata of topics, existing or not.

    Args:
        admin: A connected admin client.
        names: Names of topics.
    """
    return [_topic(found) for found in admin.describe_topics(sorted(names))]


def beginning_offsets(
    admin: KafkaAdminClient, partitions: Iterable[Partition]
) -> dict[Partition, int]:
    """Return the offset of the oldest message that each partition still has.

    Args:
        admin: A connected admin client.
        partitions: The partitions.
    """
    return _offsets(admin, partitions, OffsetSpec.EARLIEST, IsolationLevel.READ_UNCOMMITTED)


def end_offsets(admin: KafkaAdminClient, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """Return the offset after the last message of each partition that may be read.

    Messages of a transaction that is open, and all that follow, may not be read yet.

    Args:
        admin: A connected admin client.
        partitions: The partitions.
    """
    return _offsets(admin, partitions, OffsetSpec.LATEST, IsolationLevel.READ_COMMITTED)


def high_watermarks(bootstrap_servers: str, topics: Iterable[str] = TOPICS) -> dict[Partition, int]:
    """Connect, and return the end offset of each partition, as `end_offsets`.

    Args:
        bootstrap_servers: `host:port,host:port`.
        topics: Names of topics.

    Raises:
        StreamError: If no broker answers.
    """
    with brokers.admin(bootstrap_servers) as admin:
        found = describe_topics(admin, topics)
        return end_offsets(admin, [at for topic in found for at in topic.partitions])


def log_ends(admin: KafkaAdminClient, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """Return the offset after the last message of each partition, readable or not.

    Args:
        admin: A connected admin client.
        partitions: The partitions.
    """
    return _offsets(admin, partitions, OffsetSpec.LATEST, IsolationLevel.READ_UNCOMMITTED)


def _topic(found: Mapping[str, Any]) -> Topic:
    name, code = found["name"], found["error_code"]
    if code == NO_SUCH_TOPIC:
        return Topic(name=name, fault="does not exist")
    if code == NOT_AUTHORIZED:
        return Topic(name=name, fault="may not be described by this user")
    if code:
        return Topic(name=name, fault=f"cannot be described: error {code}")
    allowed = found.get("authorized_operations")
    numbers = sorted(part["partition_index"] for part in found["partitions"])
    return Topic(
        name=name,
        id=found.get("topic_id"),
        partitions=tuple((name, number) for number in numbers),
        fault="may not be read by this user" if allowed and READ not in allowed else None,
    )


def _offsets(
    admin: KafkaAdminClient,
    partitions: Iterable[Partition],
    which: OffsetSpec,
    isolation: IsolationLevel,
) -> dict[Partition, int]:
    places = {TopicPartition(*at): which for at in partitions}
    found = admin.list_partition_offsets(places, isolation) if places else {}
    return {(place.topic, place.partition): at.offset for place, at in found.items()}
