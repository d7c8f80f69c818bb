"""Preprocess an image by letterbox, run a network, and postprocess its tensors to boxes (NMS)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.shared.contracts.annotation import ScoredBox
from components.shared.contracts.model import PackageInfo
from components.shared.vision.letterbox import Letterbox, network_input
from components.shared.vision.suppression import suppress

Floats = NDArray[np.float32]
Picture = NDArray[np.uint8]


class Raw(NamedTuple):
    """What the network says of `n` inputs, before suppression.

    Attributes:
        boxes: `[n, anchors, 4]`, x_min, y_min, x_max, y_max in pixels of the network's input.
        scores: `[n, anchors, classes]`, 0 to 1.
        embedding: `[n, features]`.
    """

    boxes: Floats
    scores: Floats
    embedding: Floats


def find(
    info: PackageInfo,
    image: Picture,
    network: Callable[[Floats], Raw],
    score_threshold: float | None = None,
) -> tuple[ScoredBox, ...]:
    """Return the objects in a picture, surest first.

    Args:
        info: Of the package that the network is of.
        image: `[H, W, 3]`, RGB, 0 to 255.
        network: From inputs, `[n, 3, h, w]`, 0 to 1, to what it says of them.
        score_threshold: Instead of the package's own, 0 to 1.

    Returns:
        Boxes inside the picture, in its pixels.
    """
    letterbox = letterbox_of(info, image)
    raw = network(network_input(letterbox.apply(image)[None]))
    rule = info.postprocessing
    if score_threshold is not None:
        rule = rule.model_copy(update={"score_threshold": score_threshold})
    boxes, scores, classes = suppress(raw.boxes[0], raw.scores[0], rule)
    found = zip(letterbox.to_image(boxes), scores, classes, strict=True)
    return tuple(
        _scored(box, score, info.classes[label])
        for box, score, label in found
        if box[0] < box[2] and box[1] < box[3]
    )


def letterbox_of(info: PackageInfo, image: Picture) -> Letterbox:
    """Return how a picture fits the network's input."""
    height, width = image.shape[:2]
    target = info.preprocessing
    return Letterbox(width, height, target.image_width, target.image_height)


def _scored(box: Floats, score: float, label: str) -> ScoredBox:
    # A thousandth of a pixel is finer than any label, and keeps logged answers short.
    x_min, y_min, x_max, y_max = (round(float(edge), 3) for edge in box)
    return ScoredBox(
        x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max, label=label,
        score=round(float(score), 6),
    )  # fmt: skip
