"""Draw boxes with captions on a copy of an image."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.vision.jpeg import Image

Colour = tuple[int, int, int]

# Okabe and Ito's colours, lightened for pictures: distinct for colour-blind people too.
COLOURS: tuple[Colour, ...] = (
    (86, 190, 245), (245, 135, 45), (70, 220, 160), (240, 228, 66), (235, 150, 200), (250, 185, 60),
)  # fmt: skip
UNKNOWN: Colour = (255, 80, 80)
DARK: Colour = (12, 14, 18)


def class_colour(label: str, classes: Sequence[str]) -> Colour:
    """Return the colour of a class, the same on every image of a dataset.

    Args:
        label: Name of the class.
        classes: Class names of the dataset, in order.
    """
    return COLOURS[classes.index(label) % len(COLOURS)] if label in classes else UNKNOWN


def caption_of(box: Box) -> str:
    """Return the caption of a box: its label, and its score if it has one.

    >>> caption_of(ScoredBox(x_min=0, y_min=0, x_max=1, y_max=1, label="car", score=0.914))
    'car 0.91'
    """
    return f"{box.label} {box.score:.2f}" if isinstance(box, ScoredBox) else box.label


def draw_boxes(
    image: Image,
    boxes: Sequence[Box],
    colour: Colour | Sequence[Colour] = COLOURS[0],
    captions: Sequence[str] | None = None,
    thickness: float = 0,
) -> Image:
    """Draw boxes with captions on a copy of an image.

    Args:
        image: uint8 `[height, width, 3]`, RGB; it is not changed.
        boxes: In pixels of the image; what lies outside is not drawn.
        colour: RGB of all boxes, or one for each.
        captions: One for each box, `caption_of` if not given, none if empty. A box much
            smaller than its tag goes without.
        thickness: Of the lines in pixels; 0 chooses by the size of the image.

    Returns:
        uint8 `[height, width, 3]`.
    """
    colours = np.broadcast_to(np.reshape(colour, (-1, 3)), (len(boxes), 3))
    words = [caption_of(box) for box in boxes] if captions is None else captions
    thickness = thickness or max(1.4, min(image.shape[:2]) / 300)
    drawn = image.astype(np.float32)
    for box, ink in zip(boxes, colours, strict=True):
        _blend(drawn, box, DARK, thickness + 1.6, 0.45)  # an edge, for bright backgrounds
        _blend(drawn, box, ink, thickness, 1.0)
    picture = Pillow.fromarray(drawn.round().astype(np.uint8))
    for box, ink, word in zip(boxes, colours, words, strict=False):
        _tag(picture, box, (int(ink[0]), int(ink[1]), int(ink[2])), word)
    return np.array(picture)


def _blend(image: NDArray[np.float32], box: Box, ink: ArrayLike, thick: float, most: float) -> None:
    """Lay the outline over the image, each pixel by the share of it that is covered."""
    half = thick / 2
    across, down = (
        slice(max(0, math.floor(low - half)), max(0, math.ceil(high + half)))
        for low, high in ((box.x_min, box.x_max), (box.y_min, box.y_max))
    )
    part = image[down, across]  # a view: the rest of the image is not touched
    origin = across.start, down.start
    frame = _covered(part, origin, box, half) - _covered(part, origin, box, -half)  # [H, W]
    weight = most * frame[..., None].clip(0, 1)
    part += weight * (np.asarray(ink, np.float32) - part)


def _covered(
    image: NDArray[np.float32], origin: tuple[int, int], box: Box, grow: float
) -> NDArray[np.float32]:
    height, width = image.shape[:2]
    x, y = origin
    across = _share(box.x_min - x - grow, box.x_max - x + grow, width)
    down = _share(box.y_min - y - grow, box.y_max - y + grow, height)
    return np.outer(down, across).astype(np.float32)


def _share(low: float, high: float, length: int) -> NDArray[np.float64]:
    pixels = np.arange(length)
    return np.asarray(np.clip(np.minimum(high, pixels + 1) - np.maximum(low, pixels), 0, 1))


def _tag(picture: Pillow.Image, box: Box, ink: Colour, word: str) -> None:
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=max(10, round(min(picture.size) / 40)))
    left, top, right, bottom = pen.textbbox((0, 0), word, font=font)
    width, height = right - left + 7, bottom - top + 6
    if not word or box.width < width / 3:
        return
    x = min(max(0, box.x_min), picture.width - width)
    y = box.y_min - height if box.y_min >= height else max(0, box.y_min)
    pen.rectangle((x, y, x + width - 1, y + height - 1), fill=ink)
    pen.text((x + 3.5 - left, y + 3 - top), word, font=font, fill=DARK)
