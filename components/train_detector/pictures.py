"""The pictures that are learned from, decoded once and no larger than needed."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from components.contracts.refusal import Refusal
from components.contracts.snapshot import SnapshotImage
from components.train_detector.scratch import Scratch
from components.vision.boxes import box_array
from components.vision.jpeg import JpegError, decode_reduced
from components.vision.letterbox import Letterbox

RECENT_BYTES = 45_000_000  # of memory, for the pictures of the last steps
PIXEL_BYTES = 4  # of what Pillow holds
LAYOUT = ("raw", "RGBX")  # the same, so that it is quick to write and to read
SIZE = struct.Struct("<HH")  # width and height, before the pixels


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture and what is on it.

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


class Pictures:
    """The pictures of a split, decoded when first asked for, by any number of threads.

    Args:
        images: What the snapshot says of them.
        read: Returns a JPEG by its SHA-256.
        classes: The class names, in the model's order.
        size: Width and height of the network's input in pixels.
        scratch: Keeps what was decoded.
        recent_bytes: The most memory for those that were asked for last: mosaics want them again.
    """

    def __init__(
        self,
        images: Sequence[SnapshotImage],
        read: Callable[[str], bytes],
        classes: Sequence[str],
        size: tuple[int, int],
        scratch: Scratch,
        recent_bytes: int = RECENT_BYTES,
    ) -> None:
        """Remember where everything is, and decode nothing yet."""
        self._images = images
        self._read = read
        self._number = {name: number for number, name in enumerate(classes)}
        self._size = size
        self._scratch = scratch
        self._recent: dict[int, Picture] = {}
        self._recent_most, self._recent_used = recent_bytes, 0
        self._lock = Lock()

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self._images)

    def __getitem__(self, index: int, /) -> Picture:
        """Return one picture, decoded now if it is not kept.

        Raises:
            Refusal: If it cannot be decoded, by its SHA-256.
        """
        with self._lock:
            picture = self._recent.get(index)
        if picture is None:
            picture = self._load(self._images[index])
            self._remember(index, picture)
        return picture

    def _remember(self, index: int, picture: Picture) -> None:
        """Hold a picture in place of those that came longest ago."""
        needed = _bytes_of(picture)
        with self._lock:
            if index in self._recent or needed > self._recent_most:
                return
            self._recent[index] = picture
            self._recent_used += needed
            while self._recent_used > self._recent_most:
                self._recent_used -= _bytes_of(self._recent.pop(next(iter(self._recent))))

    def _load(self, image: SnapshotImage) -> Picture:
        width, height = inner = Letterbox(image.width, image.height, *self._size).inner
        kept = self._scratch.kept(image.sha256, lambda: self._decoded(image, inner))
        pixels = memoryview(kept)[SIZE.size :]
        scales = (width / image.width, height / image.height) * 2
        return Picture(
            Image.frombytes("RGB", SIZE.unpack_from(kept), pixels, *LAYOUT),
            inner,
            (box_array(image.boxes) * scales).astype(np.float32),
            np.array([self._number[box.label] for box in image.boxes], np.int32),
        )

    def _decoded(self, image: SnapshotImage, least: tuple[int, int]) -> bytes:
        try:
            decoded = decode_reduced(self._read(image.sha256), least)
        except JpegError as cause:
            raise Refusal(f"image {image.sha256} cannot be learned from: {cause}") from cause
        return SIZE.pack(*decoded.size) + decoded.tobytes(*LAYOUT)


def _bytes_of(picture: Picture) -> int:
    width, height = picture.image.size
    return width * height * PIXEL_BYTES
