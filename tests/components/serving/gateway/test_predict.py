"""The gateway passes images and tensors to the detector, and its answers back unchanged."""

import numpy as np
import pytest

from components.shared.inference.package_store import PackageStore
from components.shared.vision.jpeg import encode_jpeg
from tests.support.gateway import DATASET

JPEG = encode_jpeg(np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8))
IMAGE = {"Content-Type": "image/jpeg"}
PREDICT = f"{DATASET}/predict"
VARYING = ("request_id", "latency_ms")


@pytest.fixture
def detector_url(server, tiny_package):
    server.put(tiny_package())
    assert server.load().status_code == 200
    assert isinstance(server.package_store, PackageStore)
    return server.url


def same(answer):
    return {name: value for name, value in answer.items() if name not in VARYING}


def test_the_boxes_are_those_of_the_server_alone(gateway, server):
    answer = gateway.client.post(PREDICT, content=JPEG, headers=gateway.key("client") | IMAGE)

    assert answer.status_code == 200
    assert same(answer.json()) == same(server.detect(JPEG).json())


def test_the_client_s_request_id_comes_back(gateway):
    headers = gateway.key("client") | IMAGE | {"X-Request-Id": "mine"}
    answer = gateway.client.post(PREDICT, content=JPEG, headers=headers)

    assert answer.json()["request_id"] == "mine"


def test_each_image_of_a_form_has_its_answer_or_its_error(gateway):
    files = [("images", (name, jpeg)) for name, jpeg in (("a", JPEG), ("b", b"no"), ("c", JPEG))]
    images = gateway.client.post(PREDICT, files=files, headers=gateway.key("client")).json()

    assert [(one["name"], one["status"]) for one in images["images"]] == [
        ("a", 200), ("b", 422), ("c", 200)
    ]  # fmt: skip
    assert images["images"][1]["error"].startswith("not_a_jpeg: begins with")


def test_what_the_detector_refuses_is_refused_with_its_sentence(gateway, server):
    answer = gateway.client.post(PREDICT, content=b"no", headers=gateway.key("client") | IMAGE)

    assert (answer.status_code, answer.json()) == (422, server.detect(b"no").json())


@pytest.mark.parametrize("path", [PREDICT, "/v2/models/toys/infer"])
def test_tensors_of_the_open_inference_protocol_pass(gateway, server, path):
    (entry,) = server.client.get("/v2/models/toys").json()["inputs"]
    shape = [1, *entry["shape"][1:]]
    tensor = {
        "name": entry["name"], "datatype": entry["datatype"], "shape": shape,
        "data": np.zeros(shape).ravel().tolist(),
    }  # fmt: skip
    answer = gateway.client.post(path, json={"inputs": [tensor]}, headers=gateway.key("client"))
    alone = server.client.post("/v2/models/toys/infer", json={"inputs": [tensor]})

    assert answer.status_code == 200
    assert answer.json()["outputs"] == alone.json()["outputs"]


class TestAway:
    """Without a detector."""

    @pytest.fixture
    def detector_url(self):
        return "http://127.0.0.1:9"

    def test_a_detector_that_is_away_is_said_to_be(self, gateway):
        answer = gateway.client.post(PREDICT, content=JPEG, headers=gateway.key("client") | IMAGE)

        assert (answer.status_code, answer.json()) == (502, {"error": "the server does not answer"})
