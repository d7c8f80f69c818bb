import numpy as np
import pytest
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from components.shared.contracts.model import (
    FOUND_BOXES,
    FOUND_CLASSES,
    FOUND_SCORES,
    PackageError,
    Postprocessing,
)
from components.shared.inference.detector import Detector
from components.shared.vision.jpeg import JpegError
from components.shared.vision.letterbox import network_input
from components.training.export_onnx.onnx_nms import with_suppression
from tests.support.tiny_packages import jpeg_of, scene, seal, tiny_graph


def edges(box):
    return [box.x_min, box.y_min, box.x_max, box.y_max]


def resealed(package, graph):
    package.model.write_bytes(graph.SerializeToString())
    seal(package, "toys", ("car",))
    return package.root


@pytest.fixture
def graph():
    return tiny_graph(1, 64, 64)


def test_an_object_is_found_where_it_is(tiny_package):
    (box,) = Detector.open(tiny_package().root).detect(scene({(2, 1): 0}))

    assert edges(box) == pytest.approx([32, 16, 48, 32])
    assert (box.label, box.score) == ("car", pytest.approx(2 * 250 / 255 - 1, abs=1e-5))


def test_boxes_are_in_pixels_of_the_picture_and_inside_it(tiny_package):
    detector = Detector.open(tiny_package(shift=4).root)
    wide = np.repeat(np.repeat(scene({(3, 0): 0, (0, 1): 0}, rows=2), 3, 0), 3, 1)  # 192 x 96

    boxes = sorted(map(edges, detector.detect(wide)))

    assert boxes == [pytest.approx([12, 48, 60, 96]), pytest.approx([156, 0, 192, 48])]


def test_a_jpeg_is_answered_like_its_picture(tiny_package):
    detector = Detector.open(tiny_package(classes=("car", "bus")).root)

    boxes = detector.detect_jpeg(jpeg_of(scene({(0, 0): 0, (1, 1): 1})))

    assert sorted(box.label for box in boxes) == ["bus", "car"]


def test_a_lower_threshold_shows_more(tiny_package):
    detector = Detector.open(tiny_package().root)
    dim = scene({(0, 0): 0}) // 2 + np.uint8(20)  # a score of 0.14

    assert (len(detector.detect(dim)), len(detector.detect(dim, score_threshold=0.1))) == (0, 1)


def test_a_picture_is_embedded_as_a_whole(tiny_package):
    features = Detector.open(tiny_package().root).embed(scene({(0, 0): 1, (1, 0): 1}))

    assert features == pytest.approx([0, 2 / 16 * 250 / 255, 0], abs=1e-6)


def test_what_is_no_jpeg_is_refused(tiny_package):
    with pytest.raises(JpegError, match="not_a_jpeg"):
        Detector.open(tiny_package().root).detect_jpeg(b"GIF89a")


def test_one_changed_byte_is_refused(tiny_package):
    package = tiny_package()
    content = bytearray(package.model.read_bytes())
    content[-1] ^= 1
    package.model.write_bytes(content)

    with pytest.raises(PackageError, match=r"model.onnx has digest \w+, expected \w+"):
        Detector.open(package.root)


def test_weights_in_another_file_are_refused(tiny_package, graph):
    weights = next(tensor for tensor in graph.graph.initializer if tensor.name == "corners")
    external_data_helper.set_external_data(weights, location="../../etc/passwd")
    weights.ClearField("raw_data")

    with pytest.raises(PackageError, match="the weights corners lie in another file"):
        Detector.open(resealed(tiny_package(), graph))


def test_an_operator_hidden_in_a_branch_is_refused_if_it_is_not_standard(tiny_package, graph):
    inner = helper.make_node("Evil", ["boxes"], ["out"], domain="com.example")
    branch = helper.make_graph(
        [inner], "branch", [], [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)]
    )
    graph.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    graph.graph.node.append(
        helper.make_node("If", ["yes"], ["never"], then_branch=branch, else_branch=branch)
    )

    with pytest.raises(PackageError, match=r"Evil .*'com.example', expected the standard one"):
        Detector.open(resealed(tiny_package(), graph))


@pytest.mark.parametrize(
    ("graph", "complaint"),
    [
        (tiny_graph(2, 64, 64), r"scores is .* \['batch', 16, 2\], expected float32"),
        (tiny_graph(1, 96, 64), r"images is .* expected float32 \['any', 3, 64, 64\]"),
    ],
    ids=["classes", "size"],
)
def test_a_graph_that_is_not_the_described_one_is_refused(tiny_package, graph, complaint):
    with pytest.raises(PackageError, match=complaint):
        Detector.open(resealed(tiny_package(), graph))


def test_a_file_that_is_no_graph_is_refused(tiny_package):
    package = tiny_package()
    package.model.write_bytes(b"\xff" * 20)
    seal(package, "toys", ("car",))

    with pytest.raises(PackageError, match="no ONNX model"):
        Detector.open(package.root)


def test_a_graph_that_should_suppress_and_does_not_is_refused(tiny_package):
    package = tiny_package()
    seal(package, "toys", ("car",), suppression="inside")

    with pytest.raises(PackageError, match=r"gives .* expected .*found_boxes"):
        Detector.open(package.root)


def test_what_is_found_inside_the_graph_is_what_is_found_outside(tiny_package):
    package = tiny_package()
    package.model.write_bytes(with_suppression(package.model.read_bytes(), Postprocessing()))
    seal(package, "toys", ("car",), suppression="inside")
    detector = Detector.open(package.root)
    image = scene({(2, 1): 0, (0, 3): 0})

    found = detector.tensors(network_input(image[None]))
    left = found[FOUND_SCORES][0] > 0

    boxes = found[FOUND_BOXES][0][left].tolist()
    assert boxes == [pytest.approx(edges(box)) for box in detector.detect(image)]
    assert found[FOUND_CLASSES][0][left].tolist() == [0, 0]


def test_an_open_detector_does_not_keep_its_file_in_memory(tiny_package):
    package = tiny_package()
    kept = vars(Detector.open(package.root)._session).values()

    assert package.model.read_bytes() not in [value for value in kept if isinstance(value, bytes)]
