"""Class-wise non-maximum suppression (NMS) with deterministic ties."""

import numpy as np
from numpy.typing import NDArray

from components.shared.contracts.model import Postprocessing

Floats = NDArray[np.floating]
Integers = NDArray[np.intp]


def suppress(
    boxes: Floats, scores: Floats, settings: Postprocessing
) -> tuple[Floats, Floats, Integers]:
    """Return the boxes that remain after class-wise non-maximum suppression.

    Every pair of a box and a class whose score reaches the threshold is a candidate. Equal
    scores are ordered by class, then by place in the input.

    Args:
        boxes: `[A, 4]` as x_min, y_min, x_max, y_max, in any one frame.
        scores: `[A, C]`, 0 to 1.
        settings: `score_threshold` and `iou_threshold` in 0 to 1, `candidates` that enter,
            `max_boxes` that leave at most.

    Returns:
        Boxes `[K, 4]`, their scores `[K]`, highest first, and their classes `[K]`.

    Source:
        Neubeck and Van Gool, "Efficient non-maximum suppression", ICPR 2006: the greedy rule.

    >>> boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [40, 40, 50, 50]])
    >>> suppress(boxes, np.array([[0.6], [0.9], [0.5]]), Postprocessing())[1]
    array([0.9, 0.5])
    """
    anchors, classes = np.nonzero(scores >= settings.score_threshold)
    values = scores[anchors, classes]
    order = _best(values, classes, anchors, settings.candidates)
    anchors, classes, values = anchors[order], classes[order], values[order]
    chosen = boxes[anchors]
    kept = _greedy(_same_object(chosen, classes, settings.iou_threshold), settings.max_boxes)
    return chosen[kept], values[kept], classes[kept]


def _best(values: Floats, classes: Integers, anchors: Integers, count: int) -> Integers:
    """Return at most `count` positions, highest value first."""
    order = np.arange(len(values))
    if len(values) > count:
        # All that tie with the last to enter stay until ties are broken below.
        order = np.nonzero(values >= np.partition(values, -count)[-count])[0]
    ranks = np.lexsort((anchors[order], classes[order], -values[order]))
    return order[ranks][:count]


def _same_object(boxes: Floats, classes: Integers, iou_threshold: float) -> NDArray[np.bool_]:
    """Return `[N, N]`: which pairs are of one class and overlap by more than the threshold."""
    x_min, y_min, x_max, y_max = boxes.T.astype(np.float32)
    width = np.minimum(x_max[:, None], x_max) - np.maximum(x_min[:, None], x_min)
    height = np.minimum(y_max[:, None], y_max) - np.maximum(y_min[:, None], y_min)
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    area = np.maximum(x_max - x_min, 0) * np.maximum(y_max - y_min, 0)
    union = area[:, None] + area - shared
    return np.asarray((shared > iou_threshold * union) & (classes[:, None] == classes))


def _greedy(same: NDArray[np.bool_], count: int) -> Integers:
    """Return the first rows that no earlier kept row is the same as, at most `count`."""
    alive = np.ones(len(same), dtype=bool)
    kept: list[int] = []
    for row in range(len(same)):
        if len(kept) == count:
            break
        if alive[row]:
            kept.append(row)
            alive &= ~same[row]
    return np.asarray(kept, dtype=np.intp)
