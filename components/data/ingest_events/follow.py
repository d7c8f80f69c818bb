"""Consume topics from the offsets in PostgreSQL, and new partitions when they appear."""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from kafka import KafkaAdminClient, KafkaConsumer
from psycopg2.extensions import connection as Connection  # noqa: N812

from components.data.ingest_events.display import Display
from components.data.ingest_events.expose import LOST, RECREATED
from components.data.ingest_events.gather import Gatherer, PartitionRecreatedError
from components.data.ingest_events.generations import begin_generation, current_generation
from components.data.ingest_events.offsets import advance, read_offsets, skip_lost
from components.data.ingest_events.parse import ParseResult, parse
from components.data.ingest_events.presence import Patience, require_frames
from components.data.ingest_events.share import ingester_name, leave, running_ingesters, share_of
from components.data.ingest_events.write import write
from components.shared.contracts.events import TOPICS
from components.shared.contracts.progress import log_progress
from components.shared.store.objects import Objects
from components.shared.store.stream import Partition, TopicPartition
from components.shared.store.topics import (
    Topic,
    beginning_offsets,
    describe_topics,
    end_offsets,
    log_ends,
)

REFRESH_S = 2.0  # how long a new partition or ingester may go unseen


class Subscription(NamedTuple):
    """Topics, generations and partitions that an ingester reads; a change restarts reading.

    Attributes:
        ids: Kafka's id of each topic that can be read.
        names: Name of the generation of each of these topics.
        share: The partitions of this ingester.
    """

    ids: dict[str, str | None]
    names: dict[str, str]
    share: list[Partition]


NOTHING = Subscription({}, {}, [])


