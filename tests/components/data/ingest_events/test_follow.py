"""A follower on a cluster and a database of its own, step by step."""

import math
from contextlib import ExitStack, closing

import psycopg2.errors
import pytest

from components.data.ingest_events.display import GROUP
from components.data.ingest_events.follow import StreamIngester
from components.data.ingest_events.gather import Gatherer
from components.data.ingest_events.offsets import read_offsets
from components.data.ingest_events.presence import StoreFaultError
from components.data.ingest_events.share import LEASE_S
from components.data.ingest_events.trouble import is_outage, sentence
from components.shared.contracts.events import FRAMES_TOPIC, PREDICTIONS_TOPIC, TOPICS
from components.shared.store.brokers import admin
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect
from components.shared.store.stream import TopicPartition, consumer, producer
from components.shared.store.topics import Topic, high_watermarks
from tests.proofs.kafka.lake import await_true
from tests.support.ingested_lake import Lake, captured

STREAM = "s"
EVERY = [(topic, number) for topic in TOPICS for number in range(4)]


@pytest.fixture
def followers(database, stream, object_store):
    """Make followers, each with connections of its own."""
    with ExitStack() as stack:

        def make(store: str = object_store) -> StreamIngester:
            return StreamIngester(
                stack.enter_context(closing(connect(database))),
                stack.enter_context(consumer(stream)),
                stack.enter_context(admin(stream)),
                Objects(store),
                STREAM,
            )

        yield make


@pytest.fixture
def lake(database):
    return Lake(database)


@pytest.fixture(autouse=True)
def look_around_at_each_step(monkeypatch):
    monkeypatch.setattr("components.data.ingest_events.follow.REFRESH_S", 0.0)


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


def change(lake: Lake, statement: str) -> None:
    with closing(connect(lake.url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)


def recreated(lake: Lake) -> list[str]:
    query = "SELECT detail FROM quarantine.items WHERE reason = 'topic_recreated'"
    return [detail for (detail,) in lake.ask(query)]


def test_a_topic_with_another_id_is_read_from_its_beginning_once(followers, stream, lake, capsys):
    send_everywhere(stream)
    assert run_once(followers()) == len(EVERY)
    other = "11111111-1111-4111-8111-111111111111"
    change(lake, f"UPDATE bronze.generations SET topic_id = '{other}' WHERE topic = 'frames'")
    send(stream, b"one more")

    assert run_once(followers()) == 5  # all of its four partitions, nothing of the other topic
    assert "topic frames was deleted and created again" in capsys.readouterr().out
    assert len(recreated(lake)) == 1
    assert run_once(followers()) == 0  # as the next start finds it


def test_the_offsets_are_those_of_the_topic_that_exists(followers, stream, lake):
    send_everywhere(stream)
    run_once(followers())
    other = "11111111-1111-4111-8111-111111111111"
    change(lake, f"UPDATE bronze.generations SET topic_id = '{other}'")
    run_once(followers())

    with closing(connect(lake.url)) as connection:
        assert read_offsets(connection, STREAM) == high_watermarks(stream)


def test_a_log_that_is_shorter_than_what_was_read_is_read_from_its_beginning(
    followers, stream, lake
):
    send(stream, b"1", b"2")
    change(lake, f"INSERT INTO bronze.offsets VALUES ('{STREAM}', 'frames', 0, 7)")

    assert run_once(followers()) == 2
    assert recreated(lake) == [
        "frames/0 ends at 2, but 7 of it were ingested: "
        "topic frames is read again from its beginning"
    ]


def test_a_log_that_was_restored_and_grew_past_what_was_read_is_read_from_its_beginning(
    followers, stream, lake
):
    send(stream, b"1", b"2")
    run_once(followers())
    change(lake, "UPDATE bronze.offsets SET last_digest = 'another' WHERE last_offset = 1")
    send(stream, b"3")

    assert run_once(followers()) == 3
    assert recreated(lake) == [
        "message 1 of frames/0 is not the one stored: topic frames is read again from its beginning"
    ]


def test_a_start_compares_the_last_message_and_does_not_store_it_again(followers, stream, lake):
    send(stream, b"1", b"2")
    first = followers()
    catch_up(first)
    first.refresh_partitions()
    send(stream, b"3")

    assert run_once(followers()) == 1
    assert recreated(lake) == []


def test_an_offset_that_was_turned_back_is_where_the_next_start_begins(followers, stream, lake):
    send(stream, b"1", b"2", b"3")
    run_once(followers())
    change(lake, "DELETE FROM quarantine.items")
    change(lake, "UPDATE bronze.offsets SET next_offset = 1 WHERE last_offset = 2")

    assert run_once(followers()) == 2
    assert lake.reasons() == {"not_an_event": 2}


def test_a_follower_goes_on_when_no_topic_can_be_read_any_more(followers, stream, monkeypatch):
    send_everywhere(stream)
    follower = followers()
    follower.refresh_partitions()
    gone = [Topic(name=name, fault="does not exist") for name in TOPICS]
    monkeypatch.setattr(
        "components.data.ingest_events.follow.describe_topics",
        lambda admin, names: [topic for topic in gone if topic.name in names],
    )
    follower._begin_anew()

    assert [follower.step() for _ in range(3)] == [[], [], []]
    assert follower.positions == {}


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


def test_a_second_ingester_beside_a_working_one_finds_no_topic_made_anew(
    followers, stream, lake, monkeypatch
):
    send(stream, b"1", b"2")
    first, second = followers(), followers()

    def slow(*arguments):
        found = read_offsets(*arguments)
        send(stream, b"more")
        catch_up(first)
        return found

    first.refresh_partitions()
    monkeypatch.setattr("components.data.ingest_events.follow.read_offsets", slow)
    second._shorter({FRAMES_TOPIC: STREAM}, [(FRAMES_TOPIC, 0)])

    assert recreated(lake) == []


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
