"""Events that other people's producers send, in both content modes, are stored."""

import asyncio
import json
import shutil
import subprocess
from contextlib import closing

import aiokafka
import confluent_kafka
import kafka
import pytest

from components.contracts.events import KINDS
from components.ingest_events.follow import Follower
from components.store.brokers import admin
from components.store.objects import Objects
from components.store.postgres import connect
from components.store.stream import consumer
from pipelines.events.examples import example

STRUCTURED = [("content-type", b"application/cloudevents+json")]
NAMES = sorted(KINDS)


def structured(message: dict) -> tuple[bytes, list]:
    return json.dumps(message).encode(), STRUCTURED


def binary(message: dict) -> tuple[bytes, list]:
    attributes = {name: text for name, text in message.items() if name != "data"}
    headers = [("content-type", attributes.pop("datacontenttype").encode())]
    headers += [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
    return json.dumps(message["data"]).encode(), headers


MODES = {"structured": structured, "binary": binary}


def by_kafka_python(servers: str, messages) -> None:
    with kafka.KafkaProducer(bootstrap_servers=servers, api_version=(2, 3)) as producer:
        for topic, (value, headers) in messages:
            producer.send(topic, value=value, headers=headers)
        producer.flush()


def by_confluent_kafka(servers: str, messages) -> None:
    producer = confluent_kafka.Producer({"bootstrap.servers": servers})
    for topic, (value, headers) in messages:
        producer.produce(topic, value=value, headers=headers)
    assert producer.flush(30) == 0


def by_aiokafka(servers: str, messages) -> None:
    async def send() -> None:
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=servers)
        await producer.start()
        for topic, (value, headers) in messages:
            await producer.send_and_wait(topic, value=value, headers=headers)
        await producer.stop()

    asyncio.run(send())


def by_kcat(servers: str, messages) -> None:
    for topic, (value, headers) in messages:
        options = [word for name, text in headers for word in ("-H", f"{name}={text.decode()}")]
        command = [shutil.which("kcat") or "kcat", "-P", "-b", servers, "-t", topic, *options]
        subprocess.run(command, input=value, check=True, timeout=60)


PRODUCERS = [by_kafka_python, by_confluent_kafka, by_aiokafka, by_kcat]
needs_kcat = pytest.mark.skipif(not shutil.which("kcat"), reason="kcat is not installed")


@pytest.fixture
def follower(database, stream, object_store):
    with (
        closing(connect(database)) as connection,
        admin(stream) as cluster,
        consumer(stream) as reader,
    ):
        yield Follower(connection, reader, cluster, Objects(object_store), "s")


def take_all(follower: Follower, expected: int) -> None:
    taken = 0
    while taken < expected:
        follower.look_around()
        taken += len(follower.step())


def messages(objects: Objects, mode: str):
    uri = objects.put("frames/a.jpg", b"a JPEG")
    for name in NAMES:
        message = example(name)
        if name == "frame.captured":
            message["data"]["uri"] = uri
        yield KINDS[name].TOPIC, MODES[mode](message)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "send",
    [pytest.param(send, marks=needs_kcat) if send is by_kcat else send for send in PRODUCERS],
)
def test_every_example_is_stored_whoever_sends_it(send, mode, follower, stream):
    send(stream, list(messages(follower.objects, mode)))

    take_all(follower, len(NAMES))

    with follower.connection as connection, connection.cursor() as cursor:
        cursor.execute("SELECT type, source, sender_id FROM bronze.events ORDER BY type")
        stored = cursor.fetchall()
        cursor.execute("SELECT reason FROM quarantine.items")
        assert cursor.fetchall() == [("undecodable",)]  # what the example frame.refused says
    assert stored == [(name, example(name)["source"], example(name)["id"]) for name in NAMES]
