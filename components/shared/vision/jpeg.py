"""Decode untrusted JPEGs to upright images, after checks of their headers."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.JpegImagePlugin import JpegImageFile

from components.shared.vision.jpeg_structure import JpegError as JpegError
from components.shared.vision.jpeg_structure import Structure, read_structure

Image = NDArray[np.uint8]
Transpose = Pillow.Transpose
MAX_PIXELS = 50_000_000

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in the grey of a colour: ITU-T T.871
TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}  # by the orientation that Exif notes


def jpeg_size(content: bytes, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Return the size of the upright image, from the headers alone.

    Args:
        content: The whole file.
        max_pixels: The most that width times height may be.

    Returns:
        Width and height in pixels, each at least 1, of the upright picture.

    Raises:
        JpegError: As `decode_jpeg`, but for what only decoding shows.
    """
    return read_structure(content, max_pixels).upright


def decode_jpeg(content: bytes, max_pixels: int = MAX_PIXELS) -> Image:
    """Decode a JPEG of any colour space to RGB, upright.

    Args:
        content: The whole file.
        max_pixels: The most that width times height may be.

    Returns:
        uint8 `[height, width, 3]`, RGB.

    Raises:
        JpegError: `not_a_jpeg`, `too_large` or `undecodable`, which a truncated file is too;
            before any memory is spent where the headers tell.
    """
    return np.array(_decoded(content, max_pixels, "RGB", least=None))


def decode_small(content: bytes, shortest: int, max_pixels: int = MAX_PIXELS) -> Image:
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
    content: bytes, least: tuple[int, int], max_pixels: int = MAX_PIXELS
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
    structure = read_structure(content, max_pixels)
    try:
        picture = JpegImageFile(io.BytesIO(structure.image))
        _require_size(picture.size, structure)
        if least:
            picture.draft(mode, least[::-1] if structure.exif.swaps_sides else least)
        picture.load()
        for headers in (picture.info, picture.app, picture.applist):
            headers.clear()
        decoded = picture if picture.mode == mode else picture.convert(mode)
    except (OSError, SyntaxError, ValueError) as cause:  # what Pillow's decoder raises
        raise JpegError("undecodable", str(cause)) from cause
    turn = TURNS.get(structure.exif.orientation)
    return decoded if turn is None else decoded.transpose(turn)


def _require_size(decoders: tuple[int, int], structure: Structure) -> None:
    parsed = (structure.width, structure.height)
    if decoders != parsed:
        raise JpegError("undecodable", f"the decoder reads {decoders}, but the frame is {parsed}")
