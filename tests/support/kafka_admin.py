"""Topics, users and rights of a Kafka cluster, changed as its administrator."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from components.shared.contracts.events import TOPICS

WAIT_S = 60.0
PARTITIONS = 2


class Admin:
    """Administers one cluster.

    Args:
        bootstrap_servers: Of a listener at which nothing is forbidden.
    """

    def __init__(self, bootstrap_servers: str) -> None:
        self._client = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})

    def topics(self) -> set[str]:
        """Return the names of all topics but Kafka's own."""
        known = self._client.list_topics(timeout=WAIT_S).topics
        return {name for name in known if not name.startswith("__")}

    def create(
        self,
        topics: Iterable[str] = TOPICS,
        partitions: int = PARTITIONS,
        config: Mapping[str, str] | None = None,
    ) -> None:
        """Create topics and wait until every partition has a leader."""
        new = [NewTopic(name, partitions, config=dict(config or {})) for name in topics]
        _all(self._client.create_topics(new))
        deadline = time.monotonic() + WAIT_S
        while not all(self._is_led(topic.topic, partitions) for topic in new):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{new} has no leaders after {WAIT_S:g} s")
            time.sleep(0.1)

    def delete(self, topics: Iterable[str] = TOPICS) -> None:
        """Delete those of the topics that exist, and wait until they are gone."""
        there = self.topics().intersection(topics)
        if there:
            _all(self._client.delete_topics(list(there)))
        while self.topics().intersection(there):
            time.sleep(0.1)

    def fresh(self, partitions: int = PARTITIONS, config: Mapping[str, str] | None = None) -> None:
        """Make both topics anew."""
        self.delete()
        self.create(TOPICS, partitions, config)

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Drop the messages before an offset, as retention does."""
        _all(self._client.delete_records([TopicPartition(topic, partition, before)]))

    def add_user(self, name: str, password: str) -> None:
        """Add a user with SCRAM-SHA-512."""
        credential = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        user = UserScramCredentialUpsertion(name, credential, password.encode())
        _all(self._client.alter_user_scram_credentials([user]))

    def allow(self, user: str, resources: Iterable[tuple[ResourceType, str, AclOperation]]) -> None:
        """Allow a user some operations, from anywhere."""
        _all(self._client.create_acls([_acl(user, *resource) for resource in resources]))

    def forbid(self, user: str) -> None:
        """Take every right from a user."""
        anything = AclBindingFilter(
            ResourceType.ANY, None, ResourcePatternType.ANY,  # type: ignore[arg-type]
            f"User:{user}", None,  # type: ignore[arg-type]
            AclOperation.ANY, AclPermissionType.ANY,
        )  # fmt: skip
        _all(self._client.delete_acls([anything]))

    def _is_led(self, topic: str, partitions: int) -> bool:
        known = self._client.list_topics(topic, timeout=WAIT_S).topics[topic]
        return len(known.partitions) == partitions and all(
            partition.leader >= 0 for partition in known.partitions.values()
        )


def _acl(user: str, kind: ResourceType, name: str, operation: AclOperation) -> AclBinding:
    literal, allow = ResourcePatternType.LITERAL, AclPermissionType.ALLOW
    return AclBinding(kind, name, literal, f"User:{user}", "*", operation, allow)


def _all(futures: Mapping[Any, Any]) -> None:
    for of, future in futures.items():
        try:
            future.result(WAIT_S)
        except KafkaException as cause:
            raise RuntimeError(f"{of}: {cause}") from cause
