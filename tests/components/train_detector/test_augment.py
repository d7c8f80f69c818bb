"""Pictures are moved and relit, and their boxes go with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.train_detector.augment import Window, augment, recolour, tile
from components.train_detector.samples import Sample

seeds = st.integers(0, 2**32 - 1)


def sample(width=64, height=48):
    """Return a dark picture with one bright object, and its box."""
    image = np.zeros((height, width, 3), np.uint8)
    image[10:30, 20:44] = 250
    return Sample(image, np.array([[20, 10, 44, 30]], np.float32), np.array([0], np.int32))


def bright_box(image):
    rows, columns = np.nonzero(image.max(axis=2) > 180)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


windows = st.builds(
    Window,
    width=st.just(64),
    height=st.just(48),
    scale=st.floats(0.5, 1.2),
    left=st.floats(-8, 8),
    top=st.floats(-8, 4),
    mirrored=st.booleans(),
)


@given(windows)
def test_a_box_stays_on_its_object(window):
    seen = window.look(sample())

    assert np.allclose(seen.boxes[0], bright_box(seen.image), atol=2)


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
@given(seed=seeds)
def test_boxes_never_leave_the_picture(mosaic, seed):
    seen = augment([sample()] * 4, 0, mosaic, np.random.default_rng(seed))

    low, high = seen.boxes[:, :2], seen.boxes[:, 2:]
    assert (low >= 0).all()
    assert (low < high).all()
    assert (high <= (64, 48)).all()


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_the_same_seed_sees_the_same(mosaic):
    first, second = (augment([sample()] * 4, 0, mosaic, np.random.default_rng(7)) for _ in "ab")

    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.boxes, second.boxes)


def test_an_unmoved_window_shows_the_picture_itself():
    seen = Window(64, 48, 1.0, 0.0, 0.0, mirrored=False).look(sample())

    assert np.array_equal(seen.image, sample().image)


def test_a_mirrored_picture_is_turned_left_to_right():
    seen = Window(64, 48, 1.0, 0.0, 0.0, mirrored=True).look(sample())

    assert np.array_equal(seen.image, sample().image[:, ::-1])


def test_what_is_hardly_visible_no_longer_counts():
    seen = Window(64, 48, 1.0, -40.0, 0.0, mirrored=False).look(sample())

    assert len(seen.boxes) == len(seen.classes) == 0


def test_a_picture_without_objects_can_be_looked_at():
    empty = Sample(sample().image, np.zeros((0, 4), np.float32), np.zeros(0, np.int32))

    assert tile([empty] * 4, np.random.default_rng(0)).boxes.shape == (0, 4)


def test_another_light_leaves_black_black():
    black = np.zeros((8, 8, 3), np.uint8)

    assert not recolour(black, np.random.default_rng(3)).any()
