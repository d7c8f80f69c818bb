import hashlib
import shutil
import tracemalloc
from datetime import UTC, datetime

import pytest

from components.serving.serve_detector.metrics import LOST
from components.serving.serve_detector.predictions import MAX_WAITING_BYTES, PredictionLog, size_of
from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.events import PREDICTIONS_TOPIC, PredictionMade
from components.shared.contracts.messages import parse_event
from components.shared.inference.package_store import PackageStore
from tests.support.read_topic import read_topic
from tests.support.tiny_packages import jpeg_of, scene

JPEG = jpeg_of(scene({(1, 2): 0}))


def test_what_is_on_the_shelf_is_served_from_the_start_and_reaches_the_stream(
    start_server, stream, tiny_package, tmp_path
):
    package = tiny_package()
    digest = package.verify().digest
    package_store = PackageStore(tmp_path / "models")
    shutil.copytree(package.root, package_store.package("toys", digest))
    package_store.set_current("toys", digest)
    package_store.set_current("broken", "f" * 64)
    server = start_server(KAFKA_BOOTSTRAP_SERVERS=stream)
    for number in range(20):
        server.detect(JPEG, **{"X-Camera": "gate", "X-Request-Id": f"r{number}"})
    server.detect(JPEG, **{"X-Log": "no"})

    neighbour = server.detect(JPEG, "broken").status_code
    code = server.stop()
    predictions = [parse_event(message)[1] for message in read_topic(stream, PREDICTIONS_TOPIC)]

    assert (neighbour, code) == (404, 0)
    assert sorted(p.request_id for p in predictions) == sorted(f"r{n}" for n in range(20))
    assert {type(p) for p in predictions} == {PredictionMade}
    assert {(p.dataset, p.camera, p.model, p.sha256) for p in predictions} == {
        ("toys", "gate", digest, hashlib.sha256(JPEG).hexdigest())
    }


def prediction(boxes):
    found = tuple(
        ScoredBox(x_min=n / 7, y_min=n / 7, x_max=n + 1.1, y_max=n + 1.3, label="car", score=0.3)
        for n in range(boxes)
    )
    return PredictionMade(
        dataset="toys", sha256="0" * 64, request_id=f"r{boxes}", camera="gate", model="1" * 64,
        width=640, height=480, boxes=found, latency_ms=1.5, predicted_at=datetime.now(UTC),
    )  # fmt: skip


@pytest.mark.parametrize("boxes", [0, 10, 300])
def test_a_prediction_takes_no_more_memory_than_is_counted(boxes):
    prediction(boxes)
    tracemalloc.start()
    kept = [prediction(boxes) for _ in range(5)]
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert taken <= sum(map(size_of, kept))


def test_while_the_stream_is_away_predictions_take_a_bounded_number_of_bytes():
    log, large = PredictionLog("127.0.0.1:9"), prediction(300)
    fitting = MAX_WAITING_BYTES // size_of(large)
    before = LOST._value.get()
    for _ in range(fitting + 5):
        log.add(large)
    lost = LOST._value.get() - before
    log.close()

    assert lost == 5
