"""Pictures are decoded no larger than needed, kept while there is room, named if they are bad."""

from collections import Counter
from hashlib import sha256

import pytest

from components.shared.contracts.errors import UserError
from components.shared.vision.jpeg import decode_reduced
from components.training.train_detector.data.disk_cache import DiskCache
from components.training.train_detector.data.split import Split
from components.training.train_detector.data.training_images import (
    PIXEL_BYTES,
    SIZE,
    TrainingImages,
)
from tests.support.grey_images import jpeg, listed

BYTES = 64 * 48 * PIXEL_BYTES  # of a picture that is halved


@pytest.fixture
def pictures(tmp_path):
    """What returns the pictures of a split with one."""

    def of(size, content=None, room_bytes=10**6, recent_bytes=0):
        content, cache = content or jpeg(), DiskCache(tmp_path, room_bytes)
        images = [listed(content)]
        return TrainingImages(Split(images, lambda _: content, ["car"], size, cache), recent_bytes)

    return of


@pytest.mark.parametrize(
    ("size", "decoded"),
    [((128, 96), (128, 96)), ((96, 96), (128, 96)), ((64, 64), (64, 48)), ((32, 32), (32, 24))],
)
def test_a_picture_is_halved_while_it_stays_large_enough(pictures, size, decoded):
    assert pictures(size)[0].image.size == decoded


def test_boxes_are_in_pixels_of_the_picture_that_just_fits(pictures):
    picture = pictures((64, 64))[0]

    assert picture.size == (64, 48)
    assert picture.boxes.tolist() == [[20, 10, 44, 30]]
    assert picture.classes.tolist() == [0]


def looked_at(order, folder, room, recent=0):
    """Return how often each picture is read, where there is room for so many."""
    contents = [jpeg(level=20 * (number + 1)) for number in range(max(order) + 1)]
    by_name = {sha256(content).hexdigest(): content for content in contents}
    reads = Counter()

    def read(name):
        reads[name] += 1
        return by_name[name]

    images = [listed(content) for content in contents]
    cache = DiskCache(folder, room * (SIZE.size + BYTES))
    gallery = TrainingImages(Split(images, read, ["car"], (64, 64), cache), recent * BYTES)
    for index in order:
        gallery[index]
    return [reads[name] for name in by_name]


def test_a_picture_is_read_once_where_there_is_room_for_all(tmp_path):
    assert looked_at([0, 1, 2, 3] * 3, tmp_path, room=5) == [1, 1, 1, 1]


def test_without_any_room_a_picture_is_read_each_time(tmp_path):
    assert looked_at([0, 1, 2, 3] * 3, tmp_path, room=0) == [3, 3, 3, 3]


def test_with_little_room_the_first_stay_and_besides_them_the_last(tmp_path):
    first = [0, 1, 2, 3, 4, 5]
    order = [*first, 6, 6, 7, 7, 6, *first]

    assert looked_at(order, tmp_path, room=6, recent=1) == [1, 1, 1, 1, 1, 1, 2, 1]


@pytest.mark.parametrize(("room_bytes", "recent_bytes"), [(10**6, 0), (0, 10**6)])
def test_a_kept_picture_is_the_one_that_was_decoded(pictures, room_bytes, recent_bytes):
    kept = pictures((64, 64), room_bytes=room_bytes, recent_bytes=recent_bytes)
    decoded = decode_reduced(jpeg(), (64, 48)).tobytes()

    assert [kept[0].image.tobytes() for _ in range(2)] == [decoded, decoded]


@pytest.mark.parametrize("content", [b"no picture", jpeg()[:-200]])
def test_a_picture_that_no_longer_decodes_is_named(pictures, content):
    with pytest.raises(UserError, match=f"image {sha256(content).hexdigest()} cannot be learned"):
        pictures((64, 64), content)[0]
