"""Deletes and creates the topics of a real cluster, so that a test begins with empty ones.

Everything in these topics is lost: KAFKA_BOOTSTRAP_SERVERS must name a cluster for tests alone.
"""

import time

from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

from components.contracts.events import TOPICS
from components.store.brokers import admin

PARTITIONS = 4
DELETION_S = 30  # a broker deletes in the background, within about a second


def make_topics_anew(servers: str, partitions: int = PARTITIONS) -> None:
    """Delete both topics if they exist, and create them.

    Args:
        servers: As KAFKA_BOOTSTRAP_SERVERS names them.
        partitions: Of each topic.
    """
    with admin(servers) as cluster:
        there = set(cluster.list_topics()) & set(TOPICS)
        if there:
            cluster.delete_topics(sorted(there))
        deadline = time.monotonic() + DELETION_S
        missing = set(TOPICS)
        while missing:
            try:
                cluster.create_topics([NewTopic(name, partitions, 1) for name in sorted(missing)])
                missing = set()
            except TopicAlreadyExistsError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
                missing = set(TOPICS) - set(cluster.list_topics())
        while set(TOPICS) - set(cluster.list_topics()) and time.monotonic() < deadline:
            time.sleep(0.1)
