"""Convert an image file to an upright JPEG: unchanged if it is one already, else encoded once."""

import io
import re
import warnings
from dataclasses import dataclass
from datetime import datetime

from PIL import Image

from components.data.import_dataset.found import UnusableError
from components.shared.contracts.values import FIRST_INSTANT, LAST_INSTANT
from components.shared.vision.exif import EXIF, Exif, read_exif
from components.shared.vision.jpeg import (
    MAX_PIXELS,
    TURNS,
    JpegError,
    decode_jpeg,
    encode_jpeg,
    jpeg_size,
)
from components.shared.vision.jpeg_structure import read_structure

QUALITY = 95
OTHERS = ("PNG", "BMP", "WEBP")

# Where a file does not say when it was taken. Times of files differ between copies, and
# the same folder must give the same events wherever it is imported.
EPOCH = FIRST_INSTANT

# What a file is by its first bytes, if it is none of the pictures that are read.
OTHER_KINDS = (
    (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"GIF8", "GIF"), (b"%PDF", "PDF"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"), (b"<", "text"),
)  # fmt: skip
BRANDS = {b"avif": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIF", b"msf1": "HEIF"}
SIXTEEN_BIT_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image as it is stored: its JPEG, its size in pixels, and when it was taken."""

    jpeg: bytes
    width: int
    height: int
    captured_at: datetime


def read_picture(content: bytes) -> StoredImage:
    """Decode an image file completely, as a check, and return it as an upright JPEG.

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
        return StoredImage(encode_jpeg(upright, QUALITY), width, height, taken_at(exif))
    return StoredImage(content, width, height, taken_at(exif))


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height as `read_picture` does, from the headers alone; None if it cannot."""
    try:
        if content[:2] == b"\xff\xd8":
            return jpeg_size(content, MAX_PIXELS)
        picture = _open(content, OTHERS)
    except (JpegError, UnusableError):
        return None
    width, height = picture.size
    return (height, width) if _orientation(picture) >= 5 else (width, height)


def taken_at(exif: Exif) -> datetime:
    """Return the capture time from EXIF, UTC if it has no time zone; `EPOCH` if there is none."""
    suffix = exif.offset if re.fullmatch(r"[+-]\d\d:\d\d", exif.offset) else "+00:00"
    try:
        taken = datetime.strptime(exif.taken_at + suffix, "%Y:%m:%d %H:%M:%S%z")
    except ValueError:
        return EPOCH
    return taken if EPOCH <= taken < LAST_INSTANT else EPOCH  # else its camera has no clock


def kind_of(content: bytes) -> str:
    r"""Return a file's type by its content, for messages.

    >>> kind_of(b"GIF89a"), kind_of(b"\0\0\0\x1cftypavif"), kind_of(b"")
    ('GIF', 'AVIF', 'empty')
    """
    if not content:
        return "empty"
    if content[4:8] == b"ftyp":
        return BRANDS.get(content[8:12], "a film")
    return next((kind for mark, kind in OTHER_KINDS if content.startswith(mark)), "unknown")


def _open(content: bytes, formats: tuple[str, ...]) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture = Image.open(io.BytesIO(content), formats=formats)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as cause:
            raise UnusableError("too_large", str(cause)) from cause
        except Exception as cause:  # whatever a decoder does with one file, the next one is read
            detail = f"its content is {kind_of(content)}, expected JPEG, PNG, BMP or WebP"
            raise UnusableError("undecodable", detail) from cause
    if picture.width * picture.height > MAX_PIXELS:
        size = f"{picture.width} x {picture.height}"
        raise UnusableError("too_large", f"{size}, expected at most {MAX_PIXELS:,} pixels")
    return picture


def _encoded(picture: Image.Image, captured_at: datetime) -> StoredImage:
    buffer = io.BytesIO()
    try:
        picture.load()  # a PNG may have its notes behind its pixels
        turn = TURNS.get(_orientation(picture))
        colours = _eight_bit(picture).convert("RGB")
        upright = colours if turn is None else colours.transpose(turn)
    except Exception as cause:  # as above
        raise UnusableError("undecodable", str(cause) or type(cause).__name__) from cause
    upright.save(buffer, "JPEG", quality=QUALITY)
    return StoredImage(buffer.getvalue(), upright.width, upright.height, captured_at)


def _eight_bit(picture: Image.Image) -> Image.Image:
    """Return 16-bit grey with its whole range in 8 bits; Pillow would cut it at 255."""
    if picture.mode not in SIXTEEN_BIT_MODES:
        return picture
    return picture.convert("I").point(lambda level: level * (1 / 257)).convert("L")


def _orientation(picture: Image.Image) -> int:
    """Return the EXIF orientation; 1 if it is absent or unreadable."""
    note = picture.info.get("exif")
    profile = picture.info.get("Raw profile type exif")  # as ImageMagick writes it into a PNG
    if note is None and isinstance(profile, str):
        digits = "".join(profile.split("\n")[3:])
        note = bytes.fromhex(digits) if re.fullmatch(r"([0-9a-fA-F]{2})*", digits) else b""
    return read_exif(note.removeprefix(EXIF)).orientation if isinstance(note, bytes) else 1
