import json
import random
import string

import pytest

from components.data.ingest_events.offsets import anchor_of, read_offsets, skip_lost
from components.data.ingest_events.parse import StreamMessage
from components.data.ingest_events.write import write
from components.shared.contracts.events import (
    DatasetDeclared,
    FrameCaptured,
    FrameRefused,
)
from components.shared.contracts.messages import event_of
from components.shared.contracts.values import MAX_CLASSES
from tests.support.parsed_events import AT, TIME, batch, count, label, rows

LONG = "".join(random.Random(0).choices(string.printable, k=9000))


def declared(*classes: str) -> bytes:
    return event_of(DatasetDeclared(dataset="highway", classes=classes), "/tests", TIME).body


def refused(name: str = "a.jpg", reason: str = "undecodable") -> bytes:
    data = FrameRefused(dataset="highway", source_name=name, reason=reason, detail="it is broken")
    return event_of(data, "/tests", TIME).body


def test_a_batch_and_its_offset_are_stored_together(connection):
    assert write(connection, "s", batch(label(), b"?", refused()), {AT: 0}) == {AT: 3}

    assert read_offsets(connection, "s") == {AT: 3}
    assert count(connection, "bronze.events") == 2
    assert count(connection, "silver.labels") == 1
    assert rows(connection, "SELECT source_name, reason FROM quarantine.items ORDER BY 1") == [
        ("a.jpg", "undecodable"),
        ("frames/0/1", "not_json"),
    ]


def test_the_last_message_is_kept_with_the_offset_so_that_the_log_is_known_again(connection):
    write(connection, "s", batch(label(), b"?"), {AT: 0})

    assert skip_lost(connection, "s", AT, 0).anchor == anchor_of(StreamMessage(*AT, 1, b"?"))


def test_a_batch_that_is_written_twice_is_there_once(connection):
    for _ in range(2):
        write(connection, "s", batch(label(), b"?", refused()), {AT: 0})

    assert read_offsets(connection, "s") == {AT: 3}
    assert count(connection, "bronze.events") == 2
    assert count(connection, "quarantine.items") == 2


def test_an_overlapping_batch_adds_only_what_is_new(connection):
    write(connection, "s", batch(label(), label("bus")), {AT: 0})
    write(connection, "s", batch(label("bus"), label("van"), b"?", begin=1), {AT: 0})

    assert read_offsets(connection, "s") == {AT: 4}
    assert count(connection, "bronze.events") == 3


def test_a_replayed_event_changes_nothing_but_the_offset(connection):
    write(connection, "first life", batch(label(), refused()), {AT: 0})
    before = rows(connection, "SELECT * FROM bronze.events ORDER BY event_id")

    write(connection, "second life", batch(refused(), label(), label()), {AT: 0})

    assert rows(connection, "SELECT * FROM bronze.events ORDER BY event_id") == before
    assert count(connection, "quarantine.items") == 1
    assert read_offsets(connection, "second life") == {AT: 3}


def test_a_partition_that_was_turned_back_is_read_from_there(connection):
    write(connection, "s", batch(label(), b"?", begin=10), {AT: 10})
    rows(connection, "UPDATE bronze.offsets SET next_offset = 5 RETURNING 1")

    assert write(connection, "s", batch(b"!", begin=12), {AT: 12}) == {AT: 5}
    assert count(connection, "quarantine.items") == 1


def test_classes_keep_their_positions_and_new_ones_come_after(connection):
    write(connection, "s", batch(declared("car", "bus"), declared("van", "bus", "van")), {AT: 0})
    write(connection, "s", batch(declared("van", "car", "lorry"), begin=2), {AT: 2})

    assert rows(connection, "SELECT label FROM silver.classes ORDER BY position") == [
        ("car",), ("bus",), ("van",), ("lorry",),
    ]  # fmt: skip
    assert rows(connection, "SELECT min(position), max(position) FROM silver.classes") == [(0, 3)]


def test_a_dataset_has_a_bounded_number_of_classes(connection):
    first, more = [f"a{n}" for n in range(MAX_CLASSES - 1)], ["b", "c"]

    write(connection, "s", batch(declared(*first), declared(*more), declared("b")), {AT: 0})

    assert count(connection, "silver.classes") == MAX_CLASSES
    assert rows(connection, "SELECT source_name, reason, detail FROM quarantine.items") == [
        (
            "highway",
            "too_many_classes",
            "with these the dataset would have 2001 classes, expected at most 2000: none was added",
        )
    ]


@pytest.mark.parametrize(
    "poison",
    [
        refused("nul @ in a name").replace(b"@", b"\\u0000"),
        refused(reason="@").replace(b'"@"', json.dumps(LONG).encode()),
        label().replace(b'"width":99', b'"width":99' + b"0" * 12),
    ],
    ids=["NUL in a text", "too long for an index", "altered"],
)
def test_what_cannot_be_stored_goes_to_quarantine_alone(connection, poison):
    good = [label(str(n)) for n in range(9)]

    write(connection, "s", batch(*good[:4], poison, *good[4:]), {AT: 0})

    assert count(connection, "bronze.events") == 9
    ((reason, message),) = rows(connection, "SELECT reason, message FROM quarantine.items")
    assert reason == "bad_data"
    assert bytes(message) == poison


def test_of_two_labels_of_one_instant_the_later_counts(connection):
    frame = FrameCaptured(
        dataset="highway", sha256="a" * 64, uri="file:///a", width=99, height=99, size_bytes=1,
        camera="north", captured_at=TIME, source_name="a.jpg", group="north",
    )  # fmt: skip
    labels = [label(x_max=x_max) for x_max in (5.0, 7.0, 6.0, 7.0)]  # the last is a replay

    write(connection, "s", batch(event_of(frame, "/tests", TIME).body, *labels), {AT: 0})

    ((boxes,),) = rows(connection, "SELECT boxes FROM gold.labelled_frames")
    assert boxes[0]["x_max"] == 6.0


def captured(group: str, split: str | None) -> bytes:
    data = FrameCaptured(
        dataset="highway", sha256="a" * 64, uri="file:///a.jpg", width=99, height=99, size_bytes=9,
        camera="north", captured_at=TIME, source_name="a.jpg", group=group, split=split,
    )  # fmt: skip
    return event_of(data, "/tests", TIME).body


def test_a_frame_told_otherwise_stays_where_it_was_and_is_not_lost(connection):
    bodies = (captured("clip", "train"), captured("clip", "test"), captured("clip", "train"))

    write(connection, "s", batch(*bodies), {AT: 0})

    assert rows(connection, "SELECT split FROM silver.frames") == [("train",)]
    assert rows(connection, "SELECT source_name, reason, detail FROM quarantine.items") == [
        (
            "a.jpg",
            "frame_told_otherwise",
            "it stays in group clip, split train, as it came first; "
            "now told group clip, split test",
        )
    ]


def test_messages_that_kafka_lost_leave_a_record(connection):
    write(connection, "s", batch(label()), {AT: 0})

    for _ in range(2):
        skip_lost(connection, "s", AT, 50)

    assert rows(connection, "SELECT reason, detail FROM quarantine.items") == [
        ("lost_by_retention", "49 messages were deleted before they were ingested")
    ]
    assert read_offsets(connection, "s") == {AT: 50}
