"""Average precision of bootstrap resamples from matches that are computed once.

A resample only weights the images, so precision follows from the same matches.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import hotcoco
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.number]
RECALLS = 100  # steps between the 101 recalls of COCO
MAX_CELLS = 4_000_000  # of an array of resamples by boxes, so that memory stays small


@dataclass(frozen=True, slots=True)
class ClassMatches:
    """The found boxes of one class in all images, highest score first.

    Attributes:
        image: `[D]`, index of the image of each box.
        matched: `[T, D]`, whether the box matches an object, at each IoU threshold.
        counted: `[T, D]`, whether the box counts: COCO ignores boxes outside the object size.
        objects: `[I]`, number of true boxes of each image that count.
    """

    image: NDArray[np.intp]
    matched: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    objects: Floats


def matches_of(evaluation: hotcoco.COCOeval, images: int, overlaps: int) -> list[ClassMatches]:
    """Return the matches of each class that has true boxes.

    Args:
        evaluation: COCO evaluation of one object size; its images are numbered from one.
        images: Number of images, `I`; the evaluation may cover a part of them.
        overlaps: Number of IoU thresholds to keep, `T`, the smallest first.
    """
    seen = sorted(
        (each for each in evaluation.eval_imgs if each),
        key=lambda each: (each["category_id"], each["image_id"]),
    )
    by_class = groupby(seen, key=lambda each: each["category_id"])
    matches = [_joined(list(rows), images, overlaps) for _, rows in by_class]
    return [each for each in matches if each.objects.any()]


def average_precision(matches: Iterable[ClassMatches], weights: Floats) -> Floats:
    """Return the mean over classes and overlaps of COCO's average precision.

    Args:
        matches: Matches of all classes.
        weights: `[R, I]`, how many times each image is in each resample.

    Returns:
        `[R]`, 0 to 1; a class of which a resample has no object is left out of its mean,
        and NaN stands where that is so of all.
    """
    by_class = [_by_overlap(each, weights).mean(axis=1) for each in matches]
    if not by_class:
        return np.full(len(weights), np.nan)
    table = np.stack(by_class)  # [C, R]
    known = ~np.isnan(table)
    total = np.where(known, table, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def _joined(rows: list[dict[str, Any]], images: int, overlaps: int) -> ClassMatches:
    objects = np.zeros(images)
    for row in rows:
        objects[row["image_id"] - 1] = len(row["gtIgnore"]) - sum(row["gtIgnore"])
    scores = np.concatenate([np.asarray(row["dtScores"], np.float64) for row in rows])
    order = np.argsort(-scores, kind="stable")
    counts = [len(row["dtScores"]) for row in rows]
    image = np.repeat([row["image_id"] - 1 for row in rows], counts)

    def side_by_side(name: str) -> NDArray[np.bool_]:
        parts = [
            np.asarray(row[name][:overlaps], bool).reshape(overlaps, count)
            for row, count in zip(rows, counts, strict=True)
        ]
        return np.concatenate(parts, axis=1)[:, order]

    ignored = side_by_side("dtIgnore")
    return ClassMatches(image[order], side_by_side("dtMatched") & ~ignored, ~ignored, objects)


def _by_overlap(matches: ClassMatches, weights: Floats) -> Floats:
    """Return `[R, T]` average precisions, some resamples at a time."""
    rows = max(1, MAX_CELLS // max(1, len(matches.image)))
    parts = [weights[start : start + rows] for start in range(0, len(weights), rows)]
    return np.concatenate([_some(matches, part) for part in parts])


def _some(matches: ClassMatches, weights: Floats) -> Floats:
    drawn = weights[:, matches.image].astype(np.float32)  # [R, D]; counts are exact below 2^24
    there = np.flatnonzero(matches.objects)  # of many classes hardly any image has one
    objects = weights[:, there] @ matches.objects[there]  # [R]
    plain = bool(matches.counted.all())
    ranked = np.cumsum(drawn, axis=1) if plain else drawn
    values = np.empty((len(weights), len(matches.matched)))
    for place, (matched, counted) in enumerate(zip(matches.matched, matches.counted, strict=True)):
        boxes = ranked if plain else np.cumsum(drawn * counted, axis=1)
        values[:, place] = _precision(drawn[:, matched], boxes[:, matched], objects)
    return values


def _precision(right: Counts, boxes: Counts, objects: Floats) -> Floats:
    """Return `[R]` average precisions; only where a box is right does recall rise.

    Args:
        right: `[R, P]` how many times each box that is right was drawn.
        boxes: `[R, P]` how many boxes as sure or surer were drawn.
        objects: `[R]` how many objects were drawn.
    """
    found = np.cumsum(right, axis=1)
    precision = found / np.maximum(boxes, 1)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    recall = found / np.maximum(objects, 1)[:, None]
    reached = np.floor(recall * RECALLS + 1e-9) + 1  # of the 101 recalls, those up to here
    reached[found == 0] = 0
    steps = np.diff(reached, axis=1, prepend=0)
    values = (steps * envelope).sum(axis=1) / (RECALLS + 1)
    return np.where(objects > 0, values, np.nan)
