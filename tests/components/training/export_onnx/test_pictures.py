import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.training.export_onnx.pictures import LabelledImage, crops, evenly, whole
from tests.support.tiny_packages import CELL, jpeg_of, scene

SIDE = 12 * CELL
CORNERS = np.array([[0, 0, 32, 32], [80, 80, 112, 112], [160, 160, 192, 192]], float)
PICTURE = LabelledImage(
    jpeg_of(scene({(5, 5): 0, (6, 6): 0}, columns=12, rows=12)), CORNERS, np.array([0, 1, 0])
)


def test_a_picture_is_looked_at_in_four_shapes():
    looks = crops(PICTURE, (96, 96))

    # What is grey is the letterbox's: the crop fills one side of the input.
    filled = [(look.image != 114).any(axis=2) for look in looks]
    shapes = [(f.any(axis=0).sum(), f.any(axis=1).sum()) for f in filled]
    assert shapes == [(96, 72), (96, 54), (96, 96), (54, 96)]


def test_boxes_are_cut_where_the_crop_ends_and_left_out_where_nothing_is_left():
    wide = crops(PICTURE, (SIDE, SIDE))[1]  # 192 x 108 of 192 x 192, 42 rows above it

    assert wide.truth.classes.tolist() == [1]
    np.testing.assert_allclose(wide.truth.boxes, CORNERS[1:2])


def test_the_truth_of_a_crop_lies_on_what_the_crop_shows():
    for look in crops(PICTURE, (96, 96)):
        middle = look.truth.boxes[look.truth.classes == 1][0].reshape(2, 2).mean(axis=0)
        column, row = middle.astype(int)

        assert look.image[row - 2, column - 2, 0] > 150


def test_a_whole_picture_keeps_all_its_boxes():
    assert whole(PICTURE, (96, 96)).truth.boxes == pytest.approx(CORNERS / 2)


@given(st.integers(0, 50), st.integers(0, 20))
def test_some_of_many_are_spread_and_in_order(length, count):
    chosen = evenly(range(length), count)

    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(length, count)
