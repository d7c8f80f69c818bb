"""A sender against a real object store, a real stream and a real HTTP server."""

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from components.shared.contracts.annotation import AnnotationError, Box
from components.shared.contracts.errors import JobError, OutageError
from components.shared.contracts.events import FRAMES_TOPIC
from components.shared.contracts.messages import parse_event
from components.shared.store.frames import Frame, FrameSender
from components.shared.store.objects import Objects, digest_bytes, frame_key

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
WHO = {"dataset": "car-parks", "source": "/tests", "labelled_by": "a person", "tool": "tests"}
CAR = Box(x_min=1, y_min=2, x_max=30, y_max=40, label="car")


class KeptStream:
    """A stream that is a list, so that what was published and when can be read back."""

    def __init__(self):
        self.messages = []
        self.closed = False

    def send(self, topic, key, value):
        self.messages.append((topic, key, parse_event(value)[1]))

    def close(self, timeout=None):
        self.closed = True

    @property
    def data(self):
        return [data for _, _, data in self.messages]


class Detector(BaseHTTPRequestHandler):
    """A server that is not ready at first, then answers."""

    def do_POST(self):
        jpeg = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), jpeg))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps({"boxes": []}).encode())

    def log_message(self, *arguments):
        pass


@pytest.fixture
def detector():
    with HTTPServer(("127.0.0.1", 0), Detector) as server:
        server.asked, server.statuses = [], []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def frame(**changes):
    fields = {
        "jpeg": b"a jpeg", "width": 64, "height": 48, "camera": "north-gate", "captured_at": NOW,
        "source_name": "one.jpg", "group": "north-gate/2026-01-05",
    }  # fmt: skip
    return Frame(**{**fields, **changes})


def sent(object_store, *frames, endpoint=""):
    stream = KeptStream()
    with FrameSender(Objects(object_store), stream, endpoint=endpoint, **WHO) as sender:
        for one in frames:
            sender.send(one)
    return stream


def url(server):
    return f"http://127.0.0.1:{server.server_port}"


def test_the_bytes_lie_where_the_event_says(object_store):
    (captured,) = sent(object_store, frame()).data
    objects = Objects(object_store)

    assert objects.get(objects.key(captured.uri)) == b"a jpeg"
    assert captured.uri == objects.uri(frame_key(digest_bytes(b"a jpeg")))


def test_a_frame_nobody_looked_at_has_no_label(object_store):
    assert [data.TYPE for data in sent(object_store, frame()).data] == ["frame.captured"]


def test_an_empty_scene_is_labelled_as_empty(object_store):
    _, labelled = sent(object_store, frame(boxes=())).data

    assert labelled.boxes == ()


def test_a_label_names_who_and_when(object_store):
    _, labelled = sent(object_store, frame(boxes=(CAR,))).data

    assert (labelled.labelled_by, labelled.tool, labelled.labelled_at) == ("a person", "tests", NOW)


def test_events_of_one_frame_stay_in_order_by_their_key(object_store):
    messages = sent(object_store, frame(boxes=(CAR,))).messages
    digest = digest_bytes(b"a jpeg").encode()

    assert [(topic, key) for topic, key, _ in messages] == [(FRAMES_TOPIC, digest)] * 2


def test_a_box_outside_sends_nothing_at_all(object_store):
    stream = KeptStream()
    outside = CAR.model_copy(update={"x_max": 65})

    with (
        FrameSender(Objects(object_store), stream, **WHO) as sender,
        pytest.raises(AnnotationError, match="outside 0 to 64"),
    ):
        sender.send(frame(boxes=(outside,)))

    assert stream.data == []
    assert not Objects(object_store).exists(frame_key(digest_bytes(b"a jpeg")))


def test_what_is_refused_is_kept(object_store):
    stream = KeptStream()
    with FrameSender(Objects(object_store), stream, **WHO) as sender:
        sender.refuse("bad.jpg", "undecodable", "it is text", b"hello", NOW)
    (refused,) = stream.data

    assert refused.uri == Objects(object_store).uri(f"quarantine/{digest_bytes(b'hello')}")
    assert Objects(object_store).get(f"quarantine/{digest_bytes(b'hello')}") == b"hello"


def test_what_has_no_bytes_is_refused_without_an_address(object_store):
    stream = KeptStream()
    with FrameSender(Objects(object_store), stream, **WHO) as sender:
        sender.refuse("labels.csv, line 3", "unreadable", "no number", b"", NOW)

    assert stream.data[0].uri is None


def test_leaving_closes_the_stream(object_store):
    assert sent(object_store).closed


def test_the_server_gets_the_frame_as_a_camera_sends_it(object_store, detector):
    sent(object_store, frame(camera="Tür 1"), endpoint=url(detector))
    ((path, headers, jpeg),) = detector.asked

    assert (path, jpeg) == ("/v1/detect/car-parks", b"a jpeg")
    assert (headers["Content-Type"], headers["X-Camera"]) == ("image/jpeg", "T%C3%BCr%201")


def test_asking_again_is_the_same_request(object_store, detector):
    for _ in range(2):
        sent(object_store, frame(), endpoint=url(detector))
    first, second = (headers["X-Request-Id"] for _, headers, _ in detector.asked)

    assert first == second


def test_a_server_that_is_not_ready_is_asked_again(object_store, detector):
    detector.statuses = [503]
    sent(object_store, frame(), endpoint=url(detector))

    assert len(detector.asked) == 2


def test_a_server_that_will_not_have_it_is_named(object_store, detector):
    detector.statuses = [404]

    with pytest.raises(JobError, match=r"refused one.jpg: 404"):
        sent(object_store, frame(), endpoint=url(detector))


def test_a_server_that_is_not_there_is_named(object_store, monkeypatch):
    monkeypatch.setattr("components.shared.store.frames._post.retry.stop", lambda state: True)

    with pytest.raises(OutageError, match="does not answer"):
        sent(object_store, frame(), endpoint="http://127.0.0.1:9")


def test_a_real_stream_takes_all_of_it(object_store, stream):
    with FrameSender.connect(Objects(object_store), stream, **WHO) as sender:
        sender.declare(("car",), NOW)
        digest = sender.send(frame(boxes=(CAR,)))

    assert digest == digest_bytes(b"a jpeg")
