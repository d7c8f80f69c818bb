"""Check the boxes of an imported image, and convert them to whole pixels inside it.

An image with one unusable box is refused as a whole: without that box its label would teach
that there is no object.
"""

from components.data.import_dataset.found import FoundBox, FoundImage, Problem
from components.data.import_dataset.survey import ROUNDING
from components.shared.contracts.annotation import Box
from components.shared.contracts.values import MAX_BOXES

DIGITS = 3  # of a pixel; what division leaves behind them is noise


def check(image: FoundImage, width: int, height: int) -> tuple[tuple[Box, ...], list[Problem]]:
    """Return an image's boxes in its own pixels, and the problem of each box that cannot be used.

    Args:
        image: As it was found.
        width: Of the stored image, in pixels.
        height: Of the stored image, in pixels.

    Returns:
        The boxes that are right, clipped where rounding carried them less than a pixel
        out, and a problem for each that is not. If there is a problem the label as a
        whole must not be used.
    """
    problems = list(image.problems)
    if image.size and image.size != (width, height):
        size = f"{image.size[0]} x {image.size[1]}"
        detail = f"its boxes are for {size} pixels, the image is {width} x {height}"
        problems.append(Problem(image.name, "wrong_size", detail))
    if len(image.boxes) > MAX_BOXES:
        detail = f"it has {len(image.boxes):,} boxes, expected at most {MAX_BOXES:,}"
        return (), [*problems, Problem(image.name, "too_many_boxes", detail)]
    boxes = []
    for found in image.boxes:
        checked = fit(found, width, height)
        if isinstance(checked, Problem):
            problems.append(checked)
        else:
            boxes.append(checked)
    return tuple(boxes), problems


def fit(found: FoundBox, width: int, height: int) -> Box | Problem:
    """Return a box in pixels, inside its image, or the reason why it cannot be used.

    Args:
        found: Box as the annotation file has it.
        width: Width of the image in pixels.
        height: Height of the image in pixels.

    >>> fit(FoundBox("a.txt:1", (0.5, 0.5, 1.001, 1), "car", relative=True), 100, 50)
    Box(x_min=50.0, y_min=25.0, x_max=100.0, y_max=50.0, label='car')
    >>> fit(FoundBox("a.txt:2", (10, 10, 10, 20), "car"), 100, 50).reason
    'box_without_area'
    """
    scale = (width, height, width, height) if found.relative else (1, 1, 1, 1)
    edges = [round(edge * by, DIGITS) for edge, by in zip(found.edges, scale, strict=True)]
    text = f"{edges[0]:g}, {edges[1]:g} to {edges[2]:g}, {edges[3]:g}"
    if edges[0] >= edges[2] or edges[1] >= edges[3]:
        return Problem(found.where, "box_without_area", f"{text}, expected left to right and down")
    if not found.relative and all(0 <= edge <= 1 for edge in edges) and width * height > 1:
        return Problem(found.where, "box_without_area", f"{text} are fractions, expected pixels")
    limits = (width, height, width, height)
    inside = [min(max(edge, 0.0), float(most)) for edge, most in zip(edges, limits, strict=True)]
    if max(abs(a - b) for a, b in zip(edges, inside, strict=True)) >= ROUNDING:
        return Problem(found.where, "box_outside", f"{text}, outside {width} x {height} pixels")
    x_min, y_min, x_max, y_max = inside
    if x_min >= x_max or y_min >= y_max:
        return Problem(found.where, "box_without_area", f"{text} has none of its area inside")
    return Box(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max, label=found.label)