@dataclass(slots=True)
class StreamIngester:
    """Reads batches from the stream and writes them to the database.

    Attributes:
        connection: To the database.
        reader: From `store.stream.consumer`.
        admin: From `store.brokers.admin`.
        objects: Where the frames' bytes are.
        stream: Name of the stream.
        name: Unique name of this ingester.
        patience: With an object store in which nothing was ever stored.
        topics: As the cluster described them at the last look around.
        positions: Where each partition of this ingester goes on.
        ends: The end of each partition at the last look around.
    """

    connection: Connection
    reader: KafkaConsumer
    admin: KafkaAdminClient
    objects: Objects
    stream: str
    name: str = field(default_factory=ingester_name)
    patience: Patience = field(default_factory=Patience)
    topics: dict[str, Topic] = field(default_factory=dict)
    positions: dict[Partition, int] = field(default_factory=dict)
    ends: dict[Partition, int] = field(default_factory=dict)
    _view: Subscription = NOTHING
    _refreshed_at: float = -REFRESH_S
    _gatherer: Gatherer = field(init=False)
    _display: Display = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing read."""
        self._gatherer, self._display = Gatherer(self.reader), Display(self.admin)

    def step(self) -> list[ParseResult]:
        """Read one batch, and return its counts once it is stored."""
        if time.monotonic() - self._refreshed_at >= REFRESH_S:
            self.refresh_partitions()
        try:
            messages = self._gatherer.gather(self.positions)
        except PartitionRecreatedError as found:
            self._leave_generation(found.topic, self._view.names[found.topic], str(found))
            self._begin_anew()
            return []
        if messages and not self._ids_hold():
            self._begin_anew()
            return []
        parsed = list(map(parse, messages))
        readings = require_frames(self.connection, self.objects, parsed, self.patience)
        for name, batch in self._by_generation(readings).items():
            reached = {at: found[-1].message.offset + 1 for at, found in batch.items()}
            self._go_to(write(self.connection, name, batch, self.positions), reached)
        self._pass_markers()
        return readings

    def refresh_partitions(self) -> dict[Partition, int]:
        """Start to read new partitions, and return the end offset of each partition."""
        self.topics = {topic.name: topic for topic in describe_topics(self.admin, TOPICS)}
        readable = {name: topic for name, topic in self.topics.items() if not topic.fault}
        every = [at for topic in readable.values() for at in topic.partitions]
        running = running_ingesters(self.connection, self.stream, self.name)
        view = Subscription(
            ids={name: topic.id for name, topic in readable.items()},
            names={name: self._generation(topic) for name, topic in readable.items()},
            share=share_of(self.name, running, every),
        )
        if self._view is NOTHING or view != self._view:
            self._begin(view, every)
        self.ends, self._refreshed_at = end_offsets(self.admin, every), time.monotonic()
        self._display.show(self.positions)
        return self.ends

    @property
    def faults(self) -> list[str]:
        """Reasons why topics cannot be read, one sentence each."""
        return [
            f"topic {topic.name} {topic.fault}" for topic in self.topics.values() if topic.fault
        ]

    @property
    def lag(self) -> dict[str, float]:
        """Messages of each topic that are not stored yet; NaN where the topic cannot be read."""
        lag = {name: float("nan") if topic.fault else 0.0 for name, topic in self.topics.items()}
        for at, position in self.positions.items():
            lag[at[0]] += max(0, self.ends.get(at, 0) - position)
        return lag

    def has_reached(self, ends: Mapping[Partition, int]) -> bool:
        """Return whether all messages before these end offsets are stored, by any ingester."""
        if any(self.positions[at] < end for at, end in ends.items() if at in self.positions):
            return False
        others = ends.keys() - self.positions.keys()
        known = read_offsets(self.connection, self.stream) if others else {}
        return all(known.get(at, 0) >= ends[at] for at in others)

    def leave(self) -> None:
        """Release the partitions of this ingester to the others."""
        leave(self.connection, self.stream, self.name)

    def _generation(self, topic: Topic) -> str:
        return self._logged(topic.name, *current_generation(self.connection, self.stream, topic))

    def _leave_generation(self, topic: str, left: str, why: str) -> str:
        found = self.topics[topic]
        return self._logged(
            topic, *begin_generation(self.connection, self.stream, found, left, why)
        )

    def _logged(self, topic: str, name: str, sentence: str | None) -> str:
        if sentence:
            log_progress(sentence)
            RECREATED.labels(topic=topic).inc()
        return name

    def _begin_anew(self) -> None:
        self._view, self._refreshed_at = NOTHING, -REFRESH_S
        self._gatherer = Gatherer(self.reader)

    def _begin(self, view: Subscription, every: list[Partition]) -> None:
        view = view._replace(names=self._shorter(view.names, every))
        oldest = beginning_offsets(self.admin, view.share)
        self.reader.assign([TopicPartition(*at) for at in view.share])
        self._gatherer, self.positions = Gatherer(self.reader), {}
        for at in view.share:
            self._start(view.names[at[0]], at, oldest[at])
        self._view = view

    def _shorter(self, names: Mapping[str, str], every: list[Partition]) -> dict[str, str]:
        # Offsets first, then the ends: another ingester may move the former meanwhile.
        known = read_offsets(self.connection, self.stream)
        ends = log_ends(self.admin, every)
        short = {at[0]: at for at in every if known.get(at, 0) > ends[at]}
        return dict(names) | {
            topic: self._leave_generation(
                topic,
                names[topic],
                f"{topic}/{at[1]} ends at {ends[at]:,}, but {known[at]:,} of it were ingested",
            )
            for topic, at in short.items()
        }

    def _start(self, name: str, at: Partition, oldest: int) -> None:
        start = skip_lost(self.connection, name, at, oldest)
        if start.lost:
            log_progress(
                f"{at[0]}/{at[1]}: {start.lost:,} messages were deleted before they were ingested"
            )
            LOST.labels(topic=at[0]).inc(start.lost)
        self.positions[at] = begin = start.offset
        if start.anchor and start.anchor.offset >= oldest:
            self._gatherer.anchors[at], begin = start.anchor, min(begin, start.anchor.offset)
        self.reader.seek(TopicPartition(*at), begin)

    def _ids_hold(self) -> bool:
        now = describe_topics(self.admin, self._view.ids)
        return all(topic.id == self._view.ids[topic.name] for topic in now)

    def _by_generation(
        self, readings: list[ParseResult]
    ) -> dict[str, dict[Partition, list[ParseResult]]]:
        batches: dict[str, dict[Partition, list[ParseResult]]] = defaultdict(dict)
        for reading in readings:
            topic, number = reading.message.topic, reading.message.partition
            batches[self._view.names[topic]].setdefault((topic, number), []).append(reading)
        return batches

    def _go_to(self, offsets: Mapping[Partition, int], reached: Mapping[Partition, int]) -> None:
        for at, offset in offsets.items():
            self.positions[at] = offset
            if offset != reached[at]:  # another ingester was faster, or someone turned it back
                self.reader.seek(TopicPartition(*at), offset)

    def _pass_markers(self) -> None:
        for at, begin in list(self.positions.items()):
            end = self.reader.position(TopicPartition(*at))
            if end > begin:
                name, reached = self._view.names[at[0]], {at: end}
                self._go_to(advance(self.connection, name, {at: begin}, reached), reached)
