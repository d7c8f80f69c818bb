"""Define the common result of all annotation readers: images with raw boxes, and problems."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, TypeVar

from components.shared.contracts.errors import UserError
from components.shared.contracts.events import Split

T = TypeVar("T")

LISTS = frozenset({".json", ".csv", ".txt", ".xml"})  # files that list many images
_SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


# Two files with the same box may round it: to whole pixels, or to a thousandth of the image.
ROUNDING_PIXELS, ROUNDING_SHARE = 1.0, 0.002
MAX_COMPARED_BOXES = 1_000  # of one image; more are compared by what they round to


@dataclass(frozen=True, slots=True)
class Problem:
    """Input that cannot be used: its location, a reason code for counts, and a sentence."""

    where: str
    reason: str
    detail: str


class UnusableError(UserError):
    """A line or a box cannot be used; `reason` is a code that can be counted."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FoundBox:
    """One box as the annotation file has it, before conversion.

    Attributes:
        where: File and line, for people.
        edges: x_min, y_min, x_max, y_max, right and bottom exclusive.
        label: Name of the class.
        relative: The edges are fractions of the image instead of pixels.
    """

    where: str
    edges: tuple[float, float, float, float]
    label: str
    relative: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundImage:
    """One image file and all annotations of it.

    Attributes:
        name: The file, relative to the folder that is imported.
        boxes: As they were written; empty says that nothing is there.
        split: As its owner chose, if so.
        group: As its owner chose, if so.
        size: Width and height in pixels as the annotations say, if they do.
        problems: Why its label cannot be used; empty if it can, as far as is known yet.
    """

    name: str
    boxes: tuple[FoundBox, ...] = ()
    split: Split | None = None
    group: str | None = None
    size: tuple[int, int] | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedDataset:
    """A whole dataset as one annotation format describes it.

    Attributes:
        form: Kind and place of the annotations, such as `CSV annotations.csv`.
        classes: Names in the order of the model's outputs.
        images: In the order of their names.
        problems: Those that belong to no image.
        notes: Further notes for the user.
    """

    form: str
    classes: tuple[str, ...]
    images: tuple[FoundImage, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def richness(self) -> tuple[int, int]:
        """How much a format provides: first splits and groups, then the number of images."""
        splits = any(image.split for image in self.images)
        groups = any(image.group for image in self.images)
        return splits + groups, sum(not image.problems for image in self.images)


def labels_of(images: Iterable[FoundImage]) -> tuple[str, ...]:
    """Return the classes of all boxes in alphabetical order, where no file gives an order."""
    return tuple(sorted({box.label for image in images for box in image.boxes}))


def read_boxes(
    objects: Iterable[tuple[str, T]], read: Callable[[str, T], FoundBox]
) -> tuple[tuple[FoundBox, ...], tuple[Problem, ...]]:
    """Read the objects of one image; an unusable object becomes a problem with its location.

    Args:
        objects: Where each stands, and the object.
        read: Returns the box of one, or raises `UnusableError`.
    """
    boxes: list[FoundBox] = []
    problems: list[Problem] = []
    for where, one in objects:
        try:
            boxes.append(read(where, one))
        except UnusableError as error:
            problems.append(Problem(where, error.reason, str(error)))
    return tuple(boxes), tuple(problems)


def merge(name: str, records: Sequence[FoundImage]) -> FoundImage:
    """Join the records of one image from several lines or files; a contradiction is a problem.

    Args:
        name: Name of the image.
        records: Its records.
    """
    problems = [problem for image in records for problem in image.problems]
    facts: dict[str, Any] = {}
    for fact in ("split", "group", "size"):
        values = {value for image in records if (value := getattr(image, fact)) is not None}
        facts[fact] = min(values, default=None)
        if len(values) > 1:
            detail = f"{fact} has {len(values)} different values, expected one"
            problems.append(Problem(name, f"conflicting_{fact}", detail))
    boxes = tuple(box for image in records for box in image.boxes)
    return FoundImage(name=name, boxes=boxes, problems=tuple(problems), **facts)


def join(documents: Sequence[Mapping[str, FoundImage]]) -> tuple[FoundImage, ...]:
    """Join the records of the same images from several files, in the order of their names.

    Args:
        documents: The images of each file by name. An image that several files have counts
            once if all tell the same boxes; otherwise none of them is believed.
    """
    by_name: dict[str, list[FoundImage]] = {}
    for document in documents:
        for name, image in document.items():
            by_name.setdefault(name, []).append(image)
    return tuple(_agreed(name, images) for name, images in sorted(by_name.items()))


def without_repeats(boxes: Iterable[FoundBox]) -> tuple[FoundBox, ...]:
    """Keep the first of boxes with the same edges and class."""
    return tuple({(box.edges, box.label): box for box in reversed(tuple(boxes))}.values())[::-1]


def same_boxes(one: Sequence[FoundBox], other: Sequence[FoundBox]) -> bool:
    """Return whether two files have the same boxes, except for rounding.

    Args:
        one: Boxes of one file.
        other: Boxes of another file.
    """
    if len(one) != len(other):
        return False
    if Counter(map(_rounded, one)) == Counter(map(_rounded, other)):
        return True
    if len(one) > MAX_COMPARED_BOXES:
        return False
    left = list(other)
    for box in one:
        twin = next((twin for twin in left if _close(box, twin)), None)
        if twin is None:
            return False
        left.remove(twin)
    return True


def _agreed(name: str, records: Sequence[FoundImage]) -> FoundImage:
    first, *others = records
    if not others:
        return first
    facts = merge(name, [replace(image, boxes=()) for image in records])
    problems = facts.problems
    if not all(same_boxes(first.boxes, other.boxes) for other in others):
        counts = " and ".join(str(len(image.boxes)) for image in records)
        places = " and ".join(sorted({b.where.rsplit(":", 1)[0] for i in records for b in i.boxes}))
        detail = f"{places} have different boxes for it ({counts}), expected one of these files"
        problems = (*problems, Problem(name, "conflicting_labels", detail))
    return replace(facts, boxes=first.boxes, problems=problems)


def _rounded(box: FoundBox) -> tuple[object, ...]:
    return box.label, *(round(edge, 3) for edge in box.edges)


def _close(one: FoundBox, other: FoundBox) -> bool:
    most = ROUNDING_SHARE if one.relative else ROUNDING_PIXELS
    return one.label == other.label and all(
        abs(a - b) <= most for a, b in zip(one.edges, other.edges, strict=True)
    )


def split_called(word: str) -> Split | None:
    """Return the split of a word such as `val` or `train2017`.

    >>> split_called("valid"), split_called("train2017"), split_called("north")
    ('validation', 'train', None)
    """
    return _SPLITS.get(re.sub(r"\d+$", "", word.strip().lower()))


def split_in(path: str) -> Split | None:
    """Return the split that a folder of a path, or a word in an annotation file's name, gives.

    >>> split_in("images/val/a.jpg"), split_in("instances_test2017.json"), split_in("train.jpg")
    ('validation', 'test', None)
    >>> split_in("train_val.txt") is None
    True
    """
    whole = PurePosixPath(path)
    words = re.split(r"[^A-Za-z0-9]+", whole.stem) if whole.suffix.lower() in LISTS else []
    of_name = {split for word in words if (split := split_called(word))}
    of_folders = (split for folder in whole.parent.parts if (split := split_called(folder)))
    return next(of_folders, None) or (of_name.pop() if len(of_name) == 1 else None)
