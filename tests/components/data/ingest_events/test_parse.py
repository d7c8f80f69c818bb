from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.data.ingest_events.parse import (
    Parsed,
    Rejected,
)
from components.data.ingest_events.rows import COLUMNS, rows_of
from components.shared.contracts.events import DatasetDeclared
from components.shared.contracts.messages import event_of
from components.shared.contracts.record import canonical
from tests.support.parsed_events import frame, read

TIME = datetime(2024, 5, 1, tzinfo=UTC)
EVENT = event_of(DatasetDeclared(dataset="highway", classes=("car",)), "/tests", TIME)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_have_a_reason_and_one_row(body):
    reading = read(body)

    assert isinstance(reading, Rejected)
    assert [table for table, _ in rows_of("s", reading)] == ["quarantine.items"]


@settings(deadline=None)
@given(st.integers(0, len(EVENT.body) - 1))
def test_a_truncated_event_is_rejected(length):
    assert isinstance(read(EVENT.body[:length]), Rejected)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "frame.sold"}, "unknown_type"),
        ({"id": ""}, "not_an_event"),
        ({"data": {"dataset": "highway"}}, "bad_data"),
        ({"specversion": "0.3"}, "not_an_event"),
    ],
    ids=["type", "id", "data", "version"],
)
def test_an_event_that_was_tampered_with_has_its_reason(changes, reason):
    body = canonical(EVENT.model_dump(mode="json") | changes).encode()

    assert read(body).reason == reason


def test_an_event_is_parsed():
    assert isinstance(read(EVENT.body), Parsed)


def test_an_id_that_is_not_our_digest_is_the_senders():
    body = canonical(EVENT.model_dump(mode="json") | {"id": "0" * 64}).encode()

    reading = read(body)

    assert (reading.event.id, reading.event_id) == ("0" * 64, EVENT.id)


def test_whatever_reading_a_message_raises_is_a_reason(monkeypatch):
    def fail(*_):
        raise RecursionError("too deep")

    monkeypatch.setattr("components.data.ingest_events.parse.parse_event", fail)

    assert (read(b"{}").reason, read(b"{}").detail) == ("unreadable", "RecursionError: too deep")


def test_every_row_has_a_value_for_each_column():
    for reading in (read(EVENT.body), read(frame("file:///x")), read(b"?")):
        for table, row in rows_of("s", reading):
            assert len(row) == COLUMNS[table].count(",") + 1
