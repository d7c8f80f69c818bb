"""Geometry of random crops and mosaic tiles: positions of an image and its boxes on the canvas."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_VISIBLE = 0.3  # share of a box that must remain for it to count
MIN_SIDE_PX = 3  # pixels

Rng = np.random.Generator
Rectangle = tuple[int, int, int, int]  # left, top, right, bottom; the last two exclusive
Place = tuple[float, float, float, float]  # the same, between pixels
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Crop:
    """A scaled and shifted image, and the rectangle of the canvas in which it is visible.

    Attributes:
        pane: The part of the canvas where it is seen, in whole pixels.
        place: What all of it covers, in whole pixels of the canvas; it may exceed the pane.
        mirrored: Whether left and right change places.
    """

    pane: Rectangle
    place: Rectangle
    mirrored: bool

    @property
    def shown(self) -> Rectangle:
        """Return the part of the canvas where the image is visible."""
        left, top, right, bottom = self.place
        return (
            max(left, self.pane[0]),
            max(top, self.pane[1]),
            min(right, self.pane[2]),
            min(bottom, self.pane[3]),
        )

    def source(self, size: tuple[int, int]) -> Place:
        """Return the visible part of the image, in its pixels.

        Args:
            size: Its width and height in pixels, whatever the place's are.

        Returns:
            The part that is seen, in the picture's pixels, before it is mirrored.
        """
        left, top, right, bottom = self.place
        across, down = size[0] / (right - left), size[1] / (bottom - top)
        shown = self.shown
        first, last = shown[0] - left, shown[2] - left
        if self.mirrored:
            first, last = right - shown[2], right - shown[0]
        return first * across, (shown[1] - top) * down, last * across, (shown[3] - top) * down

    def move(
        self, boxes: NDArray[np.float32], classes: NDArray[np.int32], size: tuple[int, int]
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Move boxes with the image, clip them to the crop, and drop those that are hardly visible.

        Args:
            boxes: `[N, 4]` as xyxy, in pixels of the picture.
            classes: `[N]`.
            size: The picture's width and height in the same pixels.

        Returns:
            Boxes `[K, 4]` in pixels of the canvas, and their classes `[K]`.
        """
        left, top, right, bottom = self.place
        scales = np.array([(right - left) / size[0], (bottom - top) / size[1]] * 2)
        if self.mirrored:
            boxes = boxes[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (size[0], 0, size[0], 0)
        moved = boxes * scales + (left, top, left, top)
        cut = np.clip(moved, self.pane[:2] * 2, self.pane[2:] * 2)
        before, after = moved[:, 2:] - moved[:, :2], cut[:, 2:] - cut[:, :2]
        visible = after.prod(axis=1) >= MIN_VISIBLE * before.prod(axis=1)
        kept = visible & (after.min(axis=1, initial=np.inf) >= MIN_SIDE_PX)
        return cut[kept].astype(np.float32), classes[kept]


def random_crop(pane: Rectangle, size: tuple[int, int], zoom: Span, rng: Rng) -> Crop:
    """Fit an image into a rectangle with a random zoom and shift.

    Args:
        pane: The part of the canvas that it has.
        size: The picture's width and height in pixels when it just fits the canvas.
        zoom: The least and the most that it is scaled by.
        rng: Decides.
    """
    scale = log_uniform(zoom, rng)
    width, height = (max(1, round(side * scale)) for side in size)
    # Slide it between its two extreme positions in the pane.
    left = pane[0] + round((pane[2] - pane[0] - width) * rng.random())
    top = pane[1] + round((pane[3] - pane[1] - height) * rng.random())
    return Crop(pane, (left, top, left + width, top + height), mirrored=bool(rng.random() < 0.5))


def mosaic_tiles(width: int, height: int, rng: Rng) -> Sequence[Rectangle]:
    """Divide a canvas into four tiles around a point near its centre.

    Args:
        width: Width of the canvas in pixels.
        height: Height of the canvas in pixels.
        rng: Random numbers.

    Source:
        Bochkovskiy et al., "YOLOv4", 2020: the mosaic.
    """
    x, y = (int(side * rng.uniform(0.3, 0.7)) for side in (width, height))
    return ((0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height))


def log_uniform(span: Span, rng: Rng) -> float:
    """Return a factor whose logarithm is uniform, so that halving is as likely as doubling.

    Args:
        span: Smallest and largest factor, above 0.
        rng: Random numbers.
    """
    low, high = map(math.log, span)
    return math.exp(low + rng.random() * (high - low))
