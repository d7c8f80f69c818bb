"""Sends messages with the Kafka clients that other people use, as strangers to our code do."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from confluent_kafka import Producer
from kafka import KafkaProducer

SOON_S = 90.0
KCAT = shutil.which("kcat")


class Sent(NamedTuple):
    """A message as it goes to a client."""

    topic: str
    headers: list[tuple[str, bytes]]
    body: bytes


Send = Callable[[str, Sequence[Sent]], None]


def by_confluent(servers: str, messages: Sequence[Sent]) -> None:
    """Send with confluent-kafka."""
    producer = Producer({"bootstrap.servers": servers})
    for message in messages:
        headers: list[tuple[str, str | bytes | None]] = list(message.headers)
        producer.produce(message.topic, message.body, headers=headers)
    assert producer.flush(SOON_S) == 0


def by_kafka_python(servers: str, messages: Sequence[Sent]) -> None:
    """Send with kafka-python; it is told a version because a mock cluster does not negotiate."""
    with KafkaProducer(bootstrap_servers=servers, api_version=(2, 3)) as producer:
        for message in messages:
            producer.send(message.topic, message.body, headers=message.headers).get(SOON_S)


def by_aiokafka(servers: str, messages: Sequence[Sent]) -> None:
    """Send with aiokafka."""

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
            for message in messages:
                await producer.send_and_wait(message.topic, message.body, headers=message.headers)

    asyncio.run(send())


def by_kcat(servers: str, messages: Sequence[Sent]) -> None:
    """Send with kcat, one message a call, whose value is a file as it stands."""
    for message in messages:
        headers = [f"-H{name}={text.decode()}" for name, text in message.headers]
        with NamedTemporaryFile() as file:
            Path(file.name).write_bytes(message.body)
            command = ["kcat", "-P", "-b", servers, "-t", message.topic, *headers, file.name]
            subprocess.run(command, check=True, timeout=SOON_S)


CLIENTS: dict[str, Send] = {
    "confluent-kafka": by_confluent,
    "kafka-python": by_kafka_python,
    "aiokafka": by_aiokafka,
    "kcat": by_kcat,
}
