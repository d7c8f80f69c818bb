"""Read boxes of COCO annotations from `bbox` or `segmentation`, and detect their form."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.data.import_dataset.documents import ident, whole_number
from components.data.import_dataset.found import FoundBox, UnusableError
from components.data.import_dataset.text import finite
from components.shared.contracts.errors import UserError

MIN_SHARE = 0.1  # of all boxes, above which a fault is a pattern
ROUNDING = 1.0  # pixels
Edges = tuple[float, float, float, float]


def read_box(where: str, annotation: Mapping[str, Any], names: Mapping[str, str]) -> FoundBox:
    """Return one annotation as a box in pixels.

    Args:
        where: Location of the annotation, for messages.
        annotation: One record of `annotations`.
        names: Names of the categories by id.

    Raises:
        UnusableError: `missing_class`, `unknown_class` or `unreadable_box`.

    >>> read_box("a.json", {"category_id": 1, "bbox": [10, 20, 30, 5]}, {"1": "car"}).edges
    (10.0, 20.0, 40.0, 25.0)
    """
    category = annotation.get("category_id")
    if category is None:
        raise UnusableError("missing_class", "category_id is missing")
    if ident(category) not in names:
        expected = ", ".join(list(names)[:9])
        raise UnusableError(
            "unknown_class", f"category {category!r:.40}, expected one of {expected}"
        )
    return FoundBox(where, edges_of(annotation), names[ident(category)])


def edges_of(annotation: Mapping[str, Any]) -> Edges:
    """Return the edges of `bbox`, or of the outline where there is none.

    Raises:
        UnusableError: `unreadable_box`.

    >>> edges_of({"segmentation": [[1, 2, 5, 2, 5, 9]]})
    (1.0, 2.0, 5.0, 9.0)
    """
    box = annotation.get("bbox")
    if box in (None, [], ""):
        return _around(annotation.get("segmentation"))
    if not isinstance(box, list) or len(box) != 4:
        raise UnusableError("unreadable_box", f"bbox is {box!r:.80}, expected four numbers")
    x, y, width, height = (_number(value) for value in box)
    return x, y, x + width, y + height


def survey(file: str, document: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Detect the form of the boxes of a file from all of them together.

    Args:
        file: Name of the JSON file.
        document: Content of the JSON file.

    Raises:
        UserError: If many boxes are inside their images only as left, top, right and bottom, or
            are as large as `area` says only so; or if categories are counted from another number.
    """
    if fault := _categories_fault(document):
        raise UserError(f"{file}: {fault}")
    sizes = {
        ident(image.get("id")): (
            whole_number(image.get("width")),
            whole_number(image.get("height")),
        )
        for image in document["images"]
    }
    checks = [
        check
        for annotation in document["annotations"]
        if (check := _checked(annotation, sizes.get(ident(annotation.get("image_id")))))
    ]
    wrong = sum(not as_size for as_size, _ in checks)
    if wrong > MIN_SHARE * len(checks) and all(as_corners for _, as_corners in checks):
        raise UserError(
            f"{file}: {wrong:,} of {len(checks):,} boxes do not fit their image or their area, and "
            "all do if bbox is left, top, right, bottom; expected left, top, width, height"
        )


def _categories_fault(document: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return whether all categories of annotations exist only if each is one more, or one less."""
    known = {ident(category.get("id")) for category in document["categories"]}
    used = {ident(annotation.get("category_id")) for annotation in document["annotations"]}
    if used <= known or not all(number.isdecimal() for number in used):
        return ""
    for step in (1, -1):
        if {str(int(number) + step) for number in used} <= known:
            used_ids, known_ids = (", ".join(sorted(ids)[:9]) for ids in (used, known))
            return (
                f"annotations have the categories {used_ids}, and categories the ids {known_ids}: "
                "do both count from the same number?"
            )
    return ""


def _checked(
    annotation: Mapping[str, Any], size: tuple[int | None, int | None] | None
) -> tuple[bool, bool] | None:
    """Return whether a box fits as left, top, width, height, and whether as corners."""
    if not annotation.get("bbox"):
        return None
    try:
        left, top, right, bottom = edges_of(annotation)
    except UnusableError:
        return None
    corner_x, corner_y = right - left, bottom - top  # the third and fourth number of bbox
    width, height = size or (None, None)
    as_size = right <= (width or right) + ROUNDING and bottom <= (height or bottom) + ROUNDING
    as_corners = (
        left < corner_x <= (width or corner_x) + ROUNDING
        and top < corner_y <= (height or corner_y) + ROUNDING
    )
    area = annotation.get("area")
    if not annotation.get("segmentation") and isinstance(area, int | float) and area > 0:
        as_size = as_size and _near(area, corner_x * corner_y)
        as_corners = as_corners and _near(area, (corner_x - left) * (corner_y - top))
    return as_size, as_corners


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= 0.1 * max(abs(one), abs(other)) + 2


def _around(outline: Any) -> Edges:
    """Return what surrounds an outline: a list of numbers, or of such lists."""
    parts = outline if isinstance(outline, list) else []
    flat = [part for part in parts if not isinstance(part, list)]
    polygons = [flat] if flat else parts
    if (
        not polygons
        or any(len(p) < 6 or len(p) % 2 for p in polygons)
        or len(flat)
        not in (
            0,
            len(parts),
        )
    ):
        kind = "a mask" if isinstance(outline, dict) else f"{outline!r:.60}"
        raise UnusableError(
            "unreadable_box", f"there is no bbox, and segmentation is {kind}, expected an outline"
        )
    numbers = [[_number(value) for value in polygon] for polygon in polygons]
    xs = [x for polygon in numbers for x in polygon[::2]]
    ys = [y for polygon in numbers for y in polygon[1::2]]
    return min(xs), min(ys), max(xs), max(ys)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnusableError("unreadable_box", f"bbox has {value!r:.40}, expected a number")
    return finite(str(value), "bbox", "unreadable_box")
