"""Embedded Kafka cluster, in memory: the mock cluster of librdkafka in a child process.

Any Kafka client can connect to it over TCP, but nothing is kept when it stops. So each start has
its own identity, `stream_id`, and producers send again.
"""

import sys
import time
import uuid
from pathlib import Path

from pipelines.local.processes import Child, Part

BROKERS = 1


class EmbeddedStream(Part):
    """The mock Kafka cluster as a child process, started by the constructor.

    Args:
        folder: Folder of its log.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.stream_id = f"embedded-{uuid.uuid4()}"
        self._child = Child(
            "the embedded stream",
            [sys.executable, "-m", "pipelines.local.stream"],
            folder / "log.txt",
        )
        self._child.wait_until(lambda: "\n" in self._child.output())
        self.bootstrap_servers = self._child.output().splitlines()[0]

    def stop(self) -> None:
        """Stop the cluster; all messages are lost."""
        self._child.stop()


def main() -> None:
    """Run the cluster: print its brokers' addresses, then wait for the end."""
    from confluent_kafka import Producer

    producer = Producer(
        {"test.mock.num.brokers": BROKERS, "bootstrap.servers": "embedded", "log_level": 4}
    )  # at 5 it prints a notice before the addresses
    brokers = producer.list_topics(timeout=10).brokers.values()
    print(",".join(f"{broker.host}:{broker.port}" for broker in brokers), flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
