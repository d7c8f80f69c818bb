"""A frame whose bytes were missing is stored once they are there, by a command."""

from contextlib import closing

import pytest

from components.__main__ import main
from components.data.ingest_events.presence import require_frames
from components.data.ingest_events.retry import Retried, retry_missing
from components.data.ingest_events.write import write
from components.shared.contracts.errors import OutageError
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect
from pipelines.local.database import as_role
from tests.support.parsed_events import AT, batch, count, frame, rows


@pytest.fixture
def connection(database):
    with closing(connect(as_role(database, "car_ingest"))) as connection:
        yield connection


@pytest.fixture
def objects(object_store):
    objects = Objects(object_store)
    objects.put("another", b"bytes")
    return objects


def take(connection, objects, *keys: str) -> None:
    """Ingest a frame of each key."""
    read = batch(*(frame(objects.uri(key)) for key in keys))
    checked = {at: require_frames(connection, objects, readings) for at, readings in read.items()}
    write(connection, "s", checked, {AT: 0})


def test_what_is_there_now_is_stored_and_leaves_quarantine(connection, objects, database):
    take(connection, objects, "one", "two")
    objects.put("one", b"a JPEG")

    assert retry_missing(connection, objects) == Retried(stored=1, missing=1)
    assert rows(connection, "SELECT uri FROM silver.frames") == [(objects.uri("one"),)]
    assert count(connection, "quarantine.items") == 1
    assert retry_missing(connection, objects) == Retried(stored=0, missing=1)


def test_a_frame_that_is_sent_again_meanwhile_is_stored_once(connection, objects):
    take(connection, objects, "one")
    objects.put("one", b"a JPEG")
    write(connection, "other", batch(frame(objects.uri("one"))), {AT: 0})

    retry_missing(connection, objects)

    assert count(connection, "bronze.events") == 1
    assert count(connection, "quarantine.items") == 0


def test_the_command_says_what_it_did(connection, objects, database, monkeypatch, capsys):
    take(connection, objects, "one")
    objects.put("one", b"a JPEG")
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("OBJECT_STORE_URL", objects.url)

    main(["ingest_events", "--retry-missing"])

    said = capsys.readouterr().out
    assert "1 frames are stored now, the bytes of 0 are missing" in said


def test_a_wrong_store_is_one_sentence_and_changes_nothing(
    connection, objects, database, monkeypatch, tmp_path
):
    take(connection, objects, "one")
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("OBJECT_STORE_URL", (tmp_path / "not mounted").as_uri())

    with pytest.raises(OutageError, match=r"holds none of 1 new frames, it is empty: .*mounted\?$"):
        main(["ingest_events", "--retry-missing"])
    assert count(connection, "quarantine.items") == 1
