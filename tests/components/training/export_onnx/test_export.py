import numpy as np
import onnx
import pytest

from components.shared.contracts.absence import absence, mark_absent
from components.shared.contracts.errors import UserError
from components.shared.contracts.model import GoldenAnswer, PackageLayout
from components.shared.contracts.record import read_lines
from components.shared.inference.detector import Detector
from components.shared.inference.golden import check_golden
from components.training.export_onnx.export import export, export_trained
from components.training.export_onnx.package import Form
from components.training.export_onnx.pictures import ExportImages, LabelledImage
from tests.support.export_processes import INFO
from tests.support.tiny_packages import jpeg_of, scene


def seen(n):
    box = np.array([[n % 4, n // 4, n % 4 + 1, n // 4 + 1]]) * 16.0
    return LabelledImage(jpeg_of(scene({(n % 4, n // 4): 0, (3, 3): 1})), box, np.zeros(1, np.intp))


PICTURES = ExportImages([seen(n) for n in range(6)])


@pytest.fixture(scope="module")
def serve():
    """A stand-in for the network: cells of 16 pixels, red is a car."""
    import tensorflow as tf

    y, x = np.divmod(np.arange(16), 4)
    corners = (np.stack([x, y, x + 1, y + 1], 1)[None] * 16).astype(np.float32)

    @tf.function(input_signature=[tf.TensorSpec([None, 3, 64, 64], tf.float32, name="images")])
    def function(images):
        cells = tf.nn.avg_pool2d(tf.transpose(images, [0, 2, 3, 1]), 16, 16, "VALID")
        scores = tf.nn.relu(2 * tf.reshape(cells[..., :1], [-1, 16, 1]) - 1)
        boxes = corners + 0 * tf.reduce_max(scores, axis=2, keepdims=True)
        return {"boxes": boxes, "scores": scores, "embedding": tf.reduce_mean(images, [2, 3])}

    return function


@pytest.fixture(scope="module")
def exported(serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "package"
    return export(serve, INFO, PICTURES, folder), folder


def test_a_package_is_whole_and_named_by_its_digest(exported):
    result, folder = exported

    assert PackageLayout(folder).verify().digest == result.digest


def test_the_sentence_has_the_numbers(exported):
    assert exported[0].sentence.startswith(
        "the ONNX graph matches the trained network on 6 images (24 crops): boxes within "
    )
    assert exported[0].sentence.endswith(" MB")


def test_the_package_carries_pictures_that_it_answers_itself(exported):
    _, folder = exported

    assert check_golden(folder, Detector.open(folder).detect_jpeg, 0.25) == 4


def test_golden_pictures_have_something_to_see(exported):
    answers = read_lines(GoldenAnswer, PackageLayout(exported[1]).golden)

    assert all(answer.boxes for answer in answers)


def test_triton_is_told_the_same_sizes(exported):
    config = PackageLayout(exported[1]).triton.read_text()

    assert 'name: "images", data_type: TYPE_FP32, dims: [ 3, 64, 64 ]' in config


def test_triton_is_told_every_length_that_the_graph_knows_and_only_those(exported):
    layout = PackageLayout(exported[1])
    config = layout.triton.read_text()

    for edge in onnx.load(layout.model).graph.output:
        lengths = [each.dim_value or -1 for each in edge.type.tensor_type.shape.dim][1:]
        dims = ", ".join(map(str, lengths))
        assert f'name: "{edge.name}", data_type: TYPE_FP32, dims: [ {dims} ]' in config


def test_exporting_again_gives_the_same_package(serve, exported, tmp_path):
    assert export(serve, INFO, PICTURES, tmp_path / "again").digest == exported[0].digest


def test_without_a_picture_nothing_is_proved(serve, tmp_path):
    with pytest.raises(UserError, match="no test image"):
        export(serve, INFO, ExportImages([]), tmp_path / "package")


def test_an_absent_model_stays_absent_for_the_same_reason(tmp_path):
    mark_absent(tmp_path / "trained", "there is no champion yet")

    result = export_trained(tmp_path / "trained", None, tmp_path / "package")

    assert (result.digest, absence(tmp_path / "package")) == ("", "there is no champion yet")


@pytest.fixture(scope="module")
def inside(serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("inside") / "package"
    return export(serve, INFO, PICTURES, folder, Form(suppression="inside")), folder


def test_with_suppression_inside_the_server_answers_the_same(exported, inside):
    before, after = Detector.open(exported[1]), Detector.open(inside[1])

    assert inside[0].digest != exported[0].digest
    assert all(after.detect_jpeg(p.jpeg) == before.detect_jpeg(p.jpeg) for p in PICTURES.test)


def test_suppression_inside_is_said_by_the_page_and_told_to_triton(inside):
    result, folder = inside
    config = PackageLayout(folder).triton.read_text()

    assert (
        "suppression inside the graph equals suppression outside on 24 of 24 crops" in result.page
    )
    assert '{ name: "found_classes", data_type: TYPE_INT64, dims: [ 16 ] }' in config


def test_without_pictures_to_calibrate_on_a_package_stays_in_float32_and_says_why(serve, tmp_path):
    result = export(serve, INFO, PICTURES, tmp_path / "package", Form(precision="int8"))

    assert "the snapshot has no train image to try int8 on" in result.page
    assert PackageLayout(tmp_path / "package").verify().precision == "float32"
