import io
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from components.data.import_dataset import picture as room
from components.data.import_dataset.found import UnusableError
from components.data.import_dataset.picture import EPOCH, picture_size, read_picture
from components.shared.vision.exif import FOLDER, ORIENTATION, TAKEN_AT, TAKEN_OFFSET
from components.shared.vision.jpeg import decode_jpeg


def exif(**tags) -> Image.Exif:
    noted = Image.Exif()
    if "orientation" in tags:
        noted[ORIENTATION] = tags["orientation"]
    noted.get_ifd(FOLDER).update(
        {number: tags[name] for name, number in TAGS.items() if name in tags}
    )
    return noted


TAGS = {"taken": TAKEN_AT, "zone": TAKEN_OFFSET}


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    noted = exif(orientation=6, taken="2024:05:01 12:30:00")
    Image.radial_gradient("L").resize((16, 12)).save(buffer, kind, exif=noted)
    return buffer.getvalue()


PICTURES = [encoded(kind) for kind in ("JPEG", "PNG", "WEBP")]


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
        ({"taken": "0001:01:01 00:00:00", "zone": "+14:00"}, EPOCH),
        ({"taken": "9999:12:31 23:59:59", "zone": "-12:00"}, EPOCH),
        ({}, EPOCH),
    ],
    ids=[
        "time",
        "time and zone",
        "a camera without a clock",
        "the first year",
        "the last year",
        "nothing",
    ],
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


def test_16_bit_grey_keeps_its_range():
    levels = Image.linear_gradient("L")
    wide = Image.frombytes("I;16", levels.size, b"".join(bytes((v, v)) for v in levels.tobytes()))
    buffer = io.BytesIO()
    wide.save(buffer, "PNG")
    read = decode_jpeg(read_picture(buffer.getvalue()).jpeg)

    assert abs(read[..., 0].astype(int) - levels).max() <= 2


@pytest.mark.parametrize("note", [b"II*\0\x08\0\0\0\xff\xff", b"MM\0*", b"nonsense", b""])
def test_a_note_that_cannot_be_read_turns_no_picture(picture, note):
    read = read_picture(picture(kind="PNG", exif=b"Exif\0\0" + note))

    assert (read.width, read.height) == (64, 48)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_size_from_headers_is_that_of_the_picture(picture, kind):
    content = picture(kind=kind, exif=exif(orientation=6))
    read = read_picture(content)

    assert picture_size(content) == (read.width, read.height) == (48, 64)


@pytest.mark.parametrize(
    ("kind", "named"),
    [("TIFF", "TIFF"), ("GIF", "GIF"), ("AVIF", "AVIF"), ("JPEG2000", "JPEG 2000")],
)
def test_another_kind_of_picture_is_named_by_its_content(picture, kind, named):
    with pytest.raises(UnusableError, match=f"its content is {named}, expected JPEG, PNG, BMP"):
        read_picture(picture(kind=kind))


@given(st.data())
def test_no_damage_to_a_picture_raises_anything_but_its_refusal(data):
    content = bytearray(data.draw(st.sampled_from(PICTURES)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    try:
        read = read_picture(bytes(content))
    except UnusableError:
        return

    assert decode_jpeg(read.jpeg).shape[:2] == (read.height, read.width)
