import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.shared.vision.boxes import box_areas, box_array, clip_boxes, pairwise_iou

boxes = arrays(np.float64, st.tuples(st.integers(0, 5), st.just(4)), elements=st.integers(-9, 99))


@given(boxes, boxes)
def test_overlap_is_symmetric(first, second):
    np.testing.assert_allclose(pairwise_iou(first, second), pairwise_iou(second, first).T)


@given(boxes, boxes)
def test_overlap_is_a_fraction(first, second):
    overlap = pairwise_iou(first, second)

    assert overlap.shape == (len(first), len(second))
    assert np.all((overlap >= 0) & (overlap <= 1))


@given(boxes)
def test_a_box_with_area_overlaps_itself_wholly_and_one_without_not_at_all(some):
    assert np.diag(pairwise_iou(some, some)).tolist() == (box_areas(some) > 0).tolist()


@given(boxes, boxes, st.integers(-50, 50))
def test_overlap_does_not_depend_on_where_the_origin_is(first, second, shift):
    np.testing.assert_allclose(
        pairwise_iou(first + shift, second + shift), pairwise_iou(first, second)
    )


@given(boxes)
def test_clipped_boxes_lie_inside_and_stay_when_clipped_again(some):
    clipped = clip_boxes(some, 40, 30)

    assert np.all((clipped >= 0) & (clipped <= [40, 30, 40, 30]))
    np.testing.assert_array_equal(clip_boxes(clipped, 40, 30), clipped)


def test_no_boxes_are_an_array_too():
    assert box_array([]).shape == (0, 4)


def test_an_array_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"shape \[2, 3\], expected \[N, 4\]"):
        pairwise_iou(np.zeros((2, 3)), np.zeros((1, 4)))
