"""Pictures are moved, and their boxes go with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from components.shared.vision.letterbox import PADDING
from components.training.train_detector.data.augment import AugmentConfig, augment, paint, resized
from components.training.train_detector.data.color_jitter import apply_color_jitter
from components.training.train_detector.data.crops import Crop
from components.training.train_detector.data.training_images import TrainingImage
from components.training.train_detector.plan.settings import MAX_BOXES

SIZE = WIDTH, HEIGHT = 64, 48
CAR = np.array([[20, 10, 44, 30]], np.float32)
ZOOM = (0.6, 1.7)
seeds = st.integers(0, 2**32 - 1)


def picture(finer=1, boxes=CAR):
    """Return a dark picture with one bright object, and its box."""
    image = np.zeros((HEIGHT * finer, WIDTH * finer, 3), np.uint8)
    image[10 * finer : 30 * finer, 20 * finer : 44 * finer] = 250
    return TrainingImage(Image.fromarray(image), SIZE, boxes, np.zeros(len(boxes), np.int32))


def empty():
    return np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def seen_by(seed, mosaic=0.0, gallery=None):
    canvas = empty()
    rng = np.random.default_rng(seed)
    pictures = gallery or [picture()]
    labels = augment(pictures[0], lambda _: pictures[-1], AugmentConfig(mosaic, ZOOM), canvas, rng)
    return canvas, *labels


def bright_box(image):
    rows, columns = np.nonzero(image.max(axis=2) > 180)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


views = st.builds(
    lambda left, top, scale, mirrored: Crop(
        (0, 0, *SIZE),
        (left, top, left + round(WIDTH * scale), top + round(HEIGHT * scale)),
        mirrored,
    ),
    st.integers(-8, 8), st.integers(-8, 4), st.floats(0.5, 1.2), st.booleans(),
)  # fmt: skip


@pytest.mark.parametrize("finer", [1, 2])
@given(random_crop=views)
def test_a_box_stays_on_its_object(finer, random_crop):
    canvas, shown = empty(), picture(finer)
    paint(canvas, shown, random_crop)

    boxes, _ = random_crop.move(shown.boxes, shown.classes, SIZE)

    assert np.allclose(boxes[0], bright_box(canvas), atol=1)


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
@given(seed=seeds)
def test_boxes_never_leave_the_picture(mosaic, seed):
    _, boxes, classes, _ = seen_by(seed, mosaic)

    assert len(boxes) == len(classes)
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    assert (boxes[:, 2:] <= SIZE).all()


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_the_same_seed_sees_the_same(mosaic):
    assert all(map(np.array_equal, seen_by(7, mosaic), seen_by(7, mosaic)))


def test_another_seed_sees_something_else():
    assert not np.array_equal(seen_by(7)[0], seen_by(8)[0])


def test_an_unmoved_picture_is_itself():
    canvas, shown = empty(), picture()
    paint(canvas, shown, Crop((0, 0, *SIZE), (0, 0, *SIZE), mirrored=False))

    assert np.abs(canvas.astype(int) - np.asarray(shown.image)).max() <= 1


@given(random_crop=views, seed=seeds)
def test_resizing_is_pillows_bilinear_filter_within_a_level(random_crop, seed):
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    image, box = Image.fromarray(noise), random_crop.source(SIZE)
    left, top, right, bottom = random_crop.shown
    size = right - left, bottom - top

    ours = np.asarray(resized(image, size, box)).astype(int)
    theirs = np.asarray(image.resize(size, Image.Resampling.BILINEAR, box))

    assert np.abs(ours - theirs).max() <= 2


def test_a_mirrored_picture_is_turned_left_to_right():
    whole = (0, 0, *SIZE)
    plain, turned = empty(), empty()
    paint(plain, picture(), Crop(whole, whole, mirrored=False))
    paint(turned, picture(), Crop(whole, whole, mirrored=True))

    assert np.array_equal(turned, plain[:, ::-1])


def test_around_a_small_picture_there_is_the_grey_of_serving():
    canvas = np.zeros((96, 128, 3), np.uint8)
    far = AugmentConfig(0.0, (0.6, 0.7))
    look = augment(picture(), lambda _: picture(), far, canvas, np.random.default_rng(0))

    seen = (
        apply_color_jitter(canvas[None], np.array([look.jitter.numbers], np.float32)).numpy() * 255
    )
    colours, counts = np.unique(seen.reshape(-1, 3).round(), axis=0, return_counts=True)

    assert np.abs(colours[counts.argmax()] - PADDING).max() <= 1


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_a_picture_without_objects_can_be_looked_at(mosaic):
    bare = [picture(boxes=np.zeros((0, 4), np.float32))]

    assert seen_by(0, mosaic, bare)[1].shape == (0, 4)


def test_a_mosaic_that_would_have_too_many_boxes_shows_one_picture_with_all_of_its_own():
    third = MAX_BOXES // 3 + 1
    crowded = [picture(), picture(boxes=np.repeat(CAR, third, axis=0))]

    assert len(seen_by(1, mosaic=1.0, gallery=crowded[:1])[1]) > 1
    assert len(seen_by(1, mosaic=1.0, gallery=crowded)[1]) <= 1
    assert len(seen_by(1, mosaic=1.0, gallery=crowded[1:])[1]) == third
