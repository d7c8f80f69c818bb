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
    """Outputs of the network for `n` inputs, before non-maximum suppression.

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
    """Detect objects in an image: letterbox, network, non-maximum suppression.

    Args:
        info: Description of the package of the network.
        image: `[H, W, 3]`, RGB, 0 to 255.
        network: Runs inputs `[n, 3, h, w]`, 0 to 1.
        score_threshold: Minimum score, 0 to 1; None for that of the package.

    Returns:
        Boxes in pixels of the image, highest score first.
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
    """Return the letterbox of an image for the input of the network.

    Args:
        info: Description of the package, with the size of the input.
        image: `[H, W, 3]`.
    """
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
