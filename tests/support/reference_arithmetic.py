"""Label assignment and loss of the detector, one box at a time and in double precision."""

import math
from typing import NamedTuple

import numpy as np

from components.shared.network.assign import CANDIDATES, OVERLAP_POWER, SCORE_POWER
from components.shared.network.loss import MIN_SIDE_PX
from components.shared.network.network import BINS, FIRST_BIN


class Answer(NamedTuple):
    """What one anchor should say: a box xyxy, a class, and how sure to be."""

    box: tuple[float, ...]
    label: int
    quality: float


NOTHING = Answer((0.0, 0.0, 0.0, 0.0), 0, 0.0)


def iou(first, second):
    """Return the overlap of two boxes xyxy."""
    across = min(first[2], second[2]) - max(first[0], second[0])
    down = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(across, 0.0) * max(down, 0.0)
    union = area(first) + area(second) - shared
    return shared / union if union > 0 else 0.0


def area(box):
    """Return the area of a box, 0 if it is turned inside out."""
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def lies_in(centre, box, finest):
    """Say whether an anchor may answer for a box, which counts as two strides wide at least."""
    for axis in (0, 1):
        half = max((box[axis + 2] - box[axis]) / 2, finest)
        if abs(centre[axis] - (box[axis] + box[axis + 2]) / 2) > half:
            return False
    return True


def answers(scores, boxes, centres, strides, objects):
    """Return what each anchor of one image should say.

    Args:
        scores: `[A, C]`.
        boxes: `[A, 4]`.
        centres: `[A, 2]`.
        strides: `[A]`.
        objects: Pairs of a box and a class.
    """
    agreement = {}
    for number, (box, label) in enumerate(objects):
        for anchor, centre in enumerate(centres):
            if lies_in(centre, box, min(strides)):
                overlap = iou(box, boxes[anchor])
                agreed = scores[anchor][label] ** SCORE_POWER * (overlap + 1e-3) ** OVERLAP_POWER
                agreement[number, anchor] = agreed
    chosen = {pair for number in range(len(objects)) for pair in _best(agreement, number)}
    owners = {anchor: _owner(anchor, chosen, objects, boxes) for anchor in range(len(boxes))}
    return [
        NOTHING if owner is None else _answer(anchor, owner, owners, agreement, objects, boxes)
        for anchor, owner in owners.items()
    ]


def _best(agreement, number):
    mine = {pair: agreed for pair, agreed in agreement.items() if pair[0] == number and agreed > 0}
    least = sorted(mine.values(), reverse=True)[:CANDIDATES]
    return [pair for pair, agreed in mine.items() if agreed >= least[-1]]


def _owner(anchor, chosen, objects, boxes):
    claims = [number for number in range(len(objects)) if (number, anchor) in chosen]
    return max(claims, key=lambda number: iou(objects[number][0], boxes[anchor]), default=None)


def _answer(anchor, owner, owners, agreement, objects, boxes):
    box, label = objects[owner]
    team = [mate for mate, whose in owners.items() if whose == owner]
    most = max(agreement[owner, mate] for mate in team)
    overlap = max(iou(box, boxes[mate]) for mate in team)
    return Answer(tuple(box), label, agreement[owner, anchor] / most * overlap)


def complete_iou(first, second):
    """Return the overlap of two boxes, less how far apart and how differently shaped they are."""
    sides = [
        [max(b[2] - b[0], MIN_SIDE_PX), max(b[3] - b[1], MIN_SIDE_PX)] for b in (first, second)
    ]
    across = max(min(first[2], second[2]) - max(first[0], second[0]), 0.0)
    down = max(min(first[3], second[3]) - max(first[1], second[1]), 0.0)
    union = sides[0][0] * sides[0][1] + sides[1][0] * sides[1][1] - across * down
    overlap = across * down / union
    middles = [((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for b in (first, second)]
    width = max(first[2], second[2]) - min(first[0], second[0])
    height = max(first[3], second[3]) - min(first[1], second[1])
    diagonal = width**2 + height**2
    apart = math.dist(*middles) ** 2 / diagonal if diagonal else 0.0
    turns = [math.atan(side[0] / side[1]) for side in sides]
    shape = 4 / math.pi**2 * (turns[1] - turns[0]) ** 2
    weight = shape / (1 - overlap + shape) if shape else 0.0
    return overlap - apart - weight * shape


def distance_loss(logits, box, centre, stride):
    """Return the mean over four sides of the cross entropy with the two steps around the truth."""
    distances = (centre[0] - box[0], centre[1] - box[1], box[2] - centre[0], box[3] - centre[1])
    total = 0.0
    for side, distance in zip(logits, distances, strict=True):
        exact = min(max(distance / stride - FIRST_BIN, 0.0), BINS - 1 - 1e-3)
        share = np.exp(side - np.max(side)) / np.exp(side - np.max(side)).sum()
        low = math.floor(exact)
        total -= (low + 1 - exact) * math.log(share[low]) + (exact - low) * math.log(share[low + 1])
    return total / 4
