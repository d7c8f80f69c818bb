"""A follower on a cluster and a database of its own, step by step."""

import math
from contextlib import closing

import psycopg2.errors
import pytest

from components.data.ingest_events.display import GROUP
from components.data.ingest_events.follow import StreamIngester
from components.data.ingest_events.gather import Gatherer
from components.data.ingest_events.presence import StoreFaultError
from components.data.ingest_events.share import LEASE_S
from components.data.ingest_events.trouble import is_outage, sentence
from components.shared.contracts.events import FRAMES_TOPIC, PREDICTIONS_TOPIC
from components.shared.store.brokers import admin
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect
from components.shared.store.stream import TopicPartition, consumer
from tests.support.ingested_lake import captured
from tests.support.stream_followers import EVERY, STREAM, catch_up, run_once, send, send_everywhere
from tests.support.waiting import await_true

pytestmark = pytest.mark.usefixtures("look_around_at_each_step")


def test_two_ingesters_divide_the_partitions(followers, stream):
    send_everywhere(stream)
    first, second = followers(), followers()
    for follower in (first, second, first):
        follower.refresh_partitions()

    assert len(first.positions) == len(second.positions) == 4
    assert sorted([*first.positions, *second.positions]) == EVERY


def test_who_leaves_or_dies_gives_its_partitions_to_the_others(followers, stream):
    send_everywhere(stream)
    first, second, third = followers(), followers(), followers()
    for follower in (first, second, third, first):
        follower.refresh_partitions()
    assert len(first.positions) < 4
    second.leave()
    third.connection.close()  # its session ends in a moment, its lease later

    def reads_all() -> bool:
        first.refresh_partitions()
        return sorted(first.positions) == EVERY

    assert await_true(reads_all, LEASE_S / 2)


def test_a_missing_topic_is_named_and_does_not_stop_the_other(database, tmp_path, object_store):
    from pipelines.local.stream import EmbeddedStream

    with (
        EmbeddedStream(tmp_path / "alone") as cluster,
        closing(connect(database)) as connection,
        consumer(cluster.bootstrap_servers) as reader,
        admin(cluster.bootstrap_servers) as client,
    ):
        send(cluster.bootstrap_servers, b"?")
        follower = StreamIngester(connection, reader, client, Objects(object_store), STREAM)

        assert catch_up(follower) == 1
        assert follower.faults == ["topic predictions does not exist"]
        assert follower.lag[FRAMES_TOPIC] == 0
        assert math.isnan(follower.lag[PREDICTIONS_TOPIC])


def test_a_store_without_anything_is_waited_for_and_sends_no_frame_to_quarantine(
    followers, stream, lake, object_store, tmp_path
):
    topic, _, body = captured(1, Objects(object_store))
    send(stream, body, at=(topic, 0))

    with pytest.raises(StoreFaultError, match="holds none of 1 new frames, it is empty") as fault:
        run_once(followers((tmp_path / "not mounted").as_uri()))
    assert is_outage(fault.value)
    assert lake.reasons() == {}


def test_a_store_that_lacks_what_was_stored_before_is_the_wrong_one(
    followers, stream, lake, object_store, tmp_path
):
    topic, _, body = captured(1, Objects(object_store))
    send(stream, body, at=(topic, 0))
    run_once(followers())
    wrong = Objects((tmp_path / "wrong").as_uri())
    wrong.put("frames/of/others.jpg", b"jpeg")
    send(stream, captured(2, Objects(object_store))[2], at=(topic, 0))

    with pytest.raises(StoreFaultError, match="nor any of the 1 stored last"):
        run_once(followers(wrong.url))
    assert lake.reasons() == {}


def test_one_frame_without_bytes_goes_to_quarantine(followers, stream, lake, object_store):
    objects = Objects(object_store)
    send(stream, captured(1, objects)[2], captured(2, objects, stored=False)[2])
    run_once(followers())

    assert lake.reasons() == {"bytes_missing": 1}


def test_a_read_only_database_is_an_outage(followers, stream):
    send(stream, b"?")
    follower = followers()
    follower.connection.set_session(readonly=True)

    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction) as outage:
        follower.step()
    assert is_outage(outage.value)
    assert sentence(outage.value) == "DATABASE_URL: the database is read-only, as a standby is"


def test_a_batch_ends_when_it_is_large(stream, monkeypatch):
    monkeypatch.setattr("components.data.ingest_events.gather.BATCH_BYTES", 1_000_000)
    body = b"x" * 100_000
    send(stream, *[body] * 40)
    with consumer(stream) as reader:
        reader.config["max_poll_records"] = 5
        reader.assign([TopicPartition(FRAMES_TOPIC, 0)])
        reader.seek(TopicPartition(FRAMES_TOPIC, 0), 0)
        gatherer, sizes, offset = Gatherer(reader), [], 0
        while offset < 40:
            batch = gatherer.gather({(FRAMES_TOPIC, 0): offset})
            offset += len(batch)
            sizes.append(len(batch) * len(body))

    assert max(sizes) <= 2_000_000


def test_the_group_shows_the_offsets(followers, stream):
    send_everywhere(stream)
    follower = followers()
    catch_up(follower)
    follower.refresh_partitions()
    places = [TopicPartition(*at) for at in EVERY]
    (shown,) = follower.admin.list_group_offsets({GROUP: places}).values()

    assert [shown[place].offset for place in places] == [1] * len(EVERY)
