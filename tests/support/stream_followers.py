"""Send messages, and let an ingester follow the stream step by step."""

from components.data.ingest_events.follow import StreamIngester
from components.shared.contracts.events import FRAMES_TOPIC, TOPICS
from components.shared.store.stream import producer

STREAM = "s"
EVERY = [(topic, number) for topic in TOPICS for number in range(4)]


def send(servers: str, *bodies: bytes, at=(FRAMES_TOPIC, 0)) -> None:
    with producer(servers) as out:
        for body in bodies:
            out.send(at[0], body, partition=at[1])


def send_everywhere(servers: str) -> None:
    for at in EVERY:
        send(servers, b"?", at=at)


def catch_up(follower: StreamIngester) -> int:
    ends, read = follower.refresh_partitions(), 0
    for _ in range(100):
        read += len(follower.step())
        if follower.has_reached(ends):
            return read
    raise AssertionError(f"{follower.positions} did not reach {ends}")


def run_once(follower: StreamIngester) -> int:
    read = catch_up(follower)
    follower.leave()
    return read
