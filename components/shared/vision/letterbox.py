"""Letterbox an image: scale it to fit the network's input, centred, with grey padding."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PADDING = 114  # grey level, 0 to 255


@dataclass(frozen=True)
class Letterbox:
    """Scale and padding of images of one size for a network input of another.

    Args:
        source_width: Width of the picture in pixels.
        source_height: Height of the picture in pixels.
        target_width: Width of the network's input in pixels.
        target_height: Height of the network's input in pixels.
    """

    source_width: int
    source_height: int
    target_width: int
    target_height: int

    @property
    def scale(self) -> float:
        """Return pixels of the network's input per pixel of the picture."""
        return min(self.target_width / self.source_width, self.target_height / self.source_height)

    @property
    def inner(self) -> tuple[int, int]:
        """Return width and height of the image inside the network's input."""
        width = round(self.source_width * self.scale)
        height = round(self.source_height * self.scale)
        return max(width, 1), max(height, 1)

    @property
    def pad_x(self) -> int:
        """Return the columns of grey on the left."""
        return (self.target_width - self.inner[0]) // 2

    @property
    def pad_y(self) -> int:
        """Return the rows of grey above."""
        return (self.target_height - self.inner[1]) // 2

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an image, uint8 `[H, W, 3]`, as uint8 `[target_height, target_width, 3]`."""
        width, height = self.inner
        if (width, height) != (self.source_width, self.source_height):
            resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
            image = np.asarray(resized)
        if (width, height) == (self.target_width, self.target_height):
            return image
        canvas = np.full((self.target_height, self.target_width, 3), PADDING, np.uint8)
        canvas[self.pad_y : self.pad_y + height, self.pad_x : self.pad_x + width] = image
        return canvas

    def to_input(self, boxes: NDArray[np.floating]) -> NDArray[np.float32]:
        """Convert xyxy boxes `[N, 4]` from pixels of the image to pixels of the input."""
        return (boxes * self._scales + self._offset).astype(np.float32)

    def to_image(self, boxes: NDArray[np.floating]) -> NDArray[np.float32]:
        """Convert xyxy boxes `[N, 4]` back to pixels of the image, and clip them to it."""
        end = np.array([self.source_width, self.source_height] * 2)
        return np.clip((boxes - self._offset) / self._scales, 0, end).astype(np.float32)

    @property
    def _scales(self) -> NDArray[np.float64]:
        # The picture is resized to whole pixels, so the two axes differ in the last digits.
        width, height = self.inner
        return np.array([width / self.source_width, height / self.source_height] * 2)

    @property
    def _offset(self) -> NDArray[np.float64]:
        return np.array([self.pad_x, self.pad_y] * 2, np.float64)


def network_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return uint8 images `[N, h, w, 3]` as float32 `[N, 3, h, w]` from 0 to 1."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(255)
