"""Slices of the test split by class, object size, camera, hour and crowding."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.shared.contracts.annotation import Box
from components.shared.contracts.snapshot import SnapshotImage

ANY_AREA = (0.0, 1e10)  # square pixels
SIZES = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
HOURS = ("00 to 06 h", "06 to 12 h", "12 to 18 h", "18 to 24 h")  # UTC: clocks of cameras are
CROWDS = {1: "1 to 3", 4: "4 to 10", 11: "11 to 30", 31: "31 or more"}  # boxes in an image
KINDS = ("class", "size", "camera", "hour", "crowding")


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the test split that has true boxes.

    Attributes:
        kind: One of `KINDS`.
        name: Value of the kind, such as the name of the camera.
        boxes: Number of true boxes.
        images: Indices of the images; those without boxes belong to their camera and hour.
        classes: Names of the classes that count.
        area: Minimum and maximum area of the boxes that count, in square pixels.
    """

    kind: str
    name: str
    boxes: int
    images: tuple[int, ...]
    classes: tuple[str, ...]
    area: tuple[float, float] = ANY_AREA


def slices_of(images: Sequence[SnapshotImage], classes: Sequence[str]) -> list[Slice]:
    """Return the slices of some images, by kind, and by name or in their natural order.

    Args:
        images: Images with their true boxes.
        classes: Names of the classes that count.
    """
    boxes = [
        (place, image, box)
        for place, image in enumerate(images)
        for box in image.boxes
        if box.label in classes
    ]
    crowds = Counter(place for place, _, _ in boxes)
    counts = Counter(
        (kind, name)
        for place, image, box in boxes
        for kind, name in (
            ("class", box.label),
            ("size", size_of(box)),
            *_of_image(image, crowds[place]),
        )
    )
    members: dict[tuple[str, str], list[int]] = {}
    for place, image in enumerate(images):
        for key in _of_image(image, crowds[place]):
            members.setdefault(key, []).append(place)
    return list(_slices(counts, members, range(len(images)), classes))


def _slices(
    counts: Mapping[tuple[str, str], int],
    members: Mapping[tuple[str, str], Sequence[int]],
    everywhere: Sequence[int],
    classes: Sequence[str],
) -> Iterator[Slice]:
    for (kind, name), count in sorted(counts.items(), key=lambda item: _order(*item[0])):
        yield Slice(
            kind,
            name,
            count,
            tuple(members.get((kind, name), everywhere)),
            (name,) if kind == "class" else tuple(classes),
            SIZES[name] if kind == "size" else ANY_AREA,
        )


def _of_image(image: SnapshotImage, boxes: int) -> list[tuple[str, str]]:
    placed = [("camera", image.camera), ("hour", HOURS[image.captured_at.hour // 6])]
    return [*placed, ("crowding", _crowd(boxes))] if boxes else placed


def _crowd(boxes: int) -> str:
    return list(CROWDS.values())[bisect_right(list(CROWDS), boxes) - 1]


def size_of(box: Box) -> str:
    """Return the COCO size class of a box: small, medium or large."""
    return next(name for name, (_, end) in SIZES.items() if box.area < end)


def _order(kind: str, name: str) -> tuple[int, int, str]:
    natural = [*SIZES, *HOURS, *CROWDS.values()]
    return KINDS.index(kind), natural.index(name) if name in natural else 0, name
