from contextlib import closing

import pytest

from components.ingest_events.presence import require_frames
from components.ingest_events.understand import Understood
from components.store.objects import Objects
from components.store.postgres import connect
from tests.components.ingest_events.test_understand import frame, read


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

    assert isinstance(there, Understood)
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
