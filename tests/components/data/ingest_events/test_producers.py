"""Events that other people's producers send, in both content modes, are stored."""

import json
from contextlib import closing

import pytest

from components.data.ingest_events.follow import StreamIngester
from components.shared.contracts.events import KINDS
from components.shared.store.brokers import admin
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect
from components.shared.store.stream import consumer
from pipelines.events.examples import example
from tests.support.kafka_clients import CLIENTS, KCAT, Sent, by_kcat

STRUCTURED = [("content-type", b"application/cloudevents+json")]
NAMES = sorted(KINDS)


def structured(topic: str, message: dict) -> Sent:
    return Sent(topic, STRUCTURED, json.dumps(message).encode())


def binary(topic: str, message: dict) -> Sent:
    attributes = {name: text for name, text in message.items() if name != "data"}
    headers = [("content-type", attributes.pop("datacontenttype").encode())]
    headers += [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
    return Sent(topic, headers, json.dumps(message["data"]).encode())


MODES = {"structured": structured, "binary": binary}


needs_kcat = pytest.mark.skipif(not KCAT, reason="kcat is not installed")


@pytest.fixture
def follower(database, stream, object_store):
    with (
        closing(connect(database)) as connection,
        admin(stream) as cluster,
        consumer(stream) as reader,
    ):
        yield StreamIngester(connection, reader, cluster, Objects(object_store), "s")


def take_all(follower: StreamIngester, expected: int) -> None:
    taken = 0
    while taken < expected:
        follower.refresh_partitions()
        taken += len(follower.step())


def messages(objects: Objects, mode: str):
    uri = objects.put("frames/a.jpg", b"a JPEG")
    for name in NAMES:
        message = example(name)
        if name == "frame.captured":
            message["data"]["uri"] = uri
        yield MODES[mode](KINDS[name].TOPIC, message)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "send",
    [
        pytest.param(send, marks=needs_kcat) if send is by_kcat else send
        for send in CLIENTS.values()
    ],
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
