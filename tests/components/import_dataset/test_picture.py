from datetime import UTC, datetime, timedelta, timezone

import pytest
from PIL import Image

from components.import_dataset import picture as room
from components.import_dataset.found import UnusableError
from components.import_dataset.picture import EPOCH, read_picture
from components.vision.exif import FOLDER, ORIENTATION, TAKEN_AT, TAKEN_OFFSET
from components.vision.jpeg import decode_jpeg


def exif(**tags) -> Image.Exif:
    noted = Image.Exif()
    if "orientation" in tags:
        noted[ORIENTATION] = tags["orientation"]
    noted.get_ifd(FOLDER).update(
        {number: tags[name] for name, number in TAGS.items() if name in tags}
    )
    return noted


TAGS = {"taken": TAKEN_AT, "zone": TAKEN_OFFSET}


def test_a_jpeg_stays_as_it_is(picture):
    read = read_picture(picture())

    assert read.jpeg == picture()
    assert (read.width, read.height, read.captured_at) == (64, 48, EPOCH)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP"])
def test_another_picture_becomes_the_same_jpeg_each_time(picture, kind):
    one, other = read_picture(picture(kind=kind)), read_picture(picture(kind=kind))

    assert one == other
    assert decode_jpeg(one.jpeg).shape == (48, 64, 3)


def test_a_picture_that_a_camera_says_must_be_turned_is_turned(picture):
    read = read_picture(picture(exif=exif(orientation=6)))

    assert (read.width, read.height) == (48, 64)
    assert decode_jpeg(read.jpeg).shape == (64, 48, 3)


@pytest.mark.parametrize(
    ("tags", "taken_at"),
    [
        ({"taken": "2024:05:01 12:30:00"}, datetime(2024, 5, 1, 12, 30, tzinfo=UTC)),
        (
            {"taken": "2024:05:01 12:30:00", "zone": "+02:00"},
            datetime(2024, 5, 1, 12, 30, tzinfo=timezone(timedelta(hours=2))),
        ),
        ({"taken": "0000:00:00 00:00:00"}, EPOCH),
        ({}, EPOCH),
    ],
    ids=["time", "time and zone", "a camera without a clock", "nothing"],
)
def test_a_picture_was_taken_when_its_camera_says(picture, tags, taken_at):
    assert read_picture(picture(exif=exif(**tags))).captured_at == taken_at


@pytest.mark.parametrize("cut", [1, 2, 20, 300])
def test_a_truncated_jpeg_is_undecodable(picture, cut):
    content = picture()

    with pytest.raises(UnusableError) as error:
        read_picture(content[: min(cut, len(content) - 9)])
    assert error.value.reason == "undecodable"


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n broken"])
def test_what_is_no_picture_is_undecodable(content):
    with pytest.raises(UnusableError) as error:
        read_picture(content)
    assert error.value.reason == "undecodable"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_too_many_pixels_are_refused(picture, kind, monkeypatch):
    monkeypatch.setattr(room, "MAX_PIXELS", 64 * 48 - 1)

    with pytest.raises(UnusableError) as error:
        read_picture(picture(kind=kind))
    assert error.value.reason == "too_large"


def test_a_bomb_is_refused_before_it_is_decoded(picture, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)

    with pytest.raises(UnusableError) as error:
        read_picture(picture(kind="PNG"))
    assert error.value.reason == "too_large"
