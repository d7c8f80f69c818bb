"""Decode and letterbox validation images as serving does."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.shared.vision.jpeg import decode_jpeg
from components.training.train_detector.data.disk_cache import Packing
from components.training.train_detector.data.split import Split


@dataclass(frozen=True, slots=True)
class ValidationImage:
    """One image: uint8 `[h, w, 3]`, boxes `[N, 4]` as xyxy in its pixels, classes `[N]`."""

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int32]


class ValidationImages:
    """Validation images of a split, letterboxed at first use."""

    def __init__(self, split: Split) -> None:
        self._split = split
        width, height = split.size
        self._packing = Packing(
            np.ndarray.tobytes, lambda made: np.frombuffer(made, np.uint8).reshape(height, width, 3)
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._split)

    def __getitem__(self, index: int, /) -> ValidationImage:
        """Return one sample.

        Raises:
            UserError: If its picture cannot be decoded, by its SHA-256.
        """
        split, letterbox = self._split, self._split.letterbox(index)
        image = split.made(index, lambda jpeg: letterbox.apply(decode_jpeg(jpeg)), self._packing)
        boxes, classes = split.labels(index)
        return ValidationImage(image, letterbox.to_input(boxes), classes)
