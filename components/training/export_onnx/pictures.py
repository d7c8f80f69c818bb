"""Select the labelled images for parity, calibration and golden answers, and their crops."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from components.shared.contracts.events import Split
from components.shared.contracts.model import Precision
from components.shared.contracts.policy import ExportPolicy
from components.shared.contracts.snapshot import SnapshotImage
from components.shared.store.snapshots import SnapshotReader
from components.shared.vision.boxes import Boxes, box_array, clip_boxes
from components.shared.vision.jpeg import decode_jpeg
from components.shared.vision.letterbox import Letterbox, network_input
from components.shared.vision.precision import GroundTruth

RATIOS = ((4, 3), (16, 9), (1, 1), (9, 16))  # of width to height
POLICY = ExportPolicy()

T = TypeVar("T")
Size = tuple[int, int]  # width and height of a network's input, pixels


class LabelledImage(NamedTuple):
    """A JPEG, its boxes `[N, 4]` in its pixels, and their classes `[N]`."""

    jpeg: bytes
    boxes: Boxes
    classes: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class ExportImages:
    """Images of an export; only the training images were seen by the network."""

    test: Sequence[LabelledImage]
    validation: Sequence[LabelledImage] = ()
    train: Sequence[LabelledImage] = ()

    def held_out(self, most: int) -> list[LabelledImage]:
        """Return at most so many held-out images, for the parity check."""
        return evenly([*self.validation, *self.test], most)


class Look(NamedTuple):
    """A network input, uint8 `[h, w, 3]`, and its boxes, in pixels of the input."""

    image: NDArray[np.uint8]
    truth: GroundTruth


def pictures_of(
    reader: SnapshotReader,
    classes: Sequence[str],
    precision: Precision,
    policy: ExportPolicy = POLICY,
) -> ExportImages:
    """Read as many images of a snapshot as an export needs.

    Args:
        reader: The snapshot; boxes of classes that the network does not know are left out.
        classes: The network's, in its order.
        precision: Requested precision of the export.
        policy: Most images of each kind.
    """
    tries = precision == "int8"
    places = {name: place for place, name in enumerate(classes)}

    def some(split: Split, most: int) -> list[LabelledImage]:
        images = evenly(reader.images(split), most)
        return [_labelled(image, reader.read(image.sha256), places) for image in images]

    return ExportImages(
        some("test", policy.max_parity_images),
        some("validation", policy.max_int8_images if tries else policy.max_parity_images),
        some("train", policy.max_calibration_images) if tries else (),
    )


def whole(picture: LabelledImage, size: Size) -> Look:
    """Return an image letterboxed as in serving.

    Args:
        picture: JPEG with its boxes.
        size: Width and height of the network's input in pixels.
    """
    return _letterboxed(decode_jpeg(picture.jpeg), picture.boxes, picture.classes, size)


def crops(picture: LabelledImage, size: Size) -> list[Look]:
    """Return the largest centred crop of each of `RATIOS`; boxes are cut where the crop ends.

    Args:
        picture: JPEG with its boxes.
        size: Width and height of the network's input in pixels.
    """
    image = decode_jpeg(picture.jpeg)
    height, width = image.shape[:2]
    looks = []
    for wide, high in RATIOS:
        inner_width = max(1, min(width, height * wide // high))
        inner_height = max(1, min(height, width * high // wide))
        left, top = (width - inner_width) // 2, (height - inner_height) // 2
        cut = image[top : top + inner_height, left : left + inner_width]
        boxes = clip_boxes(picture.boxes - [left, top, left, top], inner_width, inner_height)
        stays = (boxes[:, 2:] - boxes[:, :2] >= 1).all(axis=1)  # a pixel at least
        looks.append(_letterboxed(cut, boxes[stays], picture.classes[stays], size))
    return looks


def inputs_of(looks: Sequence[Look]) -> NDArray[np.float32]:
    """Return images as the network's input, `[n, 3, h, w]`, 0 to 1."""
    return network_input(np.stack([look.image for look in looks]))


def evenly(things: Sequence[T], count: int) -> list[T]:
    """Return at most `count` items, evenly spaced over all.

    Args:
        things: Items in order.
        count: Maximum number, at least 1.
    """
    count = min(count, len(things))
    return [things[place * len(things) // count] for place in range(count)]


def _labelled(image: SnapshotImage, jpeg: bytes, places: dict[str, int]) -> LabelledImage:
    known = [box for box in image.boxes if box.label in places]
    classes = np.array([places[box.label] for box in known], np.intp)
    return LabelledImage(jpeg, box_array(known), classes)


def _letterboxed(
    image: NDArray[np.uint8], boxes: Boxes, classes: NDArray[np.intp], size: Size
) -> Look:
    height, width = image.shape[:2]
    letterbox = Letterbox(width, height, *size)
    cut = np.ascontiguousarray(image)
    return Look(letterbox.apply(cut), GroundTruth(letterbox.to_input(boxes), classes))
