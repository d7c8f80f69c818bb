"""A user's file becomes an upright JPEG: as it is if it is one, else encoded once."""

import io
import re
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime

from PIL import Image, ImageOps

from components.import_dataset.found import UnusableError
from components.vision.exif import Exif
from components.vision.jpeg import MAX_PIXELS, JpegError, decode_jpeg, encode_jpeg
from components.vision.jpeg_structure import read_structure

QUALITY = 95
OTHERS = ("PNG", "BMP", "WEBP")

# Where a file does not say when it was taken. Times of files differ between copies, and
# the same folder must give the same events wherever it is imported.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as it is stored: its JPEG, its size in pixels, and when it was taken."""

    jpeg: bytes
    width: int
    height: int
    captured_at: datetime


def read_picture(content: bytes) -> Picture:
    """Return a file's picture, every pixel of it decoded once to see that it can be.

    A JPEG stays as it is, unless a camera noted that it must be turned: boxes are drawn on
    what people see, so it is turned and encoded again.

    Raises:
        UnusableError: `too_large`, `undecodable`, or `unsupported_format`.
    """
    if content[:2] != b"\xff\xd8":
        return _encoded(_open(content, OTHERS), EPOCH)
    try:
        exif = read_structure(content, MAX_PIXELS).exif
        upright = decode_jpeg(content, MAX_PIXELS)
    except JpegError as cause:
        reason = "too_large" if cause.reason == "too_large" else "undecodable"
        raise UnusableError(reason, cause.detail) from cause
    height, width = upright.shape[:2]
    if exif.orientation != 1:
        return Picture(encode_jpeg(upright, QUALITY), width, height, taken_at(exif))
    return Picture(content, width, height, taken_at(exif))


def taken_at(exif: Exif) -> datetime:
    """Return when a camera says a picture was taken, or `EPOCH`; UTC if it names no zone."""
    suffix = exif.offset if re.fullmatch(r"[+-]\d\d:\d\d", exif.offset) else "+00:00"
    try:
        return datetime.strptime(exif.taken_at + suffix, "%Y:%m:%d %H:%M:%S%z")
    except ValueError:
        return EPOCH


def _open(content: bytes, formats: tuple[str, ...]) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture = Image.open(io.BytesIO(content), formats=formats)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as cause:
            raise UnusableError("too_large", str(cause)) from cause
        except (OSError, SyntaxError, ValueError) as cause:  # what Pillow's readers raise
            raise UnusableError("undecodable", "no JPEG, PNG, BMP or WebP") from cause
    if picture.width * picture.height > MAX_PIXELS:
        size = f"{picture.width} x {picture.height}"
        raise UnusableError("too_large", f"{size}, expected at most {MAX_PIXELS:,} pixels")
    return picture


def _encoded(picture: Image.Image, captured_at: datetime) -> Picture:
    buffer = io.BytesIO()
    try:
        upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, SyntaxError, ValueError) as cause:
        raise UnusableError("undecodable", str(cause)) from cause
    upright.save(buffer, "JPEG", quality=QUALITY)
    return Picture(buffer.getvalue(), upright.width, upright.height, captured_at)
