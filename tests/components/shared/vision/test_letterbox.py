"""A letterbox keeps shapes and can be undone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.shared.vision.letterbox import PADDING, Letterbox, network_input

sizes = st.integers(16, 2000)
inputs = st.integers(1, 20).map(lambda n: 32 * n)
letterboxes = st.builds(Letterbox, sizes, sizes, inputs, inputs)
fractions = st.tuples(*[st.floats(0, 1, width=32)] * 4)


@given(letterboxes, st.lists(fractions, max_size=5))
def test_boxes_come_back_from_the_input_where_they_were(letterbox, corners):
    ends = [letterbox.source_width, letterbox.source_height] * 2
    boxes = np.sort(np.array(corners, float).reshape(-1, 2, 2), axis=1).reshape(-1, 4) * ends

    back = letterbox.to_image(letterbox.to_input(boxes))

    assert np.allclose(back, boxes, atol=0.01 / letterbox.scale)


@given(letterboxes)
def test_the_whole_picture_lies_inside_the_input(letterbox):
    ends = np.array([[0, 0, letterbox.source_width, letterbox.source_height]])

    x_min, y_min, x_max, y_max = letterbox.to_input(ends)[0]

    assert 0 <= x_min < x_max <= letterbox.target_width
    assert 0 <= y_min < y_max <= letterbox.target_height


@given(letterboxes)
def test_the_picture_touches_two_opposite_sides(letterbox):
    width, height = letterbox.inner

    assert width == letterbox.target_width or height == letterbox.target_height


def test_a_box_outside_the_picture_is_clipped_to_it():
    letterbox = Letterbox(640, 480, 320, 320)

    assert letterbox.to_image(np.array([[-9, -9, 999, 999]])).tolist() == [[0, 0, 640, 480]]


@pytest.mark.parametrize(("height", "width"), [(48, 64), (64, 48), (20, 90)])
def test_what_is_not_picture_is_grey(height, width):
    letterbox = Letterbox(width, height, 64, 64)

    canvas = letterbox.apply(np.zeros((height, width, 3), np.uint8))

    inner_width, inner_height = letterbox.inner
    assert (canvas == PADDING).all(axis=2).sum() == 64 * 64 - inner_width * inner_height


def test_the_network_sees_channels_first_from_zero_to_one():
    images = np.full((2, 32, 64, 3), 255, np.uint8)

    batch = network_input(images)

    assert batch.shape == (2, 3, 32, 64)
    assert batch.dtype == np.float32
    assert batch.max() == 1
