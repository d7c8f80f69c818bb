"""Commits offsets to a consumer group of Kafka, so that its tools show the lag.

For display alone: ingestion goes on where PostgreSQL says, whatever the group says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka import OffsetAndMetadata, TopicPartition  # type: ignore[import-untyped]
from kafka.errors import GroupAuthorizationFailedError, KafkaError  # type: ignore[import-untyped]

from components.contracts.progress import say
from components.store.stream import Partition

GROUP = "car-ingest-display-only"


@dataclass(slots=True)
class Display:
    """The consumer group that shows how far ingestion is.

    Attributes:
        admin: From `store.brokers.admin`.
        shown: What was committed last.
        forbidden: Whether this user may not commit to the group.
    """

    admin: Any
    shown: dict[Partition, int] = field(default_factory=dict)
    forbidden: bool = False

    def show(self, offsets: Mapping[Partition, int]) -> None:
        """Commit the offsets that changed. It is no harm if that fails."""
        changed = {at: offset for at, offset in offsets.items() if self.shown.get(at) != offset}
        if not changed or self.forbidden:
            return
        try:
            answers = self.admin.alter_group_offsets(
                GROUP,
                {TopicPartition(*at): OffsetAndMetadata(to, "", -1) for at, to in changed.items()},
            )
        except GroupAuthorizationFailedError:
            self._forbid()
            return
        except KafkaError:
            return  # tried again with the next offsets
        if GroupAuthorizationFailedError in answers.values():
            self._forbid()
        self.shown |= changed

    def _forbid(self) -> None:
        self.forbidden = True
        say(f"this user may not commit to the group {GROUP}: Kafka's own tools show no lag")
