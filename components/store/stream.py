"""Kafka: what is published arrives or is complained about; offsets live in PostgreSQL.

Who we are to the brokers is for the environment to say, in each process alike: see `security`.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer  # type: ignore[import-untyped]
from kafka import TopicPartition as TopicPartition
from kafka.errors import KafkaError as KafkaError  # type: ignore[import-untyped]
from kafka.errors import KafkaTimeoutError

from components.contracts.events import TOPICS, EventData, event_of
from components.contracts.refusal import Refusal

# Every broker since Kafka 2.3 speaks it (Kafka 4 dropped only what is older than 2.1), and
# so does the embedded cluster, which does not say which versions it knows.
PROTOCOL = (2, 3)
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
CONNECT_MS = 15_000
DELIVER_MS = 60_000

Partition = tuple[str, int]


class StreamError(Refusal):
    """The stream cannot be reached, or did not take what was sent."""


class Producer(KafkaProducer):  # type: ignore[misc]
    """A producer whose `flush` and `close` raise if any message was not delivered."""

    def __init__(self, **settings: Any) -> None:
        """Connect; settings are those of `KafkaProducer`."""
        self._failures: list[BaseException] = []
        super().__init__(**settings)

    def send(self, *args: Any, **kwargs: Any) -> Any:
        """Send as `KafkaProducer.send` does, and remember a failure.

        Raises:
            StreamError: If no broker answers within `max_block_ms`.
        """
        try:
            sent = super().send(*args, **kwargs)
        except KafkaTimeoutError as cause:
            raise StreamError(f"no Kafka takes messages: {cause}") from cause
        return sent.add_errback(self._failures.append)

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all that was sent has arrived.

        Raises:
            StreamError: If anything did not, since the last flush.
        """
        super().flush(timeout)
        failures, self._failures = self._failures, []
        if failures:
            raise StreamError(f"{len(failures)} messages not delivered: {failures[0]!r}")

    def close(self, timeout: float | None = None, null_logger: bool = False) -> None:
        """Flush, then let go of the connection in any case."""
        try:
            self.flush(timeout)
        finally:
            super().close(timeout, null_logger)


def producer(bootstrap_servers: str) -> Producer:
    """Make a producer that is idempotent and waits for all replicas; it connects by itself.

    Args:
        bootstrap_servers: Addresses as `host:port,host:port`.
    """
    return Producer(
        **_common(bootstrap_servers),
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        batch_size=131_072,
        delivery_timeout_ms=DELIVER_MS,
        request_timeout_ms=DELIVER_MS // 2,
        max_block_ms=CONNECT_MS,
    )


def publish(producer: Producer, data: EventData, source: str, time: datetime) -> None:
    """Send one event; whether it arrived is known after `flush` or `close`.

    Args:
        producer: From `producer`.
        data: What is said; it chooses topic and key.
        source: Who says it, as a URI reference such as `/cameras/north-gate`.
        time: When it happened.
    """
    body = event_of(data, source, time).body
    producer.send(data.TOPIC, key=data.key.encode(), value=body)


def consumer(bootstrap_servers: str, batch: int = 2_000) -> KafkaConsumer:
    """Connect a consumer without a group: the caller assigns, seeks and keeps the offsets.

    Args:
        bootstrap_servers: Addresses as `host:port,host:port`.
        batch: The most messages that one poll returns.

    Raises:
        StreamError: If no broker answers.
    """
    _admin(bootstrap_servers).close()  # it gives up, where a consumer would wait for ever
    return KafkaConsumer(
        **_common(bootstrap_servers),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        allow_auto_create_topics=False,
        max_poll_records=batch,
        fetch_max_wait_ms=200,
    )


def stream_id(bootstrap_servers: str, given: str | None = None) -> str:
    """Return the name under which offsets are kept: what was given, or the cluster's id.

    Args:
        bootstrap_servers: Addresses as `host:port,host:port`.
        given: KAFKA_STREAM_ID. The embedded cluster forgets when it stops, so each of its
            lives needs a name of its own.
    """
    if given:
        return given
    with _admin(bootstrap_servers) as admin:
        return str(admin.describe_cluster()["cluster_id"])


def high_watermarks(bootstrap_servers: str, topics: Iterable[str] = TOPICS) -> dict[Partition, int]:
    """Return the offset that the next message of each existing partition will get."""
    with consumer(bootstrap_servers) as reader:
        return end_offsets(reader, topics)


def end_offsets(reader: KafkaConsumer, topics: Iterable[str]) -> dict[Partition, int]:
    """Return the end of each partition that the topics have now, asking the cluster anew."""
    there = reader.topics()  # fetches fresh metadata
    partitions = [
        TopicPartition(topic, number)
        for topic in topics
        if topic in there
        for number in reader.partitions_for_topic(topic)
    ]
    ends = reader.end_offsets(partitions) if partitions else {}
    return {(at.topic, at.partition): end for at, end in ends.items()}


def security(environment: Mapping[str, str]) -> dict[str, str]:
    """Return how to connect, as kafka-python's settings.

    Args:
        environment: KAFKA_SECURITY_PROTOCOL is PLAINTEXT (the default), SSL, SASL_PLAINTEXT
            or SASL_SSL. KAFKA_SSL_CA_FILE is the file of the authority that signed the
            brokers' certificates, if the system does not know it. With SASL,
            KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are needed, and KAFKA_SASL_MECHANISM
            is SCRAM-SHA-512 unless it is said.

    Raises:
        StreamError: If the protocol is none of these, or the user is missing.

    >>> security({"KAFKA_SECURITY_PROTOCOL": "SSL"})
    {'security_protocol': 'SSL'}
    >>> security({"KAFKA_SECURITY_PROTOCOL": "TLS"})
    Traceback (most recent call last):
    components.store.stream.StreamError: KAFKA_SECURITY_PROTOCOL is 'TLS', expected one of ...
    """
    protocol = environment.get("KAFKA_SECURITY_PROTOCOL") or PROTOCOLS[0]
    if protocol not in PROTOCOLS:
        raise StreamError(
            f"KAFKA_SECURITY_PROTOCOL is {protocol!r}, expected one of {', '.join(PROTOCOLS)}"
        )
    settings = {"security_protocol": protocol}
    if authority := environment.get("KAFKA_SSL_CA_FILE"):
        settings["ssl_cafile"] = authority
    if protocol.startswith("SASL_"):
        settings["sasl_mechanism"] = environment.get("KAFKA_SASL_MECHANISM") or "SCRAM-SHA-512"
        for name in ("USERNAME", "PASSWORD"):
            if not environment.get(f"KAFKA_SASL_{name}"):
                raise StreamError(f"{protocol} needs KAFKA_SASL_{name}, which is not set")
            settings[f"sasl_plain_{name.lower()}"] = environment[f"KAFKA_SASL_{name}"]
    return settings


def _common(bootstrap_servers: str) -> dict[str, Any]:
    return {
        "bootstrap_servers": bootstrap_servers.split(","),
        "client_id": "car-detection",
        "api_version": PROTOCOL,
        "bootstrap_timeout_ms": CONNECT_MS,
        **security(os.environ),
    }


def _admin(bootstrap_servers: str) -> KafkaAdminClient:
    try:
        return KafkaAdminClient(**_common(bootstrap_servers))
    except KafkaTimeoutError as cause:
        raise StreamError(f"no Kafka answers at {bootstrap_servers}") from cause
