"""A topic that was deleted, restored or turned back is noticed, and read from where it begins."""

from contextlib import closing

from components.data.ingest_events.offsets import read_offsets
from components.shared.contracts.events import FRAMES_TOPIC, TOPICS
from components.shared.store.postgres import connect
from components.shared.store.topics import Topic, high_watermarks
from tests.support.ingested_lake import Lake
from tests.support.stream_followers import EVERY, STREAM, catch_up, run_once, send, send_everywhere


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
