"""Crop and enlarge a square around an error, with the true and the found boxes drawn in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow

from components.shared.contracts.annotation import Box
from components.shared.vision.boxes import box_array
from components.shared.vision.draw import COLOURS, draw_boxes
from components.shared.vision.jpeg import Image

TRUTH, FOUND = COLOURS[2], COLOURS[1]
CONTEXT = 2.6  # side of the square, as a multiple of the boxes in it
MIN_SIDE_PX = 72  # of the picture


@dataclass(frozen=True, slots=True)
class Square:
    """A square crop of a picture: left top corner and side, in pixels of the picture."""

    x: float
    y: float
    side: float


def square_around(boxes: Sequence[Box], width: int, height: int) -> Square:
    """Return a square around some boxes with room to see where they stand.

    Args:
        boxes: The boxes to show, at least one.
        width: Width of the picture in pixels; the square stays inside if it fits.
        height: Height of the picture in pixels.
    """
    corners = box_array(boxes)
    low, high = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
    side = float(np.clip((high - low).max() * CONTEXT, MIN_SIDE_PX, min(width, height)))
    x, y = np.clip((low + high) / 2 - side / 2, 0, np.array([width, height]) - side)
    return Square(float(x), float(y), side)


def enlarge(image: Image, square: Square, pixels: int) -> Image:
    """Return the crop of a picture, resized to `[pixels, pixels, 3]`.

    Args:
        image: The picture, `[H, W, 3]`.
        square: The crop, in pixels of the picture.
        pixels: Side of the result, in pixels.
    """
    region = (square.x, square.y, square.x + square.side, square.y + square.side)
    cut = Pillow.fromarray(image).resize((pixels, pixels), Pillow.Resampling.BICUBIC, region)
    return np.asarray(cut)


def placed(box: Box, square: Square, pixels: int) -> Box:
    """Return a box of a picture in the coordinates of the enlarged crop.

    Args:
        box: A box in pixels of the picture.
        square: The crop, in pixels of the picture.
        pixels: Side of the enlarged crop, in pixels.
    """
    scale = pixels / square.side
    corners = {
        edge: (getattr(box, edge) - start) * scale
        for start, edges in ((square.x, ("x_min", "x_max")), (square.y, ("y_min", "y_max")))
        for edge in edges
    }
    return box.model_copy(update=corners)


def close_up(image: Image, truth: Sequence[Box], found: Sequence[Box], pixels: int = 240) -> Image:
    """Return a crop around some boxes, with true boxes drawn under the found ones.

    Args:
        image: The picture, `[H, W, 3]`.
        truth: Labelled boxes, in pixels of the picture.
        found: Detected boxes, in pixels of the picture.
        pixels: Side of the result, in pixels.
    """
    height, width = image.shape[:2]
    square = square_around([*truth, *found], width, height)
    return _drawn(enlarge(image, square, pixels), square, pixels, truth, found)


def whole(image: Image, truth: Sequence[Box], found: Sequence[Box], pixels: int = 420) -> Image:
    """Return a picture, `pixels` wide, with true boxes drawn under the found ones.

    Args:
        image: The picture, `[H, W, 3]`.
        truth: Labelled boxes, in pixels of the picture.
        found: Detected boxes, in pixels of the picture.
        pixels: Width of the result, in pixels.
    """
    height, width = image.shape[:2]
    size = (pixels, max(1, round(height * pixels / width)))
    shrunk = np.asarray(Pillow.fromarray(image).resize(size, Pillow.Resampling.LANCZOS))
    return _drawn(shrunk, Square(0, 0, width), pixels, truth, found)


def _drawn(
    image: Image, square: Square, pixels: int, truth: Sequence[Box], found: Sequence[Box]
) -> Image:
    for boxes, colour in ((truth, TRUTH), (found, FOUND)):
        image = draw_boxes(image, [placed(box, square, pixels) for box in boxes], colour, ())
    return image
