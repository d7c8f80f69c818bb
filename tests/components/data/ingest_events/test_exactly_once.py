"""Real processes, a real broker and a real database: killed, doubled and cut off."""

import os
import random
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from components.data.ingest_events import wait
from components.data.ingest_events.follow import StreamIngester
from components.data.ingest_events.wait import wait_until_ingested
from components.shared.contracts.errors import OutageError
from components.shared.contracts.events import (
    FRAMES_TOPIC,
    PREDICTIONS_TOPIC,
)
from components.shared.store.brokers import admin
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect
from components.shared.store.stream import consumer, producer
from components.shared.store.topics import high_watermarks
from pipelines.local.database import as_role
from tests.support.ingested_lake import STREAM, Lake, Traffic

KILLS = 4


@pytest.fixture
def start(database, stream, object_store):
    """Start the service as a process; all are gone when the test is."""
    running = []
    env = os.environ | {
        "DATABASE_URL": as_role(database, "car_ingest"), "KAFKA_BOOTSTRAP_SERVERS": stream,
        "OBJECT_STORE_URL": object_store, "KAFKA_STREAM_ID": STREAM,
    }  # fmt: skip

    def run(*options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "components", "ingest_events", *options]
        running.append(subprocess.Popen(command, env=env))
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.wait()


def must_hold(lake: Lake, traffic: Traffic, servers: str) -> None:
    assert lake.counts(traffic.rows) == traffic.rows
    assert lake.reasons() == traffic.reasons()
    assert lake.offsets() == high_watermarks(servers)


def test_nothing_is_lost_or_doubled_though_the_service_is_killed_again_and_again(
    start, database, stream, object_store
):
    lake, traffic = Lake(database), Traffic(Objects(object_store), 600)
    sending = threading.Thread(target=traffic.send, args=(stream, 0.06))
    sending.start()
    moments = random.Random(1)
    for _ in range(KILLS):
        process = start()
        lake.wait_for_a_transaction(seconds=3)
        time.sleep(moments.uniform(0, 0.03))
        process.kill()
        process.wait()
    sending.join()

    assert start("--until-caught-up").wait(60) == 0
    must_hold(lake, traffic, stream)


def test_two_services_that_lose_their_connections_still_store_each_event_once(
    start, database, stream, object_store
):
    lake, traffic = Lake(database), Traffic(Objects(object_store), 300)
    services = [start(), start()]
    sending = threading.Thread(target=traffic.send, args=(stream, 0.06))
    sending.start()
    while not lake.offsets():
        assert [service.poll() for service in services] == [None, None]
        time.sleep(0.01)
    lake.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    sending.join()

    wait_until_ingested(database, stream, STREAM, timeout_s=30)
    must_hold(lake, traffic, stream)
    for service in services:
        service.terminate()
    assert [service.wait(10) for service in services] == [0, 0]


@pytest.fixture
def follower(database, stream, object_store):
    with (
        closing(connect(database)) as connection,
        consumer(stream) as reader,
        admin(stream) as cluster,
    ):
        yield StreamIngester(connection, reader, cluster, Objects(object_store), STREAM)


def test_a_topic_that_appears_later_is_followed_too(follower, stream, monkeypatch):
    monkeypatch.setattr("components.data.ingest_events.follow.REFRESH_S", 0.0)
    for topic in (FRAMES_TOPIC, PREDICTIONS_TOPIC):
        with producer(stream) as out:
            out.send(topic, b"?")
        batches = (follower.step() for _ in range(50))

        assert len(next(filter(None, batches))) == 1


def test_waiting_ends_with_a_sentence_when_ingestion_stands_still(database, stream, monkeypatch):
    monkeypatch.setattr(wait, "PAUSE_S", 0.01)
    with producer(stream) as out:
        out.send(FRAMES_TOPIC, b"?")

    with pytest.raises(OutageError, match="ingestion stands still: 1 messages wait"):
        wait_until_ingested(database, stream, STREAM, timeout_s=0.05)
