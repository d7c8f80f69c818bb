"""Derive what was wrong with an answer from the boxes that are right."""

from collections.abc import Sequence

import numpy as np

from components.shared.contracts.annotation import Box
from components.shared.contracts.events import FAULTS, Fault
from components.shared.vision.boxes import box_array, pairwise_iou

MIN_MATCH_IOU = 0.5  # below, two boxes are about different objects
MIN_EQUAL_IOU = 0.9  # below, a reviewer has moved the box


def faults_of(answered: Sequence[Box], right: Sequence[Box]) -> tuple[Fault, ...]:
    """Return the faults of an answer, in the order of `FAULTS`; none if it was right.

    Boxes are matched greedily by the highest intersection over union.

    Args:
        answered: Boxes of the answer, in pixels.
        right: All objects of the frame, in pixels of the same frame.
    """
    found: set[Fault] = set()
    left, missing = set(range(len(answered))), set(range(len(right)))
    for overlap, one, other in _pairs(answered, right):
        if one not in left or other not in missing:
            continue
        left.discard(one)
        missing.discard(other)
        if overlap < MIN_EQUAL_IOU:
            found.add("wrong_box")
        if answered[one].label != right[other].label:
            found.add("wrong_label")
    if left:
        found.add("false_positive")
    if missing:
        found.add("missed_object")
    return tuple(fault for fault in FAULTS if fault in found)


def _pairs(answered: Sequence[Box], right: Sequence[Box]) -> list[tuple[float, int, int]]:
    """Return overlap and indices of all pairs about one object, the best first."""
    others = box_array(right)
    pairs = [
        (float(overlap[other]), one, int(other))
        for one, box in enumerate(box_array(answered))
        for overlap in pairwise_iou([box], others)
        for other in np.flatnonzero(overlap >= MIN_MATCH_IOU)
    ]
    return sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2]))
