"""What is made of a JPEG is kept, or else the JPEG is if it comes from afar."""

from collections import Counter

import pytest

from components.shared.contracts.errors import UserError
from components.shared.vision.jpeg import JpegError
from components.training.train_detector.data.disk_cache import AS_IT_IS, DiskCache
from components.training.train_detector.data.split import Split, from_afar
from tests.support.grey_images import jpeg, listed


def test_labels_are_in_pixels_of_the_stored_picture(tmp_path):
    split = Split([listed(jpeg())], lambda _: b"", ["bus", "car"], (64, 64), DiskCache(tmp_path))

    boxes, classes = split.labels(0)

    assert boxes.tolist() == [[40, 20, 88, 60]]
    assert classes.tolist() == [1]


def test_what_cannot_be_made_is_named(tmp_path):
    def broken(content):
        raise JpegError("undecodable", "no end")

    image = listed(jpeg())
    split = Split([image], lambda _: b"", ["car"], (64, 64), DiskCache(tmp_path))

    with pytest.raises(UserError, match=f"image {image.sha256} cannot be learned from: .*no end"):
        split.made(0, broken, AS_IT_IS)


@pytest.mark.parametrize(("room", "fetches"), [(3, [1, 1, 1]), (1, [1, 2, 1]), (0, [2, 1, 1])])
def test_a_jpeg_is_kept_only_when_what_was_made_finds_no_room(tmp_path, room, fetches):
    # The first that finds no room was not known to be the first when it was fetched.
    images = [listed(jpeg(level=level)) for level in (20, 40, 60)]
    made, jpegs, fetched = DiskCache(tmp_path, room * 1000), DiskCache(tmp_path), Counter()

    def fetch(sha256):
        fetched[sha256] += 1
        return b"jpeg"

    split = Split(images, from_afar(fetch, made, jpegs), ["car"], (64, 64), made)
    for index in [0, 1, 2] * 3:
        assert split.made(index, lambda jpeg: jpeg * 250, AS_IT_IS) == b"jpeg" * 250

    assert [fetched[image.sha256] for image in images] == fetches
    assert [image.sha256 in jpegs for image in images] == [at >= room for at in range(3)]
