"""A JPEG from outside is measured before it is decoded, and refused by name if it is none."""

import io
import re
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.JpegImagePlugin import JpegImageFile

from components.contracts.refusal import Refusal

Image = NDArray[np.uint8]
Reason = Literal["not_a_jpeg", "too_large", "undecodable"]

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in the grey of a colour: ITU-T T.871
START_OF_SCAN = 0xDA
SCAN_OR_END = re.compile(b"\xff[\xda\xd9]")
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
MOST_SCANS = 100  # a progressive file has about ten; each costs a pass over every pixel


class JpegError(Refusal):
    """Bytes are no JPEG that we decode; `reason` is a code that can be counted."""

    def __init__(self, reason: Reason, detail: str) -> None:
        """Keep the reason beside the sentence."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def jpeg_size(content: bytes) -> tuple[int, int]:
    """Return the size that a JPEG claims, from its frame header and nothing else.

    Args:
        content: The whole file, or as much of it as holds the headers.

    Returns:
        Width and height in pixels, each at least 1, as stored: an orientation in the
        EXIF data is not applied, for boxes are in pixels of the stored image.

    Raises:
        JpegError: `not_a_jpeg` if there is not exactly one frame header before the scan.

    Source:
        ITU-T T.81, annex B.
    """
    frames = [at for marker, at in _segments(content) if marker in FRAME_HEADERS]
    if len(frames) != 1:
        raise JpegError("not_a_jpeg", f"found {len(frames)} frame headers, expected one")
    height, width = (_number(content, frames[0] + offset) for offset in (3, 5))
    if not width * height:
        raise JpegError("not_a_jpeg", f"the frame is {width} x {height}, expected some pixels")
    return width, height


def decode_jpeg(content: bytes, max_pixels: int = 50_000_000) -> Image:
    """Decode a JPEG of any colour space to RGB.

    Args:
        content: The whole file.
        max_pixels: The most that width times height may be.

    Returns:
        uint8 `[height, width, 3]`, RGB.

    Raises:
        JpegError: `not_a_jpeg`, `too_large` (before any memory is spent), or
            `undecodable`, which a truncated file is too.
    """
    return np.array(_decoded(content, max_pixels, "RGB", least=None))


def decode_small(content: bytes, shortest: int, max_pixels: int = 50_000_000) -> Image:
    """Decode a JPEG to grey at an eighth, quarter or half of its size, several times faster.

    Args:
        content: The whole file.
        shortest: Neither side becomes shorter than this, in pixels, if it was longer.
        max_pixels: The most that width times height of the stored image may be.

    Returns:
        uint8 `[rows, columns]`, grey levels.

    Raises:
        JpegError: As `decode_jpeg`.
    """
    return np.array(_decoded(content, max_pixels, "L", (shortest, shortest)))


def decode_reduced(
    content: bytes, least: tuple[int, int], max_pixels: int = 50_000_000
) -> Pillow.Image:
    """Decode a JPEG at an eighth, quarter or half of its size where that is large enough.

    The reduction happens among the frequencies, where it is nearly free and aliases little.

    Args:
        content: The whole file.
        least: Width and height, in pixels, below which neither side falls by it.
        max_pixels: The most that width times height of the stored image may be.

    Returns:
        RGB.

    Raises:
        JpegError: As `decode_jpeg`.
    """
    return _decoded(content, max_pixels, "RGB", least)


def encode_jpeg(image: Image, quality: int = 90) -> bytes:
    """Return an image as JPEG.

    Args:
        image: uint8 `[height, width, 3]`, RGB.
        quality: 1 to 95.

    Raises:
        ValueError: If the array is no such image.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"image is {image.dtype} {list(image.shape)}, expected uint8 [height, width, 3]"
        )
    buffer = io.BytesIO()
    Pillow.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _decoded(
    content: bytes, max_pixels: int, mode: str, least: tuple[int, int] | None
) -> Pillow.Image:
    width, height = jpeg_size(content)
    if width * height > max_pixels:
        raise JpegError(
            "too_large", f"the frame is {width} x {height}, expected at most {max_pixels:,} pixels"
        )
    _check_scans(content)
    try:
        picture = JpegImageFile(io.BytesIO(content))
        if least:
            picture.draft(mode, least)
        picture.load()
        for headers in (picture.info, picture.app, picture.applist):
            headers.clear()  # a profile of colours may be larger than the pixels
        return picture if picture.mode == mode else picture.convert(mode)
    except (OSError, SyntaxError, ValueError) as cause:  # what Pillow's decoder raises
        raise JpegError("undecodable", str(cause)) from cause


def _check_scans(content: bytes) -> None:
    # Inside a scan 0xFF is never followed by these, so looking for bytes finds markers.
    markers = SCAN_OR_END.findall(content)
    scans = markers.count(b"\xff\xda")
    if scans > MOST_SCANS:
        raise JpegError("undecodable", f"{scans} scans, expected at most {MOST_SCANS}")
    if markers[-1:] == [b"\xff\xda"]:
        raise JpegError("undecodable", "the file is truncated: its end marker is missing")


def _segments(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield marker and place of each header segment, up to and without the first scan."""
    if content[:3] != b"\xff\xd8\xff":
        raise JpegError("not_a_jpeg", f"begins with {content[:3].hex(' ')!r}, expected 'ff d8 ff'")
    at = 2
    while True:
        while content[at + 1 : at + 2] == b"\xff":  # fill bytes are allowed before a marker
            at += 1
        if content[at : at + 1] != b"\xff" or at + 4 > len(content):
            raise JpegError("not_a_jpeg", f"no marker at byte {at:,}")
        marker = content[at + 1]
        if marker == START_OF_SCAN:
            return
        yield marker, at + 2
        at += 2 + max(2, _number(content, at + 2))


def _number(content: bytes, at: int) -> int:
    if at + 2 > len(content):
        raise JpegError("not_a_jpeg", "the file ends inside its headers")
    return int.from_bytes(content[at : at + 2], "big")
