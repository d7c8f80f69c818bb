"""Pictures that are measured on, as the server would see them, decoded once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.contracts.snapshot import SnapshotImage
from components.train_detector.scratch import Scratch
from components.vision.boxes import box_array
from components.vision.jpeg import decode_jpeg
from components.vision.letterbox import Letterbox


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture: uint8 `[h, w, 3]`, boxes `[N, 4]` as xyxy in its pixels, classes `[N]`."""

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int32]


class Samples:
    """The pictures of a split, letterboxed when first asked for.

    Args:
        images: What the snapshot says of them.
        read: Returns a JPEG by its SHA-256.
        classes: The class names, in the model's order.
        size: Width and height of the network's input in pixels.
        scratch: Keeps what was letterboxed.
    """

    def __init__(
        self,
        images: Sequence[SnapshotImage],
        read: Callable[[str], bytes],
        classes: Sequence[str],
        size: tuple[int, int],
        scratch: Scratch,
    ) -> None:
        """Remember where everything is, and decode nothing yet."""
        self._images = images
        self._read = read
        self._number = {name: number for number, name in enumerate(classes)}
        self._size = size
        self._scratch = scratch

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self._images)

    def __getitem__(self, index: int, /) -> Sample:
        """Return one sample, decoded now if it is not kept."""
        image = self._images[index]
        letterbox = Letterbox(image.width, image.height, *self._size)

        def seen() -> bytes:
            return letterbox.apply(decode_jpeg(self._read(image.sha256))).tobytes()

        pixels = np.frombuffer(self._scratch.kept(image.sha256, seen), np.uint8)
        return Sample(
            pixels.reshape(self._size[1], self._size[0], 3),
            letterbox.to_input(box_array(image.boxes)),
            np.array([self._number[box.label] for box in image.boxes], np.int32),
        )
