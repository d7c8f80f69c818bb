from contextlib import closing

import pytest

from components.data.ingest_events import presence
from components.data.ingest_events.parse import Parsed
from components.data.ingest_events.presence import Patience, StoreFaultError, require_frames
from components.data.ingest_events.write import write
from components.shared.store.objects import Objects, StoreError
from components.shared.store.postgres import connect
from tests.support.parsed_events import AT, batch, frame, read
from tests.support.s3_store import BUCKET, Store


@pytest.fixture
def check(database, object_store):
    """Check readings against a store that holds `there`."""
    objects = Objects(object_store)
    objects.put("there", b"a JPEG")
    with closing(connect(database)) as connection:
        yield lambda readings: require_frames(connection, objects, readings)


def test_a_frame_without_its_bytes_goes_to_quarantine_and_its_neighbour_does_not(
    check, object_store
):
    uris = [f"{object_store}/there", f"{object_store}/gone"]
    readings = [*(read(frame(uri)) for uri in uris), read(b"?")]

    there, gone, unread = check(readings)

    assert isinstance(there, Parsed)
    assert (gone.reason, gone.event_id, gone.dataset) == (
        "bytes_missing", readings[1].event.id, "highway",
    )  # fmt: skip
    assert unread is readings[2]


def test_a_frame_under_a_name_that_no_file_can_have_is_missing(check, object_store):
    uris = [
        f"{object_store}/{key}" for key in ("a" * 300, "é" * 200, "a/" + "b" * 300, "there/below")
    ]

    readings = check([read(frame(uri)) for uri in uris])

    assert [reading.reason for reading in readings] == ["bytes_missing"] * 4


@pytest.fixture
def impatient(monkeypatch):
    """Patience that is over at the first look."""
    monkeypatch.setattr(presence, "EMPTY_STORE_S", 0.0)
    return Patience()


def test_a_store_in_which_nothing_was_ever_stored_is_waited_for_but_not_for_ever(
    connection, object_store, monkeypatch, capsys
):
    objects, strange = Objects(object_store), [read(frame(f"{object_store}/gone"))]
    patience = Patience()
    with pytest.raises(StoreFaultError, match=r"it is empty: .* in 600 s frames go to quarantine"):
        require_frames(connection, objects, strange, patience)
    monkeypatch.setattr(presence, "EMPTY_STORE_S", 0.0)

    for _ in range(2):
        (found,) = require_frames(connection, objects, strange, patience)
        assert found.reason == "bytes_missing"
    assert capsys.readouterr().out.count("is still empty: frames without bytes go to") == 1


def test_a_store_that_lacks_what_was_stored_is_waited_for_without_end(
    connection, object_store, tmp_path, impatient
):
    uri = Objects(object_store).put("there", b"a JPEG")
    write(connection, "s", batch(frame(uri)), {AT: 0})
    unmounted = Objects((tmp_path / "unmounted").as_uri())

    with pytest.raises(StoreFaultError, match="nor any of the 1 stored last"):
        require_frames(connection, unmounted, [read(frame(f"{object_store}/new"))], impatient)


def test_a_bucket_that_does_not_exist_is_waited_for_without_end(connection, monkeypatch, impatient):
    store = Store().open()
    store.has_bucket = False
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    objects = Objects(f"s3://{BUCKET}")

    with pytest.raises(StoreError, match="NoSuchBucket"):
        require_frames(connection, objects, [read(frame(f"s3://{BUCKET}/new"))], impatient)
    store.close()
