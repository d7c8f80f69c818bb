import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from components.shared.vision.jpeg import (
    JpegError,
    decode_jpeg,
    decode_reduced,
    decode_small,
    encode_jpeg,
    jpeg_size,
)

RAMP = np.stack(np.broadcast_arrays(np.arange(64)[:, None] * 3, np.arange(96) * 2, 90), axis=2)
PICTURE = RAMP.astype(np.uint8)
JPEG = encode_jpeg(PICTURE)


def saved(mode, **options):
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).convert(mode).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def claiming(width, height):
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + JPEG[at + 4 :]


def test_the_size_is_read_without_decoding():
    assert jpeg_size(claiming(300, 200)) == (300, 200)


@given(st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_the_size_is_that_of_the_decoded_picture(width, height):
    content = encode_jpeg(np.zeros((height, width, 3), np.uint8))

    assert (*jpeg_size(content)[::-1], 3) == decode_jpeg(content).shape == (height, width, 3)


def test_a_picture_survives_the_round_trip():
    assert np.abs(decode_jpeg(JPEG).astype(int) - PICTURE).max() < 12


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_every_colour_space_becomes_rgb(mode):
    grey = np.array(Image.fromarray(PICTURE).convert("L"), int)
    decoded = decode_jpeg(saved(mode))

    assert decoded.shape == (64, 96, 3)
    assert np.abs(np.array(Image.fromarray(decoded).convert("L"), int) - grey).max() < 12


def test_a_progressive_jpeg_is_decoded():
    assert decode_jpeg(saved("RGB", progressive=True)).shape == (64, 96, 3)


def test_a_forged_size_is_refused_before_memory_is_spent():
    with pytest.raises(JpegError, match="too_large: the frame is 60000 x 60000, expected at most"):
        decode_jpeg(claiming(60_000, 60_000))


def test_a_second_frame_header_is_refused():
    at = JPEG.index(b"\xff\xc0")

    with pytest.raises(JpegError, match="found 2 frame headers"):
        decode_jpeg(JPEG[:at] + JPEG[at : at + 19] + JPEG[at:])


def test_too_many_scans_are_refused():
    with pytest.raises(JpegError, match="undecodable: 201 scans"):
        decode_jpeg(JPEG[:-2] + b"\xff\xda\x00\x02" * 200 + b"\xff\xd9")


def test_a_png_is_not_a_jpeg():
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, "PNG")

    with pytest.raises(JpegError) as refusal:
        decode_jpeg(buffer.getvalue())

    assert refusal.value.reason == "not_a_jpeg"


@given(st.integers(0, len(JPEG) - 1))
@settings(deadline=None)
def test_a_truncated_jpeg_is_refused(length):
    with pytest.raises(JpegError):
        decode_jpeg(JPEG[:length])


@given(st.integers(0, len(JPEG) - 1), st.integers(0, 255))
@settings(deadline=None, max_examples=200)
def test_a_changed_byte_is_refused_or_decoded_and_nothing_else(place, value):
    content = JPEG[:place] + bytes([value]) + JPEG[place + 1 :]
    with contextlib.suppress(JpegError):
        assert decode_jpeg(content, max_pixels=100_000).shape[1::-1] == jpeg_size(content)


def test_a_small_decode_keeps_the_shortest_side_and_the_grey_levels():
    content = encode_jpeg(np.full((480, 640, 3), 90, np.uint8))
    small = decode_small(content, shortest=32)

    assert small.shape == (60, 80)
    assert np.all(small == 90)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_reduced_decode_is_the_same_picture(mode):
    content = saved(mode)
    whole = decode_jpeg(content)
    reduced = decode_reduced(content, (whole.shape[1], whole.shape[0]))

    assert np.array_equal(np.asarray(reduced), whole)


@pytest.mark.parametrize(("least", "size"), [((320, 240), (320, 240)), ((321, 240), (640, 480))])
def test_a_reduced_decode_is_never_smaller_than_asked(least, size):
    content = encode_jpeg(np.zeros((480, 640, 3), np.uint8))

    assert decode_reduced(content, least).size == size


def test_what_else_a_file_holds_is_not_held_with_its_picture():
    content = saved("RGB", icc_profile=bytes(200_000), exif=b"Exif\0\0" + bytes(50_000))
    reduced = decode_reduced(content, (96, 64))

    assert len(content) > 250_000
    assert [len(held) for held in (reduced.info, reduced.app, reduced.applist)] == [0, 0, 0]


def test_an_image_of_the_wrong_kind_is_not_encoded():
    with pytest.raises(ValueError, match=r"image is float64 \[4, 4, 3\], expected uint8"):
        encode_jpeg(np.zeros((4, 4, 3)))
