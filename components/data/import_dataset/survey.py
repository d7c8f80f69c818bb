"""Check all boxes of a dataset together for faults that a single box does not show."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from components.data.import_dataset.found import FoundBox, FoundImage
from components.shared.contracts.errors import UserError

Edges = Sequence[float]
Size = tuple[int, int]
ROUNDING = 1.0  # pixels that a box may leave its image by
MIN_BOXES = 3  # of the same fault, below which it is none of the whole dataset
MAX_INVERTED, MAX_OUTSIDE, MAX_TINY, MAX_TWINS = 0.1, 1 / 3, 0.5, 0.5  # shares of all boxes
TWIN_IOU = 0.9
COMPARED_IMAGES, COMPARED_BOXES = 2_000, 300  # the most of a dataset, and of an image, for twins
MIN_ALIKE = 20  # boxes of one size, above which that is worth a note


def survey(form: str, images: Sequence[FoundImage], sizes: Mapping[str, Size]) -> list[str]:
    """Return notes on the boxes of the dataset as a whole.

    Args:
        form: Name of the annotation format in messages.
        images: As they were found.
        sizes: Width and height in pixels of the images that can be read.

    Raises:
        UserError: If so many boxes have one fault that the others cannot be believed.
    """
    scaled = {
        image.name: [_pixels(box, sizes[image.name]) for box in image.boxes]
        for image in images
        if image.name in sizes
    }
    boxes = [(edges, sizes[name]) for name, many in scaled.items() for edges in many]
    absolute = [box for image in images for box in image.boxes if not box.relative]
    for fault in (
        _fractions_fault(absolute),
        _inverted_fault([edges for edges, _ in boxes]),
        _outside_fault(boxes),
        _tiny_fault([edges for edges, _ in boxes]),
        _twins_fault(images[:COMPARED_IMAGES]),
    ):
        if fault:
            raise UserError(f"{form}: {fault}")
    return _notes([edges for edges, _ in boxes])


def iou(one: Edges, other: Edges) -> float:
    """Return the intersection over union of two boxes, 0 to 1.

    Args:
        one: Left, top, right and bottom edge.
        other: The same of another box.
    """
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (_area(one) + _area(other) - width * height)


def _fractions_fault(boxes: Sequence[FoundBox]) -> str:
    if not boxes or not all(0 <= edge <= 1 for box in boxes for edge in box.edges):
        return ""
    return (
        f"all values of {len(boxes):,} boxes lie between 0 and 1, expected pixels: "
        "are they fractions of the image?"
    )


def _inverted_fault(boxes: Sequence[Edges]) -> str:
    inverted = sum(e[2] < e[0] or e[3] < e[1] for e in boxes)
    if inverted < MIN_BOXES or inverted <= MAX_INVERTED * len(boxes):
        return ""
    return (
        f"{inverted:,} of {len(boxes):,} boxes end left of or above where they begin, expected "
        "left, top, right, bottom: are they left, top, width, height, or in another order?"
    )


def _outside_fault(boxes: Sequence[tuple[Edges, Size]]) -> str:
    outside = [(edges, size) for edges, size in boxes if _leaves(edges, size)]
    if len(outside) < MIN_BOXES or len(outside) <= MAX_OUTSIDE * len(boxes):
        return ""
    right, bottom = (max(edges[at] for edges, _ in outside) for at in (2, 3))
    width, height = (max(size[at] for _, size in outside) for at in (0, 1))
    return (
        f"{len(outside):,} of {len(boxes):,} boxes leave their images: they reach to {right:g}, "
        f"{bottom:g}, and the images are at most {width} x {height} pixels: are they for images "
        "of another size?"
    )


def _tiny_fault(boxes: Sequence[Edges]) -> str:
    tiny = sum(0 <= min(e[2] - e[0], e[3] - e[1]) < 1 for e in boxes)
    if tiny < MIN_BOXES or tiny <= MAX_TINY * len(boxes):
        return ""
    return f"{tiny:,} of {len(boxes):,} boxes are less than a pixel wide or high, expected pixels"


def _twins_fault(images: Sequence[FoundImage]) -> str:
    few = [image.boxes for image in images if len(image.boxes) <= COMPARED_BOXES]
    twins, total = sum(map(_twins, few)), sum(map(len, few))
    if twins < 2 * MIN_BOXES or twins <= MAX_TWINS * total:
        return ""
    return (
        f"{twins:,} of {total:,} boxes have a second box of the same class around the same object: "
        "were two annotation files joined?"
    )


def _twins(boxes: Sequence[FoundBox]) -> int:
    return sum(
        any(
            other is not box and other.label == box.label and iou(box.edges, other.edges) > TWIN_IOU
            for other in boxes
        )
        for box in boxes
    )


def _notes(boxes: Iterable[Edges]) -> list[str]:
    sizes = Counter((round(e[2] - e[0], 1), round(e[3] - e[1], 1)) for e in boxes)
    if len(sizes) != 1 or sizes.total() < MIN_ALIKE:
        return []
    ((width, height),) = sizes
    return [f"all {sizes.total():,} boxes are {width:g} x {height:g} pixels large"]


def _pixels(box: FoundBox, size: Size) -> Edges:
    scale = (*size, *size) if box.relative else (1, 1, 1, 1)
    return [edge * by for edge, by in zip(box.edges, scale, strict=True)]


def _leaves(edges: Edges, size: Size) -> bool:
    return (
        min(edges[0], edges[1]) <= -ROUNDING
        or edges[2] >= size[0] + ROUNDING
        or edges[3] >= size[1] + ROUNDING
    )


def _area(edges: Edges) -> float:
    return (edges[2] - edges[0]) * (edges[3] - edges[1])
