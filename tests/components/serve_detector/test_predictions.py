import hashlib
import shutil

from components.contracts.events import PREDICTIONS_TOPIC, PredictionMade, parse_event
from components.inference.shelf import Shelf
from tests.components.inference.tiny import jpeg_of, scene
from tests.support.read_topic import read_topic

JPEG = jpeg_of(scene({(1, 2): 0}))


def test_what_is_on_the_shelf_is_served_from_the_start_and_reaches_the_stream(
    start_server, stream, tiny_package, tmp_path
):
    package = tiny_package()
    digest = package.verify().digest
    shelf = Shelf(tmp_path / "models")
    shutil.copytree(package.root, shelf.package("toys", digest))
    shelf.point("toys", digest)
    shelf.point("broken", "f" * 64)
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
