"""The stream is followed from where the database says, whichever partitions appear."""

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812

from components.contracts.events import TOPICS
from components.contracts.refusal import Refusal
from components.ingest_events.offsets import read_offsets, skip_lost
from components.ingest_events.understand import Message, Reading, require_bytes, understand
from components.ingest_events.write import write
from components.store.objects import Objects
from components.store.stream import Partition, TopicPartition, end_offsets

LOOK_AROUND_S = 2.0  # how long a new partition may go unseen
POLL_MS = 300
BATCH = 2_000  # messages of a transaction, about


@dataclass(slots=True)
class Follower:
    """Reads batches from the stream and writes them to the database.

    Attributes:
        connection: To the database.
        reader: From `store.stream.consumer`.
        objects: Where the frames' bytes are.
        stream: Name of the stream.
        positions: Where each partition goes on, as the database said last.
    """

    connection: Connection
    reader: Any
    objects: Objects
    stream: str
    positions: dict[Partition, int] = field(default_factory=dict)
    _ends: dict[Partition, int] = field(default_factory=dict)
    _looked_at: float = -LOOK_AROUND_S

    def step(self) -> list[Reading]:
        """Take one batch, and return what was read in it once it is safely stored."""
        if time.monotonic() - self._looked_at >= LOOK_AROUND_S:
            self.look_around()
        batch = self._read()
        if not batch:
            return []
        self._go_to(write(self.connection, self.stream, batch, self.positions))
        return [reading for readings in batch.values() for reading in readings]

    def look_around(self) -> dict[Partition, int]:
        """Begin to read partitions that are new, and return the end of each partition.

        Raises:
            Refusal: If a partition ends before what was ingested from it.
        """
        ends = end_offsets(self.reader, TOPICS)
        if ends.keys() - self.positions.keys():
            self._begin(ends)
        self._ends, self._looked_at = ends, time.monotonic()
        return ends

    @property
    def lag(self) -> int:
        """Messages that were in the stream at the last look around and are not stored yet."""
        return sum(max(0, end - self.positions.get(at, 0)) for at, end in self._ends.items())

    def has_reached(self, ends: Mapping[Partition, int]) -> bool:
        """Say whether all before these ends is stored."""
        return all(self.positions.get(at, 0) >= end for at, end in ends.items())

    def _begin(self, ends: Mapping[Partition, int]) -> None:
        places = {at: TopicPartition(*at) for at in ends}
        self.reader.assign(list(places.values()))
        oldest = self.reader.beginning_offsets(list(places.values()))
        for at, place in places.items():
            skip_lost(self.connection, self.stream, at, oldest[place])
        known = read_offsets(self.connection, self.stream)
        _refuse_another_life(self.stream, known, ends)
        self.positions = {at: known[at] for at in ends}
        for at, place in places.items():
            self.reader.seek(place, known[at])

    def _read(self) -> dict[Partition, list[Reading]]:
        batch: dict[Partition, list[Reading]] = {}
        for reading in require_bytes([understand(m) for m in self._gather()], self._there):
            at = (reading.message.topic, reading.message.partition)
            batch.setdefault(at, []).append(reading)
        return batch

    def _gather(self) -> list[Message]:
        messages: list[Message] = []
        wait_ms = POLL_MS
        while len(messages) < BATCH and (found := self.reader.poll(timeout_ms=wait_ms)):
            for record in itertools.chain.from_iterable(found.values()):
                place = (record.topic, record.partition, record.offset)
                messages.append(Message(*place, record.value or b""))
            wait_ms = 0  # what has not arrived yet may come with the next batch
        return messages

    def _there(self, uri: str) -> bool:
        try:
            return self.objects.exists(self.objects.key(uri))
        except ValueError:  # it lies in another store
            return False

    def _go_to(self, offsets: Mapping[Partition, int]) -> None:
        for at, offset in offsets.items():
            self.positions[at] = offset
            if self.reader.position(TopicPartition(*at)) != offset:
                self.reader.seek(TopicPartition(*at), offset)


def _refuse_another_life(
    stream: str, known: Mapping[Partition, int], ends: Mapping[Partition, int]
) -> None:
    for at, end in ends.items():
        if known[at] > end:
            raise Refusal(
                f"{at[0]}/{at[1]} of stream {stream} ends at {end:,}, but {known[at]:,} messages "
                "of it were ingested: the topic was made anew; set KAFKA_STREAM_ID to a new name"
            )
