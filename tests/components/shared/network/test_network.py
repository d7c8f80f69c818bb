"""The network is as large as it says, and comes back from a file as it was."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.shared.contracts.errors import UserError
from components.shared.contracts.model import TrainedInfo, TrainedLayout
from components.shared.network.architecture import ARCHITECTURE
from components.shared.network.cost import cost_of
from components.shared.network.decode import anchor_points, boxes_of, serving_function
from components.shared.network.network import BINS, build_network
from components.shared.network.restore import load_weights, restore, save_weights

DIGEST = "0" * 64


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return build_network("pico", 2, 64, 96)


@pytest.fixture
def half():
    """A network that computes in bfloat16."""
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    yield build_network("pico", 1, 64, 64)
    keras.mixed_precision.set_dtype_policy(before)


def trained(model, root):
    lineage = {
        "dataset": "cars", "snapshot": DIGEST, "code": DIGEST, "settings": {}, "seed": 0,
        "start": "scratch", "fingerprint": DIGEST,
    }  # fmt: skip
    TrainedInfo(
        lineage=lineage, classes=("car", "bus"), image_width=96, image_height=64, size="pico",
        best_epoch=1, validation_map50=0.5,
    ).write(TrainedLayout(root).info)  # fmt: skip
    save_weights(model, TrainedLayout(root).weights)


@pytest.mark.parametrize(
    ("size", "parameters", "gflops"),
    [
        ("pico", (0.5, 1.0), (1.2, 2.9)),
        ("nano", (2.0, 3.2), (5.0, 8.7)),
        ("small", (9, 12), (20, 29)),
    ],
)
def test_a_size_keeps_its_promise_at_640_pixels(size, parameters, gflops):
    cost = cost_of(build_network(size, 1, 640, 640))

    assert parameters[0] < cost.parameters / 1e6 <= parameters[1]
    assert gflops[0] < cost.gflops <= gflops[1]


def test_the_name_of_the_architecture_stands_for_what_the_network_computes_from_its_weights():
    """Who changes these numbers changes `ARCHITECTURE`: weights of before do not fit any more."""
    rng, apart = np.random.default_rng(0), build_network("pico", 2, 64, 96)
    around_one = ("variance", "gamma")
    apart.set_weights(
        [
            np.abs(rng.normal(1, 0.1, w.shape)) if w.name.endswith(around_one)
            else rng.normal(0, 0.1, w.shape)
            for w in apart.weights
        ]
    )  # fmt: skip
    ramp = np.linspace(0, 1, 64 * 96 * 3, dtype=np.float32).reshape(1, 64, 96, 3)

    deviations = {name: float(np.std(value)) for name, value in apart(ramp).items()}
    assert ARCHITECTURE == "pan-distribution-1"
    assert deviations == pytest.approx(
        {"logits": 0.119068, "bins": 0.112988, "embedding": 0.111491}, rel=1e-3
    )


def test_cost_is_that_of_a_convolution_written_out():
    images = keras.Input((8, 12, 3))
    lone = keras.layers.Conv2D(5, 3, padding="same", use_bias=False)(images)

    assert cost_of(keras.Model(images, lone)) == (3 * 3 * 3 * 5, 2 * 8 * 12 * 3 * 3 * 3 * 5 / 1e9)


def test_every_answer_is_in_full_precision_whatever_is_in_between(half):
    said = half(np.zeros((1, 64, 64, 3), np.float32))

    assert {name: value.dtype for name, value in said.items()} == dict.fromkeys(
        ("logits", "bins", "embedding"), tf.float32
    )


def test_the_server_gets_boxes_scores_and_an_embedding(model):
    answer = serving_function(model)(np.zeros((2, 3, 64, 96), np.float32))

    shapes = {name: tuple(value.shape) for name, value in answer.items()}
    assert shapes == {"boxes": (2, 126, 4), "scores": (2, 126, 2), "embedding": (2, 128)}


def test_before_learning_hardly_anything_is_claimed(model):
    answer = serving_function(model)(np.zeros((1, 3, 64, 96), np.float32))

    assert float(np.max(answer["scores"])) < 0.05


def test_certain_distances_decode_to_their_box():
    centres, strides = anchor_points(32, 32)
    bins = np.full((1, len(strides), 4, BINS), -50.0, np.float32)
    bins[:, :, [0, 1, 2, 3], [2, 3, 4, 5]] = 50.0  # the first bin is a distance of -1

    box = boxes_of(bins, centres, strides)[0, 0].numpy()

    assert np.allclose(box, [4 - 8, 4 - 16, 4 + 24, 4 + 32])


def test_weights_come_back_as_they_were(model, tmp_path):
    trained(model, tmp_path)

    back = restore(tmp_path)

    assert all(map(np.array_equal, back.get_weights(), model.get_weights()))


def test_weights_of_another_network_are_refused(model, tmp_path):
    np.savez(tmp_path / "weights.npz", strange=np.zeros(3, np.float32))

    with pytest.raises(UserError, match=r"weights\.npz: .* is missing"):
        load_weights(model, tmp_path / "weights.npz")


def test_an_unknown_size_is_refused():
    with pytest.raises(UserError, match="size is 'huge', expected one of pico, nano, small"):
        build_network("huge", 1, 64, 64)


def test_an_input_that_does_not_divide_is_refused():
    with pytest.raises(UserError, match="image width is 100, expected a multiple of 32"):
        build_network("pico", 1, 64, 100)
