"""How good boxes are in one number, cheap enough to be asked for while training."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]

TINY = 1e-9  # square pixels
RECALLS = np.linspace(0, 1, 101)


class Found(NamedTuple):
    """Boxes of one image: xyxy `[N, 4]`, scores `[N]` and classes `[N]`."""

    boxes: Floats
    scores: Floats
    classes: Integers


class Truth(NamedTuple):
    """What is in one image: boxes xyxy `[M, 4]` and classes `[M]`."""

    boxes: Floats
    classes: Integers


def map50(found: Sequence[Found], truth: Sequence[Truth]) -> float:
    """Return the mean over classes of average precision at an overlap of one half.

    Args:
        found: What a detector found in each image.
        truth: What is there, image by image.

    Returns:
        0 to 1; classes without any true box do not count, and without any it is 0.

    Source:
        Lin et al., "Microsoft COCO", ECCV 2014, with 101 recall levels.
    """
    classes = sorted({int(label) for one in truth for label in one.classes})
    return float(np.mean([_average_precision(found, truth, c) for c in classes] or [0.0]))


def _average_precision(found: Sequence[Found], truth: Sequence[Truth], label: int) -> float:
    scores, hits = [np.empty(0)], [np.empty(0, bool)]
    for one, there in zip(found, truth, strict=True):
        mine = one.classes == label
        order = np.argsort(-one.scores[mine], kind="stable")
        hits.append(match(one.boxes[mine][order], there.boxes[there.classes == label]))
        scores.append(one.scores[mine][order])
    ranked = np.concatenate(hits)[np.argsort(-np.concatenate(scores), kind="stable")]
    right = np.cumsum(ranked)
    precision = right / np.arange(1, len(ranked) + 1)
    recall = right / sum(int((there.classes == label).sum()) for there in truth)
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return float(best[np.searchsorted(recall, RECALLS)].mean())


def match(boxes: Floats, truth: Floats, least: float = 0.5) -> NDArray[np.bool_]:
    """Say which boxes, best first, are the first to overlap a true box by at least `least`."""
    overlap = pairwise_iou(boxes, truth)
    hits = np.zeros(len(boxes), bool)
    for row in np.nonzero((overlap >= least).any(axis=1))[0]:
        best = int(overlap[row].argmax())
        if overlap[row, best] >= least:
            hits[row] = True
            overlap[:, best] = -1.0
    return hits


def pairwise_iou(first: Floats, second: Floats) -> Floats:
    """Return the overlap of every pair, `[N, 4]` and `[M, 4]` to `[N, M]`."""
    low = np.maximum(first[:, None, :2], second[:, :2])
    high = np.minimum(first[:, None, 2:], second[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1] - shared
    return np.asarray(shared / np.maximum(union, TINY))
