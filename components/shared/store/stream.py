"""Create Kafka producers and consumers; each `flush` raises if a message was not delivered.

Offsets are kept in PostgreSQL. Settings come from the environment, see `brokers.security`.
"""

from datetime import datetime
from typing import Any, NamedTuple, Protocol

from kafka import KafkaConsumer, KafkaProducer
from kafka import TopicPartition as TopicPartition
from kafka.errors import KafkaError as KafkaError
from kafka.errors import KafkaTimeoutError

from components.shared.contracts.events import EventData
from components.shared.contracts.messages import event_of
from components.shared.contracts.record import RecordError
from components.shared.store import brokers
from components.shared.store.brokers import StreamError as StreamError
from components.shared.store.brokers import StreamSettingsError as StreamSettingsError

# With a fixed version a producer connects at its first send, so that a process that only sends,
# such as the detector, starts without brokers. Every broker since Kafka 2.3 supports it.
PROTOCOL = (2, 3)
DELIVER_MS = 60_000
MAX_MESSAGE_BYTES = 1_000_000  # brokers take 1,048,588 with what surrounds a message
POLL_MESSAGES = 2_000  # the most that one poll returns
FETCH_BYTES = 4 * 2**20  # of one answer of one broker; a larger message still comes alone

Partition = tuple[str, int]


class Producer(KafkaProducer):  # type: ignore[misc]
    """A producer whose `flush` and `close` raise if any message was not delivered.

    It takes the settings of `KafkaProducer`.
    """

    def __init__(self, **settings: Any) -> None:
        self._failures: list[BaseException] = []
        super().__init__(**settings)

    def send(self, *args: Any, **kwargs: Any) -> Any:
        """Send as `KafkaProducer.send` does, and record a failure for `flush`.

        Raises:
            StreamError: If no broker answers within `max_block_ms`.
        """
        try:
            sent = super().send(*args, **kwargs)
        except KafkaTimeoutError as cause:
            raise StreamError(f"no Kafka takes messages: {cause}") from cause
        return sent.add_errback(self._failures.append)

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all messages are delivered.

        Raises:
            StreamError: If anything did not, since the last flush.
        """
        super().flush(timeout)
        failures, self._failures = self._failures, []
        if failures:
            sentence = f"{len(failures)} messages not delivered: {failures[0]!r}"
            raise StreamError(sentence) from failures[0]

    def close(self, timeout: float | None = None, null_logger: bool = False) -> None:
        """Flush, then close the connection in any case.

        Args:
            timeout: Seconds to wait for messages that are under way; None waits without a limit.
            null_logger: Whether kafka-python logs nothing while it closes.
        """
        try:
            self.flush(timeout)
        finally:
            super().close(timeout, null_logger)


class Sink(Protocol):
    """What messages are sent to: a producer, or a `Delivery` through a shared one."""

    def send(self, topic: str, *, key: bytes, value: bytes) -> Any:
        """Send a message.

        Args:
            topic: Kafka topic.
            key: Messages with one key stay in order.
            value: The message.
        """

    def close(self, timeout: float | None = None) -> None:
        """Wait until all messages are delivered, for at most `timeout` seconds."""


class Delivery:
    """Sends messages through a producer that others use too, and waits for these alone.

    Args:
        producer: The shared producer.
    """

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._sent: list[Any] = []

    def send(self, topic: str, *, key: bytes, value: bytes) -> Any:
        """Send a message.

        Args:
            topic: Kafka topic.
            key: Messages with one key stay in order.
            value: The message.

        Raises:
            StreamError: If no broker answers.
        """
        self._sent.append(self._producer.send(topic, key=key, value=value))

    def close(self, timeout: float | None = None) -> None:
        """Wait until all messages are delivered.

        Args:
            timeout: For each, in seconds; None waits as long as the producer tries.

        Raises:
            StreamError: If one was not delivered.
        """
        sent, self._sent = self._sent, []
        try:
            for message in sent:
                message.get(timeout)
        except KafkaError as cause:
            raise StreamError(f"a message was not delivered: {cause}") from cause


def producer(bootstrap_servers: str) -> Producer:
    """Make a producer that is idempotent and waits for all replicas; it connects by itself.

    Args:
        bootstrap_servers: Addresses as `host:port,host:port`.
    """
    return Producer(
        **brokers.client_settings(bootstrap_servers),
        api_version=PROTOCOL,
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        batch_size=131_072,
        delivery_timeout_ms=DELIVER_MS,
        request_timeout_ms=DELIVER_MS // 2,
        max_block_ms=brokers.CONNECT_MS,
    )


class OutgoingMessage(NamedTuple):
    """A message to send."""

    topic: str
    key: bytes
    value: bytes


def message_of(data: EventData, source: str, time: datetime) -> OutgoingMessage:
    """Return the message of an event.

    Args:
        data: Content of the event; it decides topic and key.
        source: Who says it, as a URI reference such as `/cameras/north-gate`.
        time: When it happened.

    Raises:
        RecordError: If the event is larger than brokers take, or its time cannot be stored.
    """
    value = event_of(data, source, time).body
    if len(value) > MAX_MESSAGE_BYTES:
        raise RecordError(
            f"{data.TYPE} has {len(value):,} bytes, expected at most {MAX_MESSAGE_BYTES:,}"
        )
    return OutgoingMessage(data.TOPIC, data.key.encode(), value)


def publish(producer: Sink, data: EventData, source: str, time: datetime) -> None:
    """Send one event; delivery is certain only after `flush` or `close`.

    Args:
        producer: From `producer`.
        data: As `message_of` has it, as the others.
        source: As there.
        time: As there.

    Raises:
        RecordError: As there; nothing is sent then.
    """
    send_message(producer, message_of(data, source, time))


def send_message(producer: Sink, message: OutgoingMessage) -> None:
    """Send one message; delivery is certain only after `flush` or `close`.

    Args:
        producer: An open producer.
        message: The message.
    """
    producer.send(message.topic, key=message.key, value=message.value)


def consumer(bootstrap_servers: str) -> KafkaConsumer:
    """Connect a consumer without a group: the caller assigns, seeks and stores the offsets.

    Args:
        bootstrap_servers: Addresses as `host:port,host:port`.

    Raises:
        StreamError: If no broker answers.
    """
    brokers.admin(bootstrap_servers).close()  # it says why it is not let in
    return KafkaConsumer(
        **brokers.client_settings(bootstrap_servers),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        allow_auto_create_topics=False,
        max_poll_records=POLL_MESSAGES,
        fetch_max_wait_ms=200,
        fetch_max_bytes=FETCH_BYTES,
    )


def stream_id(bootstrap_servers: str, given: str | None = None) -> str:
    """Return the name under which offsets are stored: the given one, or the cluster's id.

    Args:
        bootstrap_servers: Addresses as `host:port,host:port`.
        given: KAFKA_STREAM_ID. The embedded cluster forgets when it stops, so each of its
            lives needs a name of its own.
    """
    if given:
        return given
    with brokers.admin(bootstrap_servers) as admin:
        return str(admin.describe_cluster()["cluster_id"])
