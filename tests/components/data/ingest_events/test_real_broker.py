"""What only a real broker does: transactions, deletion of topics and of old messages."""

import os
from contextlib import ExitStack, closing

import pytest
from confluent_kafka import Producer
from kafka import TopicPartition

from components.data.ingest_events.follow import StreamIngester
from components.shared.store.brokers import admin
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect
from components.shared.store.stream import consumer
from tests.support.ingested_lake import Lake

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "")
STREAM = "s"
TOPIC = "predictions"

pytestmark = pytest.mark.skipif(not SERVERS, reason="KAFKA_BOOTSTRAP_SERVERS names no cluster")


@pytest.fixture
def start(database, stream, object_store):
    """Start followers, each with connections of its own, that have read all there is."""
    with ExitStack() as stack:

        def run() -> StreamIngester:
            follower = StreamIngester(
                stack.enter_context(closing(connect(database))),
                stack.enter_context(consumer(stream)),
                stack.enter_context(admin(stream)),
                Objects(object_store),
                STREAM,
            )
            ends = follower.refresh_partitions()
            for _ in range(100):
                if follower.has_reached(ends):
                    follower.refresh_partitions()
                    follower.leave()
                    return follower
                follower.step()
            raise AssertionError(f"{follower.positions} did not reach {ends}")

        yield run


def send(count: int, **settings: str) -> None:
    out = Producer({"bootstrap.servers": SERVERS} | settings)
    for number in range(count):
        out.produce(TOPIC, b"message %d" % number, partition=0)
    assert out.flush(30) == 0


def transact(count: int, commit: bool) -> None:
    out = Producer({"bootstrap.servers": SERVERS, "transactional.id": f"t-{commit}"})
    out.init_transactions()
    out.begin_transaction()
    for number in range(count):
        out.produce(TOPIC, b"%d in a transaction" % number, partition=0)
    out.flush(30)
    (out.commit_transaction if commit else out.abort_transaction)()


def stored(database: str) -> int:
    return Lake(database).reasons().get("not_json", 0)


def test_only_committed_messages_are_stored_and_the_lag_reaches_0(start, database):
    transact(5, commit=True)
    transact(7, commit=False)
    follower = start()

    assert stored(database) == 5
    assert follower.lag[TOPIC] == 0


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_every_codec_is_read(start, database, codec):
    send(5, **{"compression.type": codec})
    start()

    assert stored(database) == 5


def test_a_topic_that_was_created_again_is_read_whole_though_it_is_longer(
    start, database, real_kafka, capsys
):
    send(5)
    start()
    real_kafka.fresh()
    send(9)
    start()

    assert stored(database) == 5 + 9
    assert f"topic {TOPIC} was deleted and created again" in capsys.readouterr().out


def test_messages_that_were_deleted_before_they_were_read_are_said_and_counted(
    start, database, capsys
):
    send(5)
    start()
    send(5)
    with admin(SERVERS) as cluster:
        cluster.delete_records({TopicPartition(TOPIC, 0): 8})
    start()

    assert stored(database) == 7
    line = f"{TOPIC}/0: 3 messages were deleted before they were ingested"
    assert line in capsys.readouterr().out
    assert Lake(database).reasons()["lost_by_retention"] == 1
