"""Infer units, first class index and extra columns from all YOLO lines of a dataset together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from components.data.import_dataset.text import NUMBER
from components.shared.contracts.errors import UserError

MIN_SHARE = 0.1  # of all lines, above which a fault is a pattern
MAX_FRACTION = 1.5  # what lies above is no fraction that rounding carried out of the image
MARGIN = 0.01  # of the image, by which rounding carries a box out


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of YOLO lines after class and box.

    Attributes:
        confidence: A sixth value is a confidence.
        keypoint_values: Numbers of keypoints behind each box; 0 if there are none.
        outlines: Lines of more corners than two are outlines.
    """

    confidence: bool = False
    keypoint_values: int = 0
    outlines: bool = True


def survey(
    lines: Sequence[Sequence[str]], file: str, names: Sequence[str], keypoints: tuple[int, int]
) -> tuple[Columns, tuple[str, ...]]:
    """Return the extra columns, and notes on them.

    Args:
        lines: The values of every line of every label.
        file: Where names come from.
        names: Names of the classes; empty if there are none.
        keypoints: Number of keypoints and of values of each, as `kpt_shape` says.

    Raises:
        UserError: If many lines share a fault, for then the others may be wrong as well.
    """
    numbers = [[float(v) for v in values] for values in lines if all(map(NUMBER.fullmatch, values))]
    boxes = [values for values in numbers if len(values) >= 5]
    behind = keypoints[0] * keypoints[1]
    for fault in (
        _classes_fault(boxes, file, names),
        _keypoints_fault(boxes) if not behind else "",
        _units_fault(boxes, behind),
        _corners_fault([values for values in boxes if len(values) in (5, 6)]),
    ):
        if fault:
            raise UserError(f"YOLO labels: {fault}")
    sixth = [values[5] for values in boxes if len(values) == 6]
    enough = len(sixth) > max(1, MIN_SHARE * len(boxes)) and behind != 1
    confidence = enough and all(0 <= value <= 1 for value in sixth)
    note = f"{len(sixth):,} lines have a confidence behind the box; it is not used"
    # A lost line break makes two boxes one line, which looks like an outline.
    outlines = sum(len(values) >= 7 for values in boxes) > MIN_SHARE * len(boxes)
    return Columns(confidence, behind, outlines), (note,) if confidence else ()


def _classes_fault(boxes: Sequence[Sequence[float]], file: str, names: Sequence[str]) -> str:
    used = {values[0] for values in boxes}
    if not used or not names or max(used) < len(names):
        return ""
    numbers = ", ".join(f"{c:g}" for c in sorted(used)[:9])
    there = f"classes 0 to {len(names) - 1}" if len(names) > 1 else "only class 0"
    if min(used) >= 1 and max(used) == len(names):
        every = f"every class is {numbers}" if len(used) == 1 else f"classes are {numbers}"
        return f"{every}, {file} names {there}: do they count from 1?"
    unknown = [values for values in boxes if not 0 <= values[0] < len(names)]
    if len(unknown) > len(boxes) / 2:
        return f"{_share(unknown, boxes)} have a class of {numbers}, {file} names {there}"
    return ""


def _units_fault(boxes: Sequence[Sequence[float]], behind: int) -> str:
    def fractions(values: Sequence[float]) -> Sequence[float]:
        return values[1:5] if behind or len(values) in (5, 6) else values[1:]

    large = [values for values in boxes if max(fractions(values)) > MAX_FRACTION]
    if len(large) <= MIN_SHARE * len(boxes):
        return ""
    most = max(max(fractions(values)) for values in large)
    return (
        f"{_share(large, boxes)} have numbers up to {most:g}, expected fractions of 0 to 1: "
        "are they in pixels or percent?"
    )


def _corners_fault(boxes: Sequence[Sequence[float]]) -> str:
    out = [values for values in boxes if _leaves(values)]
    if len(out) <= MIN_SHARE * len(boxes):
        return ""
    if all(v[1] < v[3] and v[2] < v[4] for v in boxes):
        return (
            f"{_share(out, boxes)} leave their image if they are centre and size, and none does "
            "as corners: are they left, top, right and bottom?"
        )
    if len(out) <= len(boxes) / 2:
        return ""
    return f"{_share(out, boxes)} leave their image, expected centre and size in fractions of it"


def _keypoints_fault(boxes: Sequence[Sequence[float]]) -> str:
    """Distinguish outlines, which all but the first number of lines are, from keypoints."""
    counts = {len(values) for values in boxes}
    if len(counts) != 1 or min(counts) < 11:
        return ""
    for step in (2, 3):
        if all((len(v) - 5) % step == 0 and _holds(v, step) for v in boxes):
            return (
                f"each of {len(boxes):,} lines is a box and {(min(counts) - 5) // step} points "
                "inside it: expected kpt_shape in data.yaml, if these are keypoints"
            )
    return ""


def _holds(values: Sequence[float], step: int) -> bool:
    _, x, y, width, height, *rest = values
    return all(
        abs(px - x) <= width / 2 + MARGIN and abs(py - y) <= height / 2 + MARGIN
        for px, py in zip(rest[::step], rest[1::step], strict=False)
        if (px, py) != (0, 0)  # an invisible keypoint
    )


def _leaves(values: Sequence[float]) -> bool:
    _, x, y, width, height, *_ = values
    return (
        min(x - width / 2, y - height / 2) < -MARGIN
        or max(x + width / 2, y + height / 2) > 1 + MARGIN
    )


def _share(some: Iterable[object], all_lines: Sequence[object]) -> str:
    return f"{sum(1 for _ in some):,} of {len(all_lines):,} lines"
