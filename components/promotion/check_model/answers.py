"""Validate the tensors and boxes that a server answers against the description of its package."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from components.promotion.check_model.faults import PackageRejectedError
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


def check_tensors(tensors: Mapping[str, NDArray[np.number]], info: PackageInfo) -> None:
    """Check that the tensors of one input are as the description of the package says.

    Args:
        tensors: Outputs of the graph for one input, by name.
        info: Description of the package, which fixes the shapes.

    Raises:
        PackageRejectedError: If a tensor is missing or has another shape, a value is not finite, a
            score is not in 0 to 1, or a box that would be answered is inverted or outside.
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
            raise PackageRejectedError(
                f"{FOUND_CLASSES} holds {min(strange)}, expected a class of the package"
            )


def check_answer(answer: DetectAnswer, info: PackageInfo, width: int, height: int) -> None:
    """Check that an answer is by the model of a package, and fits the picture.

    Args:
        answer: The answer of the server.
        info: Description of the package that should have answered.
        width: Width of the picture, in pixels.
        height: Height of the picture, in pixels.

    Raises:
        PackageRejectedError: With the first difference.
    """
    if answer.model != info.digest:
        raise PackageRejectedError(
            f"model {answer.model[:12]} answers instead of {info.digest[:12]}"
        )
    if (answer.width, answer.height) != (width, height):
        raise PackageRejectedError(
            f"the answer for an image of {width} x {height} pixels says {answer.width} x "
            f"{answer.height}"
        )
    strange = {box.label for box in answer.boxes} - set(info.classes)
    if strange:
        raise PackageRejectedError(
            f"a box has the class {sorted(strange)[0]!r}, expected {', '.join(info.classes)}"
        )
    if len(answer.boxes) > info.postprocessing.max_boxes:
        most = info.postprocessing.max_boxes
        raise PackageRejectedError(
            f"an image has {len(answer.boxes)} boxes, expected at most {most}"
        )
    try:
        check_inside(answer.boxes, width, height, "an answer")
    except AnnotationError as cause:
        raise PackageRejectedError(f"a box lies outside the image: {cause}") from cause


def _length(tensors: Mapping[str, NDArray[np.number]], name: str) -> int:
    """Return the second dimension of a tensor, which is free; 0 if there is none."""
    return tensors[name].shape[1] if name in tensors and tensors[name].ndim > 1 else 0


def _check_numbers(
    name: str, values: NDArray[np.number] | None, shape: tuple[int, ...]
) -> None:  # fmt: skip
    if values is None:
        raise PackageRejectedError(f"there is no {name} in the answer")
    if values.shape != shape:
        raise PackageRejectedError(
            f"{name} has the shape {list(values.shape)}, expected {list(shape)}"
        )
    if not np.isfinite(values).all():
        what = "NaN" if np.isnan(values).any() else "infinity"
        raise PackageRejectedError(f"{name} contains {what}, expected finite numbers")


def _check_scores(name: str, values: NDArray[np.number]) -> None:
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise PackageRejectedError(f"{name} run from {low:.3g} to {high:.3g}, expected 0 to 1")


def _check_boxes(boxes: NDArray[np.number], info: PackageInfo) -> None:
    """Reject boxes `[n, 4]` that are inverted or do not touch the input of the network."""
    edge = np.array([info.preprocessing.image_width, info.preprocessing.image_height])
    backwards = (boxes[:, :2] > boxes[:, 2:]).any(-1)
    outside = ((boxes[:, 2:] < 0) | (boxes[:, :2] > edge)).any(-1)
    size = f"the image of {edge[0]} x {edge[1]} pixels"
    for wrong, what in ((backwards, "is inverted"), (outside, f"lies outside {size}")):
        if wrong.any():
            corners = ", ".join(f"{place:.4g}" for place in boxes[wrong][0])
            raise PackageRejectedError(f"a box with a high score, {corners}, {what}")
