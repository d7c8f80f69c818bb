"""Poll batches limited in number and bytes, and detect that a partition's log was replaced."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from kafka import KafkaConsumer

from components.data.ingest_events.offsets import Anchor, anchor_of
from components.data.ingest_events.parse import StreamMessage
from components.shared.contracts.errors import ApplicationError
from components.shared.store.stream import Partition

POLL_MS = 300
BATCH = 2_000  # messages of a transaction, about
BATCH_BYTES = 2 * 2**20  # of their values, about; as objects they take many times that


class PartitionRecreatedError(ApplicationError):
    """A stored message's offset holds another message: the partition was recreated."""

    def __init__(self, at: Partition, offset: int) -> None:
        self.topic, number = at
        super().__init__(f"message {offset:,} of {self.topic}/{number} is not the one stored")


@dataclass(slots=True)
class Gatherer:
    """Polls batches of messages from a consumer.

    Attributes:
        reader: From `store.stream.consumer`; its partitions are assigned.
        anchors: Stored messages that reading begins with, to be compared.
    """

    reader: KafkaConsumer
    anchors: dict[Partition, Anchor] = field(default_factory=dict)

    def gather(self, positions: Mapping[Partition, int]) -> list[StreamMessage]:
        """Return the messages that have arrived, none if none did within `POLL_MS`.

        Args:
            positions: The next offset of each partition; what lies before it is left out.

        Raises:
            PartitionRecreatedError: If an anchor is not the message that was stored.
        """
        messages: list[StreamMessage] = []
        size, wait_ms = 0, POLL_MS
        while len(messages) < BATCH and size < BATCH_BYTES:
            found = self.reader.poll(timeout_ms=wait_ms)
            for record in itertools.chain.from_iterable(found.values()):
                place = (record.topic, record.partition, record.offset)
                message = StreamMessage(*place, record.value or b"", record.headers)
                self._compare(message)
                if record.offset >= positions[place[:2]]:
                    messages.append(message)
                    size += len(message.body)
            if not found:
                break
            wait_ms = 0  # what has not arrived yet may come with the next batch
        return messages

    def _compare(self, message: StreamMessage) -> None:
        at = (message.topic, message.partition)
        anchor = self.anchors.get(at)
        if anchor is None:
            return
        if message.offset >= anchor.offset:
            del self.anchors[at]
        if message.offset == anchor.offset and anchor_of(message) != anchor:
            raise PartitionRecreatedError(at, message.offset)
