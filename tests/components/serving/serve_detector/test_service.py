import threading
from io import BytesIO

import pytest
from PIL import ExifTags, Image

from components.shared.contracts.model import DetectAnswer, PackageLayout, Postprocessing
from components.shared.inference.detector import Detector
from components.shared.traffic.scrape import request_metrics_of
from components.training.export_onnx.onnx_nms import with_suppression
from tests.support.tiny_packages import jpeg_of, scene, seal

JPEG = jpeg_of(scene({(1, 2): 0}))
Turn = Image.Transpose
# How an upright picture is stored that EXIF says to turn back: the inverse of each orientation.
STORED = {
    2: Turn.FLIP_LEFT_RIGHT, 3: Turn.ROTATE_180, 4: Turn.FLIP_TOP_BOTTOM, 5: Turn.TRANSPOSE,
    6: Turn.ROTATE_90, 7: Turn.TRANSVERSE, 8: Turn.ROTATE_270,
}  # fmt: skip


@pytest.fixture
def served(server, tiny_package):
    """The server, answering for `toys` with a package."""
    package = tiny_package()
    server.put(package)
    assert server.load().json() == {"name": "toys", "load": True}
    return server, package


def test_a_jpeg_is_answered_as_the_package_answers_it(served):
    server, package = served
    detector = Detector.open(package.root)

    answer = DetectAnswer.model_validate_json(server.detect(JPEG, **{"X-Request-Id": "a1"}).content)

    assert answer.boxes == detector.detect_jpeg(JPEG)
    assert (answer.model, answer.dataset, answer.request_id) == (detector.digest, "toys", "a1")
    assert (answer.width, answer.height) == (64, 64)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_width_and_height_refer_to_the_upright_picture(served, orientation):
    cells = dict.fromkeys([(0, 2), (1, 2), (0, 3), (1, 3)], 0)
    upright = Image.open(BytesIO(jpeg_of(scene(cells, columns=4, rows=8))))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored = BytesIO()
    turned = upright if orientation == 1 else upright.transpose(STORED[orientation])
    turned.save(stored, "JPEG", quality=95, subsampling=0, exif=exif)

    answer = served[0].detect(stored.getvalue()).json()

    (box,) = answer["boxes"]
    assert (answer["width"], answer["height"]) == (64, 128)
    assert [box[edge] for edge in ("x_min", "y_min", "x_max", "y_max")] == [0, 32, 32, 64]


def test_datasets_live_side_by_side(served, tiny_package):
    server, _ = served
    buses = server.put(tiny_package(dataset="buses", classes=("bus",)), "buses")
    server.load("buses")

    answers = [server.detect(JPEG, name).json() for name in ("toys", "buses")]

    assert [answer["boxes"][0]["label"] for answer in answers] == ["car", "bus"]
    assert answers[1]["model"] == buses


@pytest.mark.parametrize("changed", ["model.onnx", "golden.jsonl", "package.json"])
def test_a_package_with_one_changed_byte_is_refused_and_the_old_one_stays(
    served, tiny_package, changed
):
    server, package = served
    digest = server.put(tiny_package(shift=3))
    file = server.package_store.package("toys", digest) / changed
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)

    refused = server.load()
    answer = server.detect(JPEG).json()

    assert 400 <= refused.status_code < 500
    assert refused.json()["error"]
    assert answer["model"] == package.verify().digest


def test_a_package_that_answers_its_golden_pictures_otherwise_is_refused(served, tiny_package):
    server, package = served
    lying = tiny_package(shift=5)
    PackageLayout(lying.root).golden.write_text((package.golden).read_text())
    seal(lying, "toys", ("car",))
    server.put(lying)

    refused = server.load()

    assert refused.status_code == 422
    assert "is answered differently: no car at 0, 0 to 16, 16" in refused.json()["error"]


def test_models_are_exchanged_under_load_without_a_failed_request(served, tiny_package):
    server, package = served
    digests = {package.verify().digest, server.put(tiny_package(shift=2))}
    statuses, seen, over = [], set(), threading.Event()

    def burst():
        while not over.is_set():
            answer = server.detect(JPEG)
            statuses.append(answer.status_code)
            seen.add(answer.json().get("model"))

    clients = [threading.Thread(target=burst) for _ in range(4)]
    for client in clients:
        client.start()
    for digest in sorted(digests) * 5:
        server.package_store.set_current("toys", digest)
        server.load().raise_for_status()
    over.set()
    for client in clients:
        client.join()

    assert set(statuses) == {200}
    assert seen == digests


