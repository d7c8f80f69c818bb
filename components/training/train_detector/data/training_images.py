"""Decode training images, at reduced resolution where the network's input allows it."""

import struct
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from components.shared.vision.jpeg import decode_reduced
from components.training.train_detector.data.disk_cache import Packing
from components.training.train_detector.data.split import Split

RECENT_BYTES = 45_000_000  # of memory, for the pictures of the last steps
PIXEL_BYTES = 4  # of what Pillow holds
LAYOUT = ("raw", "RGBX")  # as Pillow holds them, so that they are quick to write and to read
SIZE = struct.Struct("<HH")  # width and height, before the pixels


@dataclass(frozen=True, slots=True)
class TrainingImage:
    """One decoded image and its labels.

    Attributes:
        image: RGB, at least as large as `size`.
        size: Width and height in pixels when it just fits the network's input.
        boxes: `[N, 4]` as xyxy, in pixels of that size.
        classes: `[N]`.
    """

    image: Image.Image
    size: tuple[int, int]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int32]


class TrainingImages:
    """Training images of a split, decoded at first use; thread-safe.

    Args:
        split: All of them.
        recent_bytes: The most memory for those that were asked for last and are not kept: mosaics
            want them again.
    """

    def __init__(self, split: Split, recent_bytes: int = RECENT_BYTES) -> None:
        self._split = split
        self._recent: dict[int, TrainingImage] = {}
        self._recent_most, self._recent_used = recent_bytes, 0
        self._lock = Lock()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._split)

    def __getitem__(self, index: int, /) -> TrainingImage:
        """Return one picture.

        Raises:
            UserError: If it cannot be decoded, by its SHA-256.
        """
        with self._lock:
            picture = self._recent.get(index)
        if picture is None:
            picture = self._load(index)
            if not self._split.keeps(index):
                self._remember(index, picture)
        return picture

    def _remember(self, index: int, picture: TrainingImage) -> None:
        """Hold a picture in memory, in place of those that came longest ago."""
        needed = _bytes_of(picture)
        with self._lock:
            if index in self._recent or needed > self._recent_most:
                return
            self._recent[index] = picture
            self._recent_used += needed
            while self._recent_used > self._recent_most:
                self._recent_used -= _bytes_of(self._recent.pop(next(iter(self._recent))))

    def _load(self, index: int) -> TrainingImage:
        letterbox = self._split.letterbox(index)
        width, height = inner = letterbox.inner
        image = self._split.made(index, lambda jpeg: decode_reduced(jpeg, inner), PACKING)
        boxes, classes = self._split.labels(index)
        scales = (width / letterbox.source_width, height / letterbox.source_height) * 2
        return TrainingImage(image, inner, (boxes * scales).astype(np.float32), classes)


def _packed(image: Image.Image) -> bytes:
    return SIZE.pack(*image.size) + image.tobytes(*LAYOUT)


def _unpacked(content: bytes) -> Image.Image:
    return Image.frombytes(
        "RGB", SIZE.unpack_from(content), memoryview(content)[SIZE.size :], *LAYOUT
    )


PACKING = Packing(_packed, _unpacked)


def _bytes_of(picture: TrainingImage) -> int:
    width, height = picture.image.size
    return width * height * PIXEL_BYTES
