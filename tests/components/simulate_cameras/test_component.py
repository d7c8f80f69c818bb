from kafka import TopicPartition

from components.__main__ import main
from components.contracts.events import FRAMES_TOPIC, parse_event
from components.store.objects import Objects
from components.store.stream import consumer


def said(stream):
    """Return all events of a stream."""
    reader = consumer(stream)
    partitions = [
        TopicPartition(FRAMES_TOPIC, p) for p in reader.partitions_for_topic(FRAMES_TOPIC)
    ]
    reader.assign(partitions)
    reader.seek_to_beginning(*partitions)
    wanted, found = sum(reader.end_offsets(partitions).values()), []
    while len(found) < wanted:
        for records in reader.poll(1000).values():
            found += [parse_event(record.value)[1] for record in records]
    reader.close()
    return found


def test_the_wrapper_runs_by_hand(stream, object_store, monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", stream)
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)

    frames = main(["simulate_cameras", "--frames", "2", "--cameras", "1", "--days", "1"])
    events = said(stream)
    objects = Objects(object_store)

    assert frames == 2
    assert sorted(event.TYPE for event in events) == [
        "dataset.declared", "frame.captured", "frame.captured", "frame.labelled", "frame.labelled",
    ]  # fmt: skip
    assert all(objects.get(objects.key(e.uri)) for e in events if e.TYPE == "frame.captured")
