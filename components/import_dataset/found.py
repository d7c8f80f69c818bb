"""What a reader of any form finds: images with boxes as they were written, and problems."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from components.contracts.events import Split

_SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that cannot be used: where it is, a code that can be counted, a sentence."""

    where: str
    reason: str
    detail: str


class UnusableError(ValueError):
    """A line or a box cannot be used; `reason` is a code that can be counted."""

    def __init__(self, reason: str, detail: str) -> None:
        """Keep the reason beside the sentence."""
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FoundBox:
    """One box as it was written.

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
    """One image file and all that is said of it.

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
class Found:
    """A whole dataset as one form tells it.

    Attributes:
        form: Kind and place of the annotations, such as `CSV annotations.csv`.
        classes: Names in the order of the model's outputs.
        images: In the order of their names.
        problems: Those that belong to no image.
        notes: What a person should know besides.
    """

    form: str
    classes: tuple[str, ...]
    images: tuple[FoundImage, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def richness(self) -> tuple[int, int]:
        """How much is said: which of splits and groups, then of how many images."""
        splits = any(image.split for image in self.images)
        groups = any(image.group for image in self.images)
        return splits + groups, sum(not image.problems for image in self.images)


def merge(name: str, told: Sequence[FoundImage]) -> FoundImage:
    """Join what several lines or files tell of one image; that they disagree is a problem."""
    problems = [problem for image in told for problem in image.problems]
    facts: dict[str, Any] = {}
    for fact in ("split", "group", "size"):
        said = {value for image in told if (value := getattr(image, fact)) is not None}
        facts[fact] = min(said, default=None)
        if len(said) > 1:
            detail = f"{fact} is told in {len(said)} ways, expected one"
            problems.append(Problem(name, f"conflicting_{fact}", detail))
    boxes = tuple(box for image in told for box in image.boxes)
    return FoundImage(name=name, boxes=boxes, problems=tuple(problems), **facts)


def finite(text: str, what: str, reason: str = "unreadable_line") -> float:
    """Read a number.

    Args:
        text: Its digits.
        what: What to call it in the complaint.
        reason: The code of the complaint.

    Raises:
        UnusableError: If it is none, or not finite.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UnusableError(reason, f"{what} is {text[:40]!r}, expected a number")
    return number


def split_called(word: str) -> Split | None:
    """Return the split that a word names, with or without a year behind it.

    >>> split_called("valid"), split_called("train2017"), split_called("north")
    ('validation', 'train', None)
    """
    return _SPLITS.get(re.sub(r"\d+$", "", word.strip().lower()))


def split_in(path: str) -> Split | None:
    """Return the split that a folder, or a word of a file's name, of a path names.

    >>> split_in("images/val/a.jpg"), split_in("instances_test2017.json"), split_in("a.jpg")
    ('validation', 'test', None)
    """
    folders = PurePosixPath(path).parent.parts
    words = re.split(r"[^A-Za-z0-9]+", PurePosixPath(path).stem) if path.endswith(".json") else []
    return next((split for word in (*folders, *words) if (split := split_called(word))), None)
