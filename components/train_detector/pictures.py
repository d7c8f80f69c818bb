"""The pictures that are learned from, decoded no larger than needed, kept while there is room."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from components.contracts.refusal import Refusal
from components.contracts.snapshot import SnapshotImage
from components.vision.boxes import box_array
from components.vision.jpeg import JpegError, decode_reduced
from components.vision.letterbox import Letterbox

ROOM_BYTES = 300_000_000  # for the pictures of one worker
RECENT_SHARE = 0.15  # of that, for the pictures of the last steps when it is too little for all
PIXEL_BYTES = 4  # of what Pillow keeps


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
        room_bytes: The most memory that pictures may keep; the others are decoded each time.
    """

    def __init__(
        self,
        images: Sequence[SnapshotImage],
        read: Callable[[str], bytes],
        classes: Sequence[str],
        size: tuple[int, int],
        room_bytes: int = ROOM_BYTES,
    ) -> None:
        """Remember where everything is, and decode nothing yet."""
        self._images = images
        self._read = read
        self._number = {name: number for number, name in enumerate(classes)}
        self._size = size
        self._recent_most, self._recent_used = int(room_bytes * RECENT_SHARE), 0
        self._room = room_bytes - self._recent_most
        self._kept: dict[int, Picture] = {}
        self._recent: dict[int, Picture] = {}
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
            picture = self._kept.get(index) or self._recent.get(index)
        if picture is None:
            picture = self._load(self._images[index])
            self._keep(index, picture)
        return picture

    def _keep(self, index: int, picture: Picture) -> None:
        """Keep a picture for good, or else in place of the one that came longest ago."""
        needed = _bytes_of(picture)
        if needed > self._room + self._recent_most:
            return
        # A copy is pixels alone; what was decoded still holds the file's other parts.
        copy = replace(picture, image=picture.image.copy())
        with self._lock:
            if index in self._kept or index in self._recent:
                return
            if needed <= self._room:
                self._room -= needed
                self._kept[index] = copy
                return
            self._recent[index] = copy
            self._recent_used += needed
            while self._recent_used > self._recent_most:
                self._recent_used -= _bytes_of(self._recent.pop(next(iter(self._recent))))

    def _load(self, image: SnapshotImage) -> Picture:
        letterbox = Letterbox(image.width, image.height, *self._size)
        try:
            decoded = decode_reduced(self._read(image.sha256), letterbox.inner)
        except JpegError as cause:
            raise Refusal(f"image {image.sha256} cannot be learned from: {cause}") from cause
        width, height = letterbox.inner
        scales = (width / image.width, height / image.height) * 2
        return Picture(
            decoded,
            letterbox.inner,
            (box_array(image.boxes) * scales).astype(np.float32),
            np.array([self._number[box.label] for box in image.boxes], np.int32),
        )


def _bytes_of(picture: Picture) -> int:
    width, height = picture.image.size
    return width * height * PIXEL_BYTES
