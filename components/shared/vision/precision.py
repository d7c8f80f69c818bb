"""Compute mean average precision (mAP) over IoU thresholds and classes."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.shared.vision.boxes import pairwise_iou

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]

HALF = (0.5,)
OVERLAPS = tuple(percent / 100 for percent in range(50, 100, 5))
RECALLS = np.linspace(0, 1, 101)


class Detections(NamedTuple):
    """Detected boxes of one image: xyxy `[N, 4]`, scores `[N]` and classes `[N]`."""

    boxes: Floats
    scores: Floats
    classes: Integers


class GroundTruth(NamedTuple):
    """True boxes of one image: xyxy `[M, 4]` and classes `[M]`."""

    boxes: Floats
    classes: Integers


def mean_precision(
    found: Iterable[Detections], truth: Iterable[GroundTruth], overlaps: Sequence[float] = OVERLAPS
) -> float:
    """Return the mean average precision over classes and IoU thresholds.

    Args:
        found: Detected boxes, image by image.
        truth: True boxes, image by image.
        overlaps: From which on a box counts as right; mAP50-95 if none are said.

    Returns:
        0 to 1; classes without any true box do not count, and without any it is NaN.

    Source:
        Lin et al., "Microsoft COCO", ECCV 2014, with 101 recall levels.
    """
    judged: list[Floats] = [np.zeros((0, 2 + len(overlaps)))]
    there: list[Integers] = [np.zeros(0, int)]
    for one, true in zip(found, truth, strict=True):
        judged.append(judge(one, true, overlaps))
        there.append(true.classes)
    return precision_of(np.concatenate(judged), np.bincount(np.concatenate(there)))


def precision_of(judged: Floats, objects: NDArray[np.number]) -> float:
    """Return `mean_precision` from the concatenated results of `judge` of all images.

    Args:
        judged: `[N, 2 + overlaps]`.
        objects: How many true boxes there are of each class, `[classes]`.
    """
    precisions = [
        _average(judged[judged[:, 0] == label], int(objects[label]))
        for label in np.flatnonzero(objects)
    ]
    return float(np.mean(precisions)) if precisions else math.nan


def judge(found: Detections, truth: GroundTruth, overlaps: Sequence[float] = OVERLAPS) -> Floats:
    """Return class, score and, for each IoU threshold, 1 for a true or 0 for a false positive.

    Args:
        found: Detected boxes of one image.
        truth: Its true boxes.
        overlaps: IoU thresholds, 0 to 1.

    Returns:
        `[N, 2 + overlaps]`, in the order in which they were found.
    """
    right = np.zeros((len(found.scores), len(overlaps)))
    for label in np.unique(found.classes):
        mine = np.nonzero(found.classes == label)[0]
        mine = mine[np.argsort(-found.scores[mine], kind="stable")]
        covers = pairwise_iou(found.boxes[mine], truth.boxes[truth.classes == label])
        for column, least in enumerate(overlaps):
            right[mine, column] = _hits(covers.copy(), least)
    return np.column_stack([found.classes, found.scores, right])


def _hits(covers: Floats, least: float) -> NDArray[np.bool_]:
    """Return which rows, best first, are the first to cover a column by at least `least`."""
    hits = np.zeros(len(covers), bool)
    for row in np.nonzero((covers >= least).any(axis=1))[0]:
        best = int(covers[row].argmax())
        if covers[row, best] >= least:
            hits[row] = True
            covers[:, best] = -1.0
    return hits


def _average(judged: Floats, objects: int) -> float:
    """Return the mean over overlaps of average precision of one class."""
    ranked = judged[np.argsort(-judged[:, 1], kind="stable"), 2:]
    right = np.cumsum(ranked, axis=0)
    precision = right / np.arange(1, len(ranked) + 1)[:, None]
    best = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    best = np.vstack([best, np.zeros(best.shape[1])])
    recalls = right / objects
    averages = [
        best[np.searchsorted(recalls[:, column], RECALLS), column].mean()
        for column in range(best.shape[1])
    ]
    return float(np.mean(averages))