@pytest.mark.parametrize(
    ("body", "headers", "status", "complaint"),
    [
        (b"GIF89a", {}, 422, "not_a_jpeg"),
        (b"", {}, 422, "not_a_jpeg"),
        (JPEG[:-40], {}, 422, "undecodable"),
        (JPEG, {"Content-Type": "image/png"}, 415, "expected image/jpeg"),
        (JPEG, {"X-Camera": "x" * 300}, 400, "x-camera"),
        (b"\xff" * 10_000_001, {}, 413, "expected at most 10,000,000 bytes"),
        (iter([b"\xff" * 6_000_000] * 2), {}, 413, "expected at most 10,000,000 bytes"),
    ],
    ids=["gif", "nothing", "truncated", "type", "header", "too large", "too large in chunks"],
)
def test_bad_requests_are_told_what_is_wrong(served, body, headers, status, complaint):
    answer = served[0].detect(body, **headers)

    assert answer.status_code == status
    assert complaint in answer.json()["error"]


@pytest.mark.parametrize("name", ["nobody", "..", "%2e%2e%2fetc", "UPPER"])
def test_an_unknown_model_is_not_found(server, name):
    assert server.detect(JPEG, name).status_code == 404
    assert server.load(name).status_code in (404, 422)


def test_the_protocol_tells_what_goes_in_and_out(served):
    metadata = served[0].client.get("/v2/models/toys").json()

    assert metadata["inputs"] == [{"name": "images", "datatype": "FP32", "shape": [-1, 3, 64, 64]}]
    assert [output["name"] for output in metadata["outputs"]] == ["boxes", "scores", "embedding"]


def tensors(shape=(2, 3, 64, 64), name="images", datatype="FP32"):
    count = 1
    for length in shape:
        count *= length
    return {
        "inputs": [{"name": name, "shape": shape, "datatype": datatype, "data": [0.75] * count}]
    }


def test_tensors_go_in_and_out_by_the_open_inference_protocol(served):
    server, package = served

    answer = server.client.post("/v2/models/toys/infer", json=tensors()).json()

    boxes, scores, embedding = answer["outputs"]
    assert answer["model_version"] == package.verify().digest
    assert (boxes["shape"], scores["shape"], embedding["shape"]) == (
        [2, 16, 4],
        [2, 16, 1],
        [2, 3],
    )
    assert scores["data"] == pytest.approx([0.5] * 32)


def test_a_package_with_suppression_inside_gives_what_is_left_too(served, tiny_package):
    server, package = served
    inside = tiny_package()
    inside.model.write_bytes(with_suppression(package.model.read_bytes(), Postprocessing()))
    seal(inside, "toys", ("car",), suppression="inside")
    before = server.detect(JPEG).json()["boxes"]

    server.put(inside)
    server.load()
    answer = server.client.post("/v2/models/toys/infer", json=tensors((1, 3, 64, 64))).json()

    assert server.detect(JPEG).json()["boxes"] == before
    assert [(o["name"], o["datatype"], o["shape"]) for o in answer["outputs"][3:]] == [
        ("found_boxes", "FP32", [1, 16, 4]),
        ("found_scores", "FP32", [1, 16]),
        ("found_classes", "INT64", [1, 16]),
    ]


@pytest.mark.parametrize(
    "request_body",
    [tensors((1, 3, 32, 64)), tensors((17, 3, 1, 1)), tensors(name="x"), tensors(datatype="INT8")],
    ids=["size", "batch", "name", "type"],
)
def test_tensors_that_do_not_fit_are_refused(served, request_body):
    answer = served[0].client.post("/v2/models/toys/infer", json=request_body)

    assert answer.status_code == 400
    assert "images" in answer.json()["error"]


def test_an_unloaded_model_is_gone_until_it_is_loaded_again(served):
    server, _ = served

    gone = server.order("unload")
    status = server.detect(JPEG).status_code
    back = server.load()

    assert (gone.status_code, status, back.status_code) == (200, 404, 200)


def test_health_and_metrics_are_there(served):
    server, package = served
    server.detect(JPEG)
    side = package.verify().digest[:12]

    ready = server.client.get("/v2/models/toys/ready").json()
    metrics = server.client.get("/metrics").text

    assert ready == {"name": "toys", "ready": True}
    assert request_metrics_of(metrics, "toys", side).requests > 0
    assert request_metrics_of(metrics, "toys", side).boxes > 0
