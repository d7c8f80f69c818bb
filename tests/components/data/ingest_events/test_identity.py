"""The sender's `source` and `id` identify an event, and equal content is stored once."""

import json
import threading
from contextlib import closing
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.data.ingest_events.parse import StreamMessage, parse
from components.data.ingest_events.write import write
from components.shared.contracts.events import DatasetDeclared
from components.shared.contracts.messages import event_of
from components.shared.store.postgres import connect
from pipelines.events.examples import example

AT = ("frames", 0)
TIME = datetime(2024, 5, 1, tzinfo=UTC)


class Lake:
    """Writes messages one batch after the other, and shows what is stored."""

    def __init__(self, connection):
        self.connection, self.offset = connection, 0

    def take(self, *bodies: bytes, at=AT):
        messages = [StreamMessage(*at, self.offset + n, body) for n, body in enumerate(bodies)]
        begins, self.offset = {at: self.offset}, self.offset + len(bodies)
        write(self.connection, "s", {at: [parse(one) for one in messages]}, begins)

    def ask(self, query: str) -> list:
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    @property
    def senders(self) -> list:
        return self.ask(
            "SELECT source, coalesce(sender_id, event_id) FROM bronze.events ORDER BY 1, 2"
        )

    @property
    def reasons(self) -> list:
        return [row[0] for row in self.ask("SELECT reason FROM quarantine.items ORDER BY id")]

    def empty(self):
        tables = "bronze.offsets, silver.classes, silver.labels, quarantine.items"
        self.ask("ALTER TABLE bronze.events DISABLE TRIGGER append_only; SELECT 1")
        self.ask(f"TRUNCATE bronze.events, {tables}; SELECT 1")
        self.offset = 0


@pytest.fixture
def lake(database):
    with closing(connect(database)) as connection:
        yield Lake(connection)


def labelled(id: str, by: str = "anna", source: str = "/a") -> bytes:  # noqa: A002
    message = example("frame.labelled") | {"id": id, "source": source}
    return json.dumps(message | {"data": message["data"] | {"labelled_by": by}}).encode()


def test_the_same_source_and_id_is_stored_once(lake):
    lake.take(labelled("1"), labelled("1"))
    lake.take(labelled("1"))

    assert lake.senders == [("/a", "1")]
    assert lake.reasons == []


def test_one_id_of_two_sources_are_two_events(lake):
    lake.take(labelled("1", by="anna"), labelled("1", by="bob", source="/b"))

    assert lake.senders == [("/a", "1"), ("/b", "1")]
    assert lake.reasons == []


def test_equal_content_under_two_ids_is_stored_once(lake):
    lake.take(labelled("1"), labelled("2"))
    lake.take(labelled("3", source="/b"))

    assert lake.senders == [("/a", "1")]
    assert lake.reasons == []


@pytest.mark.parametrize("batches", [1, 2])
def test_an_id_with_other_content_is_quarantined_with_its_message(lake, batches):
    first, second = labelled("1"), labelled("1", by="bob")
    for bodies in ([first, second],) if batches == 1 else ([first], [second]):
        lake.take(*bodies)
    lake.take(second)

    ((reason, detail, dataset, message),) = lake.ask(
        "SELECT reason, detail, dataset, message FROM quarantine.items"
    )
    assert (reason, dataset, bytes(message)) == ("id_used_twice", "car-parks", second)
    assert detail.startswith("id 1 of source /a came before with other content, as event ")
    assert lake.ask("SELECT labelled_by FROM silver.labels") == [("anna",)]


def test_the_id_of_an_event_of_ours_with_other_content_is_quarantined(lake):
    ours = event_of(DatasetDeclared(dataset="highway", classes=("car",)), "/a", TIME)
    lake.take(ours.body)
    lake.take(labelled(ours.id))

    assert lake.senders == [("/a", ours.id)]
    assert lake.reasons == ["id_used_twice"]


def test_an_event_of_ours_is_the_same_under_the_id_of_somebody_else(lake):
    ours = event_of(DatasetDeclared(dataset="highway", classes=("car",)), "/a", TIME)
    lake.take(ours.body)
    lake.take(json.dumps(ours.model_dump(mode="json") | {"id": "7", "source": "/b"}).encode())

    assert lake.senders == [("/a", ours.id)]
    assert lake.reasons == []


def test_a_topic_that_was_created_again_may_use_its_offsets_again(lake):
    lake.take(labelled("1"), b"?")
    lake.ask("DELETE FROM bronze.offsets RETURNING 1")
    lake.offset = 0
    lake.take(labelled("2", by="bob"), b"!", b"?")

    assert lake.senders == [("/a", "1"), ("/a", "2")]
    assert lake.reasons == ["not_json"] * 3


def test_attributes_and_headers_are_kept(lake):
    headers = [("ce_specversion", b"1.0"), ("ce_id", b"\xff")]
    lake.take(json.dumps(example("frame.labelled") | {"subject": "x"}).encode())
    write(lake.connection, "s", {AT: [parse(StreamMessage(*AT, 1, b"{}", headers))]}, {AT: 1})

    assert lake.ask("SELECT extensions FROM bronze.events") == [({"subject": "x"},)]
    assert lake.ask("SELECT headers FROM quarantine.items") == [
        ([["ce_specversion", "MS4w"], ["ce_id", "/w=="]],)
    ]


def test_two_ingesters_that_meet_store_each_event_once(lake, database):
    bodies = [labelled(str(n), by=str(n)) for n in range(300)]

    def ingest(partition: int):
        with closing(connect(database)) as connection:
            for first in range(0, 300, 50):
                part = bodies[first : first + 50]
                at = ("frames", partition)
                messages = [StreamMessage(*at, first + n, body) for n, body in enumerate(part)]
                write(connection, "s", {at: [parse(one) for one in messages]}, {at: first})

    threads = [threading.Thread(target=ingest, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(lake.senders) == 300
    assert lake.ask("SELECT count(*) FROM silver.labels") == [(300,)]
    assert lake.ask("SELECT sum(next_offset) FROM bronze.offsets") == [(900,)]
    assert lake.reasons == []


messages = st.lists(
    st.tuples(
        st.sampled_from("12"), st.sampled_from(["anna", "bob", "cleo"]), st.sampled_from("ab")
    ),
    max_size=8,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages, st.data())
def test_batches_however_cut_and_repeated_store_the_same(lake, sent, data):
    bodies = [labelled(id_, by=by, source=source) for id_, by, source in sent]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(bodies)), max_size=3)))
    lake.empty()
    for start, end in zip([0, *cuts], [*cuts, len(bodies)], strict=True):
        if start < end:
            lake.take(*bodies[start:end])
    if bodies:
        lake.take(*bodies)

    senders: dict = {}
    for id_, by, source in sent:
        if by not in senders.values():
            senders.setdefault((source, id_), by)
    kept = lake.ask("SELECT source, sender_id, data->>'labelled_by' FROM bronze.events")
    assert {(source, id_): by for source, id_, by in kept} == senders
    assert set(lake.reasons) <= {"id_used_twice"}
