"""What a JPEG would cost is known before it is decoded, and a decoder sees nothing else of it."""

import io
import struct
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from components.shared.vision.exif import MAX_ENTRIES, Exif, read_exif
from components.shared.vision.jpeg import JpegError, decode_jpeg, decode_reduced, jpeg_size
from components.shared.vision.jpeg_structure import SOON_BYTES, _end_of_scan, read_structure
from tests.support.jpegs import BOMBS, JPEG, saved, segment, with_segments


@pytest.mark.parametrize(("bomb", "reason"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_by_its_headers(bomb, reason):
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(JpegError) as refusal:
            decode_jpeg(bomb)
        spent = time.process_time() - started
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert refusal.value.reason == reason
    assert peak < 16 * 2**20
    assert spent < 5, "a bomb takes seconds"


@pytest.mark.parametrize(
    "behind",
    [bytes(10_000), b"\r\n", b"MotionPhoto_Data" + b"\xff\xda\x12" * 40, JPEG, b"\xff\xd9"],
    ids=["zeros", "a line end", "a film", "another JPEG", "a second end"],
)
def test_what_follows_the_end_is_no_part_of_a_jpeg(behind):
    assert np.array_equal(decode_jpeg(JPEG + behind), decode_jpeg(JPEG))


@given(st.integers(0, 40), st.sampled_from([b"\xff\x00", b"\xff\xff", b"\x07\xff\xd3"]))
def test_a_long_scan_ends_at_its_first_marker(around, filler):
    scan = (filler * SOON_BYTES)[: SOON_BYTES - 20 + around].rstrip(b"\xff") + b"\x00"

    assert _end_of_scan(scan + b"\xff\xc4" + scan, 0, 10**7) == len(scan)


def test_an_end_marker_inside_a_note_is_none():
    thumbnail = segment(0xE1, b"Exif\0\0" + JPEG)

    assert np.array_equal(decode_jpeg(with_segments(thumbnail)), decode_jpeg(JPEG))


def test_a_decoder_gets_no_notes_and_no_profile():
    content = saved(icc_profile=bytes(200_000), exif=b"Exif\0\0" + bytes(50_000), comment=b"hello")

    assert len(content) > 250_000
    assert len(read_structure(content, 10**6).image) < 5_000


@given(st.integers(2, len(JPEG) - 3), st.binary(max_size=8))
def test_a_changed_file_has_the_size_that_the_decoder_sees_or_is_refused(place, inserted):
    content = JPEG[:place] + inserted + JPEG[place + 1 :]
    try:
        size = decode_jpeg(content, 100_000).shape[1::-1]
    except JpegError:
        return
    assert size == jpeg_size(content)


def oriented(orientation: int) -> bytes:
    noted = Image.Exif()
    noted[0x0112] = orientation
    return saved(exif=noted)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_upright_as_viewers_show_it(orientation):
    content = oriented(orientation)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))

    assert np.array_equal(decode_jpeg(content), expected)
    assert jpeg_size(content) == expected.shape[1::-1]
    whole = decode_reduced(content, expected.shape[1::-1])
    assert np.array_equal(np.asarray(whole), expected)


def test_a_reduced_picture_that_is_turned_is_never_smaller_than_asked():
    noted = Image.Exif()
    noted[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (640, 480)).save(buffer, "JPEG", exif=noted)

    assert decode_reduced(buffer.getvalue(), (240, 320)).size == (240, 320)
    assert decode_reduced(buffer.getvalue(), (240, 321)).size == (480, 640)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_note_of_either_byte_order_is_read(order):
    begin = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    first = struct.pack(order + "H", 2)
    first += struct.pack(order + "HHIHH", 0x0112, 3, 1, 8, 0)
    first += struct.pack(order + "HHII", 0x8769, 4, 1, 38) + bytes(4)
    folder = struct.pack(order + "H", 2)
    folder += struct.pack(order + "HHII", 0x9003, 2, 20, 68)
    folder += struct.pack(order + "HHII", 0x9011, 2, 7, 88) + bytes(4)
    note = begin + first + folder + b"2024:05:01 12:30:00\0" + b"+02:00\0"

    assert read_exif(note) == Exif(8, "2024:05:01 12:30:00", "+02:00")


@given(st.binary(max_size=200), st.sampled_from([b"II*\0", b"MM\0*", b""]))
def test_no_note_raises(tail, begin):
    assert 1 <= read_exif(begin + tail).orientation <= 8


def test_a_note_takes_no_more_time_than_its_first_entries():
    entries = struct.pack("<HHIHH", 0x010F, 3, 1, 1, 0) * 65_535
    last = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    begin = b"II*\0" + struct.pack("<IH", 8, 65_535)

    assert read_exif(begin + entries[: 12 * MAX_ENTRIES] + last).orientation == 1
