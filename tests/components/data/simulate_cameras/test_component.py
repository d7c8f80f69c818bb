from components.__main__ import main
from components.shared.contracts.events import FRAMES_TOPIC
from components.shared.contracts.messages import parse_event
from components.shared.store.objects import Objects
from tests.support.read_topic import read_topic


def test_the_wrapper_runs_by_hand(stream, object_store, monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", stream)
    monkeypatch.setenv("OBJECT_STORE_URL", object_store)

    frames = main(["simulate_cameras", "--frames", "2", "--cameras", "1", "--days", "1"])
    events = [parse_event(message)[1] for message in read_topic(stream, FRAMES_TOPIC)]
    objects = Objects(object_store)

    assert frames == 2
    assert sorted(event.TYPE for event in events) == [
        "dataset.declared", "frame.captured", "frame.captured", "frame.labelled", "frame.labelled",
    ]  # fmt: skip
    assert all(objects.get(objects.key(e.uri)) for e in events if e.TYPE == "frame.captured")
