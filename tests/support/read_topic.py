"""Reads what a topic holds, as a consumer of ours does."""

from components.shared.store.stream import TopicPartition, consumer
from components.shared.store.topics import high_watermarks


def read_topic(bootstrap_servers: str, topic: str) -> list[bytes]:
    """Return the values of all messages that a topic has now, partition by partition."""
    ends = high_watermarks(bootstrap_servers, [topic])
    found: list[bytes] = []
    if not ends:  # nobody has sent to it
        return found
    with consumer(bootstrap_servers) as reader:
        reader.assign([TopicPartition(*at) for at in ends])
        reader.seek_to_beginning()
        while len(found) < sum(ends.values()):
            found += [each.value for batch in reader.poll(500).values() for each in batch]
    return found
