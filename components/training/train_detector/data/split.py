"""Map-style dataset of a snapshot's split, with a disk cache of what is made of each JPEG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from components.shared.contracts.errors import UserError
from components.shared.contracts.snapshot import SnapshotImage
from components.shared.vision.boxes import Boxes, box_array
from components.shared.vision.jpeg import JpegError
from components.shared.vision.letterbox import Letterbox
from components.training.train_detector.data.disk_cache import AS_IT_IS, DiskCache, Made, Packing

Item = TypeVar("Item", covariant=True)


class MapDataset(Protocol[Item]):
    """Protocol of a map-style dataset: `len()` and items by index from 0."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, index: int, /) -> Item:
        """Return one of them."""


@dataclass(frozen=True, slots=True)
class Split:
    """The images of a split by index, from 0; thread-safe.

    Attributes:
        images: Manifest lines of the split.
        read: Returns a JPEG by its SHA-256.
        classes: The class names, in the model's order.
        size: Width and height of the network's input in pixels.
        cache: Keeps what is made of them.
    """

    images: Sequence[SnapshotImage]
    read: Callable[[str], bytes]
    classes: Sequence[str]
    size: tuple[int, int]
    cache: DiskCache

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.images)

    def letterbox(self, index: int) -> Letterbox:
        """Return the letterbox of an image for the network's input."""
        image = self.images[index]
        return Letterbox(image.width, image.height, *self.size)

    def labels(self, index: int) -> tuple[Boxes, NDArray[np.int32]]:
        """Return the boxes `[N, 4]` in pixels of the stored picture, and their classes `[N]`."""
        boxes = self.images[index].boxes
        classes = [self.classes.index(box.label) for box in boxes]
        return box_array(boxes), np.array(classes, np.int32)

    def keeps(self, index: int) -> bool:
        """Return whether the decoded form of an image is cached."""
        return self.images[index].sha256 in self.cache

    def made(self, index: int, make: Callable[[bytes], Made], packing: Packing[Made]) -> Made:
        """Return what `make` makes of an image's JPEG, from the cache if possible.

        Args:
            index: The picture's number.
            make: Returns what is wanted, of a JPEG.
            packing: How it is kept.

        Raises:
            UserError: If it cannot be decoded, by its SHA-256.
        """
        sha256 = self.images[index].sha256
        try:
            return self.cache.get_or_make(sha256, lambda: make(self.read(sha256)), packing)
        except JpegError as cause:
            raise UserError(f"image {sha256} cannot be learned from: {cause}") from cause


def from_afar(
    read: Callable[[str], bytes], made: DiskCache, jpegs: DiskCache
) -> Callable[[str], bytes]:
    """Return a reader of JPEGs that caches those whose decoded form has no room.

    Args:
        read: Fetches a JPEG by its SHA-256.
        made: Keeps what is made of them, which costs less to read and more room.
        jpegs: Keeps them.
    """

    def fetched(sha256: str) -> bytes:
        return (
            jpegs.get_or_make(sha256, lambda: read(sha256), AS_IT_IS) if made.full else read(sha256)
        )

    return fetched
