"""An ingester that is paused, or cut off, keeps others waiting for a bounded time alone."""

import io
import time
from contextlib import closing

import psycopg2
import pytest

from components.data.ingest_events.offsets import lock_offsets, read_offsets
from components.data.ingest_events.trouble import is_outage, sentence
from components.data.ingest_events.write import write
from components.shared.contracts.outages import is_outage as is_outage_of_a_task
from components.shared.store.postgres import connect, end_stalled_copies, limit_waits
from tests.support.parsed_events import AT, batch, label

PAUSE_S = 0.2


@pytest.fixture
def connections(database):
    with closing(connect(database)) as paused, closing(connect(database)) as healthy:
        limit_waits(paused, PAUSE_S)
        yield paused, healthy


class Paused(io.BytesIO):
    """Rows of a COPY that do not come while somebody else does something."""

    def __init__(self, meanwhile):
        super().__init__()
        self._meanwhile = meanwhile

    def read(self, size: int | None = -1) -> bytes:
        time.sleep(2 * PAUSE_S)
        self._meanwhile()
        return b""


def test_one_that_is_paused_between_two_statements_loses_its_locks(connections):
    paused, healthy = connections
    cursor = paused.cursor()
    lock_offsets(cursor, "s", {AT: 0})

    write(healthy, "s", batch(label()), {AT: 0})

    assert read_offsets(healthy, "s") == {AT: 1}
    with pytest.raises(psycopg2.Error) as ended:
        cursor.execute("SELECT 1")
    assert is_outage(ended.value)
    assert is_outage_of_a_task(ended.value)


def test_one_that_is_paused_within_a_copy_loses_its_locks(connections):
    paused, healthy = connections
    cursor = paused.cursor()
    lock_offsets(cursor, "s", {AT: 0})

    def go_on():
        assert end_stalled_copies(healthy, 60) == 0
        assert end_stalled_copies(healthy, PAUSE_S) == 1
        write(healthy, "s", batch(label()), {AT: 0})

    with pytest.raises(psycopg2.OperationalError) as ended:
        cursor.copy_expert("COPY silver.labels FROM STDIN", Paused(go_on))

    assert is_outage(ended.value)
    assert read_offsets(healthy, "s") == {AT: 1}


def test_who_waits_long_for_a_lock_says_so_and_tries_again(connections, monkeypatch):
    holder, waiting = connections
    monkeypatch.setattr("components.shared.store.postgres.LOCK_S", PAUSE_S)
    limit_waits(holder, 60)
    limit_waits(waiting, 60)
    lock_offsets(holder.cursor(), "s", {AT: 0})

    with pytest.raises(Exception, match="lock timeout") as ended:
        write(waiting, "s", batch(label()), {AT: 0})

    assert is_outage(ended.value)
    assert sentence(ended.value) == "canceling statement due to lock timeout"
