"""An int8 package answers the same on CPUs with VNNI and without it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from components.shared.contracts.errors import UserError
from components.training.export_onnx.quantise import quantise
from components.training.export_onnx.saturation import MAX_WEIGHT, check_saturation
from tests.support.quantisable_network import IMAGES, small_network
from tests.support.saturating_convolution import (
    LAYOUTS,
    Convolution,
    convolutions,
    exact,
    saturating,
)

both_layouts = pytest.mark.parametrize("layout", LAYOUTS)


@pytest.fixture(scope="module")
def made():
    """The small network in int8, with weights of 7 bits and of 8."""
    content = small_network().SerializeToString()
    return {
        bits: quantise(content, (image[None] for image in IMAGES), reduce_range=bits == 7)
        for bits in (7, 8)
    }


@both_layouts
def test_no_convolution_of_a_package_saturates_on_a_cpu_without_vnni(made, layout):
    found = list(convolutions(made[7], IMAGES))

    assert len(found) == 2
    for conv in found:
        np.testing.assert_array_equal(saturating(conv, layout), exact(conv, layout))


@both_layouts
def test_weights_of_8_bits_saturate_there(made, layout):
    differ = [
        saturating(conv, layout) != exact(conv, layout) for conv in convolutions(made[8], IMAGES)
    ]

    assert any(each.any() for each in differ)


@both_layouts
def test_the_simulated_sums_without_saturation_are_the_graphs_own_answers(made, layout):
    for conv in convolutions(made[8], IMAGES):
        shift = conv.zero * conv.weights.sum((2, 3, 4), dtype=int)
        answers = (exact(conv, layout) - shift) * conv.scales

        np.testing.assert_allclose(answers, conv.answers, atol=1e-5)


@given(
    arrays.arrays(np.uint8, (4, 1, 2, 3, 3)),
    arrays.arrays(np.int8, (1, 3, 2, 3, 3), elements=st.integers(-MAX_WEIGHT, MAX_WEIGHT)),
)
def test_no_activations_saturate_weights_of_7_bits(patches, weights):
    conv = Convolution(patches, weights)

    for layout in LAYOUTS:
        np.testing.assert_array_equal(saturating(conv, layout), exact(conv, layout))


def test_one_step_beyond_7_bits_saturates():
    bright = np.full((1, 1, 2, 1, 1), 255, np.uint8)
    conv = Convolution(bright, np.full((1, 1, 2, 1, 1), MAX_WEIGHT + 1, np.int8))

    assert saturating(conv) < exact(conv)


def test_a_package_of_7_bits_is_accepted_and_one_of_8_is_refused_by_its_weights(made):
    check_saturation(made[7])

    with pytest.raises(
        UserError, match=r"the int8 weights \S+ run from -1\d\d to 1\d\d, expected -64"
    ):
        check_saturation(made[8])
