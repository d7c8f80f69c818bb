import hashlib
import shutil

from kafka import TopicPartition

from components.contracts.events import PREDICTIONS_TOPIC, PredictionMade, parse_event
from components.inference.shelf import Shelf
from components.store.stream import consumer, end_offsets
from tests.components.inference.tiny import jpeg_of, scene

JPEG = jpeg_of(scene({(1, 2): 0}))


def messages(servers):
    """Everything that is on the predictions topic."""
    reader = consumer(servers)
    ends = end_offsets(reader, [PREDICTIONS_TOPIC])
    reader.assign([TopicPartition(*at) for at in ends])
    reader.seek_to_beginning()
    found = []
    while len(found) < sum(ends.values()):
        for batch in reader.poll(500).values():
            found += [message.value for message in batch]
    reader.close()
    return found


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
    predictions = [parse_event(message)[1] for message in messages(stream)]

    assert (neighbour, code) == (404, 0)
    assert sorted(p.request_id for p in predictions) == sorted(f"r{n}" for n in range(20))
    assert {type(p) for p in predictions} == {PredictionMade}
    assert {(p.dataset, p.camera, p.model, p.sha256) for p in predictions} == {
        ("toys", "gate", digest, hashlib.sha256(JPEG).hexdigest())
    }
