"""Validate the tensors and boxes that a server answers against the description of its package."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.promotion.check_model.faults import Faulty
from components.shared.contracts.annotation import AnnotationError, check_inside
from components.shared.contracts.model import (
    BOXES,
    EMBEDDING,
    FOUND_BOXES,
    FOUND_CLASSES,
    FOUND_SCORES,
    SCORES,
    DetectAnswer,
    PackageInfo,
)

ROUNDING = 1e-3  # by which a score may leave 0 to 1


def check_tensors(tensors: Mapping[str, NDArray[Any]], info: PackageInfo) -> None:
    """Refuse tensors that are not what a package promises to say of one input.

    Args:
        tensors: What the graph says of one input, by its name.
        info: Of the package, whose words the shapes are.

    Raises:
        Faulty: If one is missing, or of another shape, a number is none, a score is no
            probability, or a box that would be answered runs backwards or lies outside the input.
    """
    inside = info.suppression == "inside"
    anchors, left = _length(tensors, BOXES), _length(tensors, FOUND_BOXES)
    shapes = {
        BOXES: (1, anchors, 4),
        SCORES: (1, anchors, len(info.classes)),
        EMBEDDING: (1, _length(tensors, EMBEDDING)),
    }
    if inside:
        shapes |= {FOUND_BOXES: (1, left, 4), FOUND_SCORES: (1, left), FOUND_CLASSES: (1, left)}
    for name, shape in shapes.items():
        _check_numbers(name, tensors.get(name), shape)
    for name in (SCORES, FOUND_SCORES) if inside else (SCORES,):
        _check_scores(name, tensors[name])
    sure = tensors[SCORES][0] >= info.postprocessing.score_threshold
    _check_boxes(tensors[BOXES][0][sure.any(-1)], info)
    if inside:
        found = tensors[FOUND_SCORES][0] > 0
        _check_boxes(tensors[FOUND_BOXES][0][found], info)
        strange = set(tensors[FOUND_CLASSES][0][found].tolist()) - set(range(len(info.classes)))
        if strange:
            raise Faulty(f"{FOUND_CLASSES} holds {min(strange)}, expected a class of the package")


def check_answer(answer: DetectAnswer, info: PackageInfo, width: int, height: int) -> None:
    """Refuse an answer that is by another model, or is none about this picture.

    Args:
        answer: Of the server.
        info: Of the package that should have answered.
        width: Of the picture, pixels.
        height: Of the picture, pixels.

    Raises:
        Faulty: Saying what does not fit.
    """
    if answer.model != info.digest:
        raise Faulty(f"model {answer.model[:12]} answers instead of {info.digest[:12]}")
    if (answer.width, answer.height) != (width, height):
        raise Faulty(
            f"a picture of {width} x {height} is answered as one of {answer.width} x "
            f"{answer.height}"
        )
    strange = {box.label for box in answer.boxes} - set(info.classes)
    if strange:
        raise Faulty(f"a box is of {sorted(strange)[0]!r}, expected {', '.join(info.classes)}")
    if len(answer.boxes) > info.postprocessing.max_boxes:
        most = info.postprocessing.max_boxes
        raise Faulty(f"a picture has {len(answer.boxes)} boxes, expected at most {most}")
    try:
        check_inside(answer.boxes, width, height, "an answer")
    except AnnotationError as cause:
        raise Faulty(f"a box lies outside the picture: {cause}") from cause


def _length(tensors: Mapping[str, NDArray[Any]], name: str) -> int:
    """Return the second length of a tensor, which is free; where there is none, 0."""
    return tensors[name].shape[1] if name in tensors and tensors[name].ndim > 1 else 0


def _check_numbers(
    name: str, values: NDArray[Any] | None, shape: tuple[int, ...]
) -> None:  # fmt: skip
    if values is None:
        raise Faulty(f"there is no {name} in the answer")
    if values.shape != shape:
        raise Faulty(f"{name} has the shape {list(values.shape)}, expected {list(shape)}")
    if not np.isfinite(values).all():
        what = "NaN" if np.isnan(values).any() else "infinite"
        raise Faulty(f"{name} holds what is {what}, expected numbers")


def _check_scores(name: str, values: NDArray[Any]) -> None:
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise Faulty(f"{name} run from {low:.3g} to {high:.3g}, expected 0 to 1")


def _check_boxes(boxes: NDArray[Any], info: PackageInfo) -> None:
    """Refuse sure boxes, `[n, 4]`, that run backwards or do not touch the network's input."""
    edge = np.array([info.preprocessing.image_width, info.preprocessing.image_height])
    backwards = (boxes[:, :2] > boxes[:, 2:]).any(-1)
    outside = ((boxes[:, 2:] < 0) | (boxes[:, :2] > edge)).any(-1)
    size = f"the picture of {edge[0]} x {edge[1]}"
    for wrong, what in ((backwards, "runs backwards"), (outside, f"lies outside {size}")):
        if wrong.any():
            corners = ", ".join(f"{place:.4g}" for place in boxes[wrong][0])
            raise Faulty(f"a sure box, {corners}, {what}")
