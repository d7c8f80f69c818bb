import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper

from components.training.export_onnx.quantise import fold_stem, quantise
from tests.support.quantisable_network import DICE, IMAGES, model, small_network


def answers(content):
    return ort.InferenceSession(content.SerializeToString()).run(None, {"images": IMAGES})


def stem(kernel=3, stride=2, pads=(0, 0, 1, 1)):
    """A first convolution as a quantised graph has it."""
    weights = {
        "scale": np.float32(1 / 255), "zero": np.uint8(0), "spread": np.full(5, 0.01, np.float32),
        "middle": np.zeros(5, np.int8),
        "kernel": DICE.integers(-127, 128, (5, 3, kernel, kernel), dtype=np.int8),
    }  # fmt: skip
    nodes = [
        helper.make_node("QuantizeLinear", ["images", "scale", "zero"], ["pixels"]),
        helper.make_node("DequantizeLinear", ["pixels", "scale", "zero"], ["exact"]),
        helper.make_node("DequantizeLinear", ["kernel", "spread", "middle"], ["weights"], axis=0),
        helper.make_node(
            "Conv", ["exact", "weights"], ["maps"], kernel_shape=[kernel] * 2,
            strides=[stride] * 2, pads=pads,
        ),
    ]  # fmt: skip
    return model(nodes, weights, maps=[5, 16 // stride, 16 // stride])


def test_a_stem_over_blocks_says_the_same():
    plain = stem()
    folded = stem()
    folded.CopyFrom(plain)

    fold_stem(folded.graph)
    nodes = {node.name: node for node in folded.graph.node}
    # What is made stands before what uses it, as a graph must have it.
    del folded.graph.node[-1]
    folded.graph.node.insert(1, nodes["blocks"])

    assert nodes["blocks"].op_type == "SpaceToDepth"
    np.testing.assert_allclose(answers(folded)[0], answers(plain)[0], atol=1e-5)


@pytest.mark.parametrize(
    "other", [{"kernel": 1, "pads": (0, 0, 0, 0)}, {"stride": 1, "pads": (1, 1, 1, 1)}]
)
def test_another_stem_stays_as_it_is(other):
    plain = stem(**other)
    folded = onnx.ModelProto()
    folded.CopyFrom(plain)

    fold_stem(folded.graph)

    assert folded == plain


@pytest.fixture(scope="module")
def small():
    return small_network()


def test_eight_bits_say_about_the_same(small):
    content = small.SerializeToString()
    int8 = onnx.load_model_from_string(quantise(content, (image[None] for image in IMAGES)))

    exact, rounded = answers(small), answers(int8)

    for before, after in zip(exact, rounded, strict=True):
        assert 0 < np.abs(before - after).max() < 0.05 * np.abs(before).max()


def test_noise_below_a_pixels_grey_level_changes_nothing_in_eight_bits(small):
    int8 = quantise(small.SerializeToString(), (image[None] for image in IMAGES))
    session = ort.InferenceSession(int8)
    noise = 1e-4 * DICE.standard_normal(IMAGES.shape).astype(np.float32)

    before = session.run(["embedding"], {"images": IMAGES})[0]
    after = session.run(["embedding"], {"images": IMAGES + noise})[0]

    np.testing.assert_array_equal(before, after)
