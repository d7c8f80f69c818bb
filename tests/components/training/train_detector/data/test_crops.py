"""A picture comes to lie anywhere, and a box's corner follows its pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.training.train_detector.data.crops import Crop, mosaic_tiles, random_crop

PANE = (8, 4, 56, 44)
SIZE = (64, 48)
seeds = st.integers(0, 2**32 - 1)
no_classes = np.zeros(1, np.int32)


def drawn(seed, zoom=(0.4, 2.0)):
    return random_crop(PANE, SIZE, zoom, np.random.default_rng(seed))


@given(seeds, st.floats(0, 64), st.floats(0, 48), st.integers(1, 4))
def test_a_corner_of_a_box_follows_its_pixel(seed, x, y, finer):
    seen = drawn(seed)
    left, top, right, bottom = seen.shown
    fine = SIZE[0] * finer, SIZE[1] * finer
    source = np.array(seen.source(fine)) / finer
    # Where the pixel stands in what is shown, from 0 to 1, and so on the canvas.
    across = (x - source[0]) / (source[2] - source[0])
    across = 1 - across if seen.mirrored else across
    down = (y - source[1]) / (source[3] - source[1])
    box = np.array([[x, y, x, y]], np.float32)
    corner = np.array([left + across * (right - left), top + down * (bottom - top)])

    moved = Crop((-9999, -9999, 9999, 9999), seen.place, seen.mirrored)
    wide = moved.move(box + np.array([-99, -99, 99, 99], np.float32), no_classes, SIZE)[0][0]

    assert np.allclose((wide[:2] + wide[2:]) / 2, corner, atol=1e-2)


@given(seeds)
def test_something_of_every_picture_is_seen_and_only_in_its_pane(seed):
    left, top, right, bottom = drawn(seed).shown

    assert PANE[0] <= left < right <= PANE[2]
    assert PANE[1] <= top < bottom <= PANE[3]


@given(seeds)
def test_what_is_seen_of_a_picture_lies_within_it(seed):
    left, top, right, bottom = drawn(seed).source((101, 77))

    assert -1e-9 <= left < right <= 101 + 1e-9
    assert -1e-9 <= top < bottom <= 77 + 1e-9


@given(seeds)
def test_a_pane_is_filled_as_far_as_the_picture_reaches(seed):
    seen = drawn(seed)
    wide, high = seen.place[2] - seen.place[0], seen.place[3] - seen.place[1]
    left, top, right, bottom = seen.shown

    assert right - left == min(wide, PANE[2] - PANE[0])
    assert bottom - top == min(high, PANE[3] - PANE[1])


def test_an_unmoved_view_leaves_boxes_alone():
    boxes = np.array([[3, 4, 30, 40]], np.float32)
    moved, classes = Crop((0, 0, 64, 48), (0, 0, 64, 48), mirrored=False).move(
        boxes, no_classes, SIZE
    )

    assert moved.tolist() == boxes.tolist()
    assert classes.tolist() == [0]


@given(seeds)
def test_a_mirror_twice_is_none(seed):
    boxes = np.array([[3, 4, 30, 40]], np.float32)
    whole = Crop((0, 0, 64, 48), (0, 0, 64, 48), mirrored=True)
    once = whole.move(boxes, no_classes, SIZE)[0]

    assert whole.move(once, no_classes, SIZE)[0].tolist() == boxes.tolist()


def test_what_is_hardly_visible_no_longer_counts():
    boxes = np.array([[20, 10, 44, 30]], np.float32)
    seen = Crop((0, 0, 64, 48), (-40, 0, 24, 48), mirrored=False)

    assert len(seen.move(boxes, no_classes, SIZE)[0]) == 0


@pytest.mark.parametrize("size", [(32, 32), (320, 256), (64, 96)])
@given(seed=seeds)
def test_quarters_share_a_canvas_out(size, seed):
    panes = mosaic_tiles(*size, np.random.default_rng(seed))
    canvas = np.zeros(size[::-1], int)
    for left, top, right, bottom in panes:
        canvas[top:bottom, left:right] += 1

    assert (canvas == 1).all()
