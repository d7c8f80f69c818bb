import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.promotion.evaluate_detector.crops import close_up, placed, square_around, whole
from components.shared.contracts.annotation import Box


def box(x, y, width, height):
    return Box(x_min=x, y_min=y, x_max=x + width, y_max=y + height, label="car")


boxes = st.builds(
    box, st.integers(0, 300), st.integers(0, 200), st.integers(1, 300), st.integers(1, 200)
)


@given(boxes)
def test_the_square_stays_inside_the_picture(box):
    square = square_around([box], 640, 480)

    assert 0 <= square.x <= 640 - square.side
    assert 0 <= square.y <= 480 - square.side


@given(st.builds(box, st.integers(0, 600), st.integers(0, 440), *[st.integers(1, 40)] * 2))
def test_a_small_box_is_wholly_in_its_square(box):
    shown = placed(box, square_around([box], 640, 480), 240)

    assert min(shown.x_min, shown.y_min) >= -1e-6
    assert max(shown.x_max, shown.y_max) <= 240 + 1e-6


@pytest.mark.parametrize("shape", [(480, 640), (40, 30), (10, 2000)])
def test_any_picture_can_be_looked_at(shape):
    image = np.full((*shape, 3), 90, np.uint8)

    assert close_up(image, [box(1, 1, 8, 8)], [], 100).shape == (100, 100, 3)
    assert whole(image, [], [box(1, 1, 8, 8)], 100).shape[1] == 100
