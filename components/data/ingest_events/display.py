"""Commit offsets to a Kafka consumer group, so that Kafka's tools show the lag.

The group is for display only: ingestion continues from the offsets in PostgreSQL.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from kafka import KafkaAdminClient, OffsetAndMetadata, TopicPartition
from kafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    NoError,
)

from components.shared.contracts.progress import log_progress
from components.shared.store.stream import Partition

GROUP = "car-ingest-display-only"
PAUSE_S = 60.0  # after a failure: a coordinator that is away may keep each attempt for seconds


@dataclass(slots=True)
class Display:
    """Commits offsets to the consumer group that shows the progress of ingestion.

    Attributes:
        admin: From `store.brokers.admin`.
        shown: Offsets committed last.
        not_before: When it may be tried again, by the monotonic clock.
    """

    admin: KafkaAdminClient
    shown: dict[Partition, int] = field(default_factory=dict)
    not_before: float = 0.0

    def show(self, offsets: Mapping[Partition, int]) -> None:
        """Commit the offsets that changed. A failure is ignored."""
        changed = {at: offset for at, offset in offsets.items() if self.shown.get(at) != offset}
        if not changed or time.monotonic() < self.not_before:
            return
        answers = self._commit(changed)
        self.shown |= {at: changed[at] for at, answer in answers.items() if answer is NoError}
        if GroupAuthorizationFailedError in answers.values():
            self.not_before = math.inf
            log_progress(
                f"this user may not commit to the group {GROUP}: Kafka's own tools show no lag"
            )
        elif set(answers.values()) - {NoError}:
            self.not_before = time.monotonic() + PAUSE_S

    def _commit(self, offsets: Mapping[Partition, int]) -> dict[Partition, type[KafkaError]]:
        """Return how it went for each partition."""
        wanted = {TopicPartition(*at): OffsetAndMetadata(to, "", -1) for at, to in offsets.items()}
        try:
            answers = self.admin.alter_group_offsets(GROUP, wanted)
        except KafkaError as error:
            return dict.fromkeys(offsets, type(error))
        return {(at.topic, at.partition): answer for at, answer in answers.items()}
