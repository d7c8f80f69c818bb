"""Match found boxes with true boxes, and classify errors: missed, false, badly placed, mistaken.

Also counts the confusion matrix. Each found box matches at most one true box.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from components.shared.contracts.annotation import Box, ScoredBox
from components.shared.contracts.snapshot import SnapshotImage
from components.shared.vision.boxes import box_array, pairwise_iou

Kind = Literal["missed", "false", "badly placed", "mistaken"]
KINDS: tuple[Kind, ...] = ("missed", "false", "badly placed", "mistaken")

SAME_OBJECT = 0.5
NEAR_OBJECT = 0.1
BACKGROUND = "background"


@dataclass(frozen=True, slots=True)
class Error:
    """One error of a detector.

    Attributes:
        kind: `missed` a true box, `false` where nothing is, `badly placed` if it overlaps
            its object by less than one half, `mistaken` if the class is another.
        truth: The true box, if there is one.
        found: The found box, if there is one.
        weight: Severity, to sort errors of one kind: area of a missed box, else the score.
    """

    kind: Kind
    truth: Box | None
    found: ScoredBox | None
    weight: float

    def __str__(self) -> str:
        """Return found and true class with score and size, in words."""
        true = f"{self.truth.label}, {_sides(self.truth)}" if self.truth else "no object"
        answer = f"{self.found.label} {self.found.score:.2f}" if self.found else "not found"
        return f"{answer}: {true}"


@dataclass(frozen=True, slots=True)
class ImageErrors:
    """The matched boxes and errors of one image.

    Attributes:
        pairs: True class and found class, for each object and each false alarm.
        errors: The errors, in no order.
    """

    pairs: tuple[tuple[str, str], ...]
    errors: tuple[Error, ...]


def compare(truth: Sequence[Box], found: Sequence[ScoredBox]) -> ImageErrors:
    """Match the boxes of one image, those of one class first, then the best overlap.

    Args:
        truth: True boxes.
        found: Boxes that the detector would serve.
    """
    overlaps = pairwise_iou(box_array(truth), box_array(found))  # [N, M]
    matches = _match(truth, found, overlaps, SAME_OBJECT)
    missed = [box for place, box in enumerate(truth) if place not in matches]
    false = [box for place, box in enumerate(found) if place not in matches.values()]
    pairs = [(truth[row].label, found[column].label) for row, column in matches.items()]
    pairs += [(box.label, BACKGROUND) for box in missed]
    pairs += [(BACKGROUND, box.label) for box in false]
    mistaken = [
        Error("mistaken", truth[row], found[column], found[column].score)
        for row, column in matches.items()
        if truth[row].label != found[column].label
    ]
    return ImageErrors(tuple(pairs), (*mistaken, *_left_over(missed, false)))


def compare_all(
    images: Iterable[SnapshotImage],
    served: Mapping[str, Iterable[ScoredBox]],
    classes: Iterable[str],
) -> dict[str, ImageErrors]:
    """Return the matched boxes and errors of each image, by its SHA-256.

    Args:
        images: The images with their true boxes.
        served: Boxes that the model would serve, by SHA-256.
        classes: Names of the classes that count.
    """
    known = set(classes)
    return {
        image.sha256: compare(
            [box for box in image.boxes if box.label in known],
            [box for box in served[image.sha256] if box.label in known],
        )
        for image in images
    }


def confusion_matrix(pairs: Iterable[tuple[str, str]], classes: Sequence[str]) -> list[list[int]]:
    """Count pairs of true and found class.

    Args:
        pairs: True and found class, of all images.
        classes: `C` names.

    Returns:
        `[C + 1][C + 1]`, a row for each true class, a column for each found one; the last
        of both is the background. A class that is unknown is not counted.
    """
    places = {name: place for place, name in enumerate([*classes, BACKGROUND])}
    matrix = [[0] * len(places) for _ in places]
    for true, found in pairs:
        if true in places and found in places:
            matrix[places[true]][places[found]] += 1
    return matrix


def most_telling(
    matrix: Sequence[Sequence[int]], classes: Sequence[str], most: int
) -> tuple[list[str], list[list[int]]]:
    """Reduce a confusion matrix to the classes with most errors, and the others as one.

    Args:
        matrix: Counts of all classes and the background, which is the last.
        classes: Names of the classes, without the background.
        most: Maximum number of classes to keep.

    Returns:
        Names of the rows and columns, and counts; the sum over all is as before.
    """
    counts = np.asarray(matrix, np.int64)
    if len(classes) <= most:
        return [*classes, BACKGROUND], counts.tolist()
    both = counts.sum(axis=0) + counts.sum(axis=1)
    wrong = (both - 2 * np.diagonal(counts))[:-1]
    chosen = np.sort(np.lexsort((-both[:-1], -wrong))[:most])
    group = np.full(len(counts), most)  # the others
    group[chosen], group[-1] = np.arange(most), most + 1
    summed = np.zeros((most + 2, most + 2), np.int64)
    np.add.at(summed, (group[:, None], group[None, :]), counts)
    names = [classes[place] for place in chosen]
    return [*names, f"{len(classes) - most} others", BACKGROUND], summed.tolist()


def _match(
    truth: Sequence[Box], found: Sequence[ScoredBox], overlaps: NDArray[np.float64], least: float
) -> dict[int, int]:
    near = [(int(row), int(column)) for row, column in np.argwhere(overlaps >= least)]
    near.sort(key=lambda pair: (truth[pair[0]].label != found[pair[1]].label, -overlaps[pair]))
    matches: dict[int, int] = {}
    taken: set[int] = set()
    for row, column in near:
        if row not in matches and column not in taken:
            matches[row] = column
            taken.add(column)
    return matches


def _left_over(missed: Sequence[Box], false: Sequence[ScoredBox]) -> list[Error]:
    overlaps = pairwise_iou(box_array(missed), box_array(false))
    near = _match(missed, false, overlaps, NEAR_OBJECT)
    placed = [
        Error("badly placed", missed[row], false[column], false[column].score)
        for row, column in near.items()
    ]
    lost = [
        Error("missed", box, None, box.area)
        for place, box in enumerate(missed)
        if place not in near
    ]
    invented = [
        Error("false", None, box, box.score)
        for place, box in enumerate(false)
        if place not in near.values()
    ]
    return placed + lost + invented


def _sides(box: Box) -> str:
    return f"{box.width:.0f} × {box.height:.0f} px"


def worst(errors: Mapping[str, Sequence[Error]], kind: Kind, count: int) -> list[tuple[str, Error]]:
    """Return the worst errors of a kind, each with the SHA-256 of its image.

    Args:
        errors: Errors by the SHA-256 of their image.
        kind: The kind of error.
        count: Maximum number to return.
    """
    chosen = [(sha256, error) for sha256, all_ in errors.items() for error in all_]
    chosen = [(sha256, error) for sha256, error in chosen if error.kind == kind]
    return sorted(chosen, key=lambda pair: (-pair[1].weight, pair[0]))[:count]
