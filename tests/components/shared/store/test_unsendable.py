"""What cannot be stored is refused where it is sent, by name; its neighbours are sent."""

from datetime import UTC, datetime

import pytest

from components.shared.contracts.annotation import Box
from components.shared.contracts.events import FRAMES_TOPIC, FrameRefused
from components.shared.contracts.messages import parse_event
from components.shared.contracts.record import RecordError
from components.shared.store.frames import Frame, FrameSender
from components.shared.store.objects import Objects
from tests.support.read_topic import read_topic

TIME = datetime(2024, 5, 1, tzinfo=UTC)
MANY = tuple(Box(x_min=1, y_min=1, x_max=40, y_max=30, label="car" * 50) for _ in range(5_000))
UNSENDABLE = {
    "group": ({"group": "g" * 601}, "frame.captured: group: String should have at most 600"),
    "camera": ({"camera": "a\0"}, "frame.captured: camera: a text holds U.0000"),
    "name": ({"source_name": "\udcff.jpg"}, "frame.captured: source_name: Input should be a valid"),
    "year 1": ({"captured_at": datetime(1, 1, 1, tzinfo=UTC)}, "captured_at: Input should be gre"),
    "year 9999": ({"captured_at": datetime(9999, 12, 31, tzinfo=UTC)}, "captured_at: Input should"),
    "large label": (
        {"boxes": MANY},
        "frame.labelled has 1,[0-9,]* bytes, expected at most 1,000,000",
    ),
    "20,000 boxes": ({"boxes": MANY * 2 + MANY[:2]}, "boxes: Tuple should have at most 5000 item"),
}


def frame(**changed) -> Frame:
    fields = {
        "jpeg": b"jpeg", "width": 64, "height": 48, "camera": "gate", "captured_at": TIME,
        "source_name": "a.jpg", "group": "gate", "boxes": (),
    }  # fmt: skip
    return Frame(**fields | changed)


@pytest.fixture
def sender(stream, object_store):
    objects = Objects(object_store)
    about = {"dataset": "highway", "source": "/tests", "labelled_by": "me", "tool": "test"}
    with FrameSender.connect(objects, stream, **about) as sender:
        yield sender


def test_each_unsendable_frame_is_refused_by_name_and_the_next_one_is_sent(sender, stream):
    for changed, sentence in UNSENDABLE.values():
        with pytest.raises(RecordError, match=sentence):
            sender.send(frame(**changed))
    sender.send(frame())
    sender.producer.flush()

    kinds = sorted(parse_event(message)[1].TYPE for message in read_topic(stream, FRAMES_TOPIC))
    assert kinds == ["frame.captured", "frame.labelled"]


@pytest.mark.parametrize("name", ["nul \0", "\udcff", "c" * 601])
def test_a_dataset_with_an_unstorable_class_is_refused(sender, name):
    with pytest.raises(RecordError, match=r"^dataset.declared: classes\.1: "):
        sender.declare(["car", name], TIME)


def test_a_refusal_of_any_text_is_sent_with_what_can_be_stored_of_it(sender, stream):
    sender.refuse("\udcff\0.jpg", "undecodable", "x" * 3_000, b"", TIME)
    sender.producer.flush()

    (message,) = read_topic(stream, FRAMES_TOPIC)
    refused = parse_event(message)[1]
    assert isinstance(refused, FrameRefused)
    assert refused.source_name == "\ufffd\ufffd.jpg"
    assert refused.detail == "x" * 1_999 + "…"
